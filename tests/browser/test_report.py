"""The report in a real browser: it opens, plays, changes, and lets nobody in or out."""

import dataclasses
import re

import planted_report
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe

from stim2bold.report.site import write_site

PAGES = ["index.html", "participants/sub-01.html"]
PLANTED = "planted.html"
QUALITY = "quality.html"


def pixels(canvas):
    """A canvas' content, to be compared with itself later."""
    return canvas.evaluate("(one) => one.toDataURL()")


def coloured(canvas, sign=1):
    """Mean column (share of the width) and share of the pixels that are warm (or, -1, cool)."""
    return canvas.evaluate(
        """(one, sign) => {
          const { data } = one.getContext("2d").getImageData(0, 0, one.width, one.height);
          let n = 0, sum = 0;
          for (let i = 0; i < data.length; i += 4) {
            // Blue and orange are far from grey; the cross is green.
            if (sign * (data[i] - data[i + 2]) > 40) { n += 1; sum += (i / 4) % one.width; }
          }
          return [n && sum / n / one.width, n / (one.width * one.height)];
        }""",
        sign,
    )


@pytest.mark.parametrize("name", [*PAGES, "participants/sub-03.html"])
def test_every_page_starts_all_its_views(visit, report, name):
    one = visit(report, name)
    one.see_everything()
    assert one.page.locator("[data-view]").count() > 5
    assert one.page.locator("[role=alert]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, PLANTED, QUALITY])
def test_axe_finds_no_serious_violation(visit, report, name, scheme):
    one = visit(report, name, color_scheme=scheme)
    one.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    one.see_everything()
    # Axe would read the style sheet once more by a request, which a file may not do.
    found = Axe().run(one.page, options={"preload": False}).response["violations"]
    serious = [
        (rule["id"], rule["nodes"][0]["html"])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_names_stay_text(visit, report):
    for name in (*PAGES, PLANTED, QUALITY):
        one = visit(report, name)
        one.see_everything()
        assert planted_report.NASTY in one.page.inner_text("body")
        assert planted_report.NASTY in one.page.inner_text("header")
        assert planted_report.NASTY in one.page.title()
        sources = one.page.evaluate("[...document.scripts].map((one) => one.src || one.type)")
        assert all("/assets/" in one or one == "application/json" for one in sources)


def test_what_was_planted_is_one_click_from_the_front_page(visit, report):
    one = visit(report, "index.html")
    regions = one.page.get_by_role("region", name="Scores of regions, film2bold")
    assert "3 of 3" in regions.inner_text() and planted_report.NASTY in regions.inner_text()
    one.page.get_by_role("link", name=re.compile("Planted and found")).click()
    one.page.locator("h1", has_text="Planted and found").wait_for()
    text = one.page.inner_text("main")
    assert "1 of 2" in text and "50.0 %" in text
    assert "80 %" in text and "mm RMS" in text
    assert one.page.evaluate("document.images[0].naturalWidth") == 360


def test_players_play_and_switch_while_they_play(visit, report):
    page = visit(report, "participants/sub-02.html").page
    view = page.locator("[data-view=listening]").first
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=listening][data-ready]")
    view.get_by_role("button", name="Play or pause").click()
    heard = "(view) => [...view.querySelectorAll('audio')].findIndex((one) => !one.muted)"
    times = "(view) => [...view.querySelectorAll('audio')].map((one) => one.currentTime)"
    page.wait_for_function(
        "[...document.querySelectorAll('audio')].every((one) => one.currentTime > 0.3)"
    )
    assert view.evaluate(heard) == 0
    picture = view.locator("[data-part=picture]").get_attribute("src")
    # Within one step of the page, so that a slow machine changes nothing.
    before, after, playing = view.evaluate(
        """(view) => {
          const players = view.querySelectorAll("audio");
          const before = players[0].currentTime;
          view.querySelectorAll("input[type=radio]")[2].click();
          return [before, players[2].currentTime, !players[2].paused];
        }"""
    )
    # The rung that is heard goes on from where the other was, and both go on.
    assert view.evaluate(heard) == 2 and playing
    assert abs(after - before) < 0.06
    page.wait_for_timeout(400)
    later = view.evaluate(times)
    assert later[2] > after + 0.1
    assert max(later) - min(later) < 0.25
    assert view.locator("[data-part=picture]").get_attribute("src") != picture
    assert float(view.locator("[data-part=seek]").input_value()) > 0.3
    view.get_by_role("button", name="Play or pause").click()
    assert view.evaluate("(view) => [...view.querySelectorAll('audio')].every((one) => one.paused)")


def test_a_player_says_what_is_heard(visit, report):
    page = visit(report, "participants/sub-01.html").page
    view = page.locator("[data-view=listening]").first
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=listening][data-ready]")
    view.get_by_label("Segment").select_option("1")
    assert view.locator("[data-part=block]").inner_text() == planted_report.NASTY
    # Segment 1 begins at 15 s; the first word is said at 15.5 to 16 s.
    view.locator("[data-part=seek]").fill("0.7")
    assert view.locator("[data-part=word]").inner_text() == "hallo"
    assert "15.7 s" in view.locator("[data-part=time]").inner_text()
    row = view.locator("[data-part=rungs] tr", has_text="predicted by the model vae")
    assert row.locator("td").all_inner_texts() == ["0.500"]
    assert view.locator("[data-part=rungs] tr").count() == 4


def test_map_controls_change_the_picture(visit, report):
    page = visit(report, "participants/sub-01.html").page
    view = page.locator("[data-view=maps]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=maps][data-ready]")
    readout = view.locator("[data-control=readout]")
    x, y, z, r, q = map(float, re.findall(r"-?\d+\.?\d*", readout.inner_text()))
    assert max(abs(a - b) for a, b in zip((x, y, z), planted_report.PEAK, strict=True)) <= 3.1
    assert r == pytest.approx(0.4, abs=0.02) and q == pytest.approx(0.01, abs=0.004)
    axial, left = view.locator("canvas[data-axis='2']"), view.locator("canvas[data-side=left]")
    view.get_by_label("Shown from").fill("0.05")
    # What was planted left of the middle is left of the middle, and on the left hemisphere.
    place, share = coloured(axial)
    assert place < 0.5 and share > 0.01
    right = view.locator("canvas[data-side=right][data-camera='1']")
    assert coloured(left.first)[1] > 3 * coloured(right)[1]
    assert coloured(right, -1)[1] > 0 == coloured(left.first, -1)[1]

    before = pixels(axial), pixels(left.first)
    view.get_by_label("Shown from").fill("0.3")
    assert coloured(axial)[1] < share
    assert (pixels(axial), pixels(left.first)) != before
    view.get_by_label("Shown from").fill("0.05")
    assert (pixels(axial), pixels(left.first)) == before

    view.get_by_label("Direction").select_option("negative")
    view.get_by_role("button", name="Go to the largest").click()
    assert coloured(axial, -1)[0] > 0.5 and coloured(axial)[1] == 0
    assert re.search(r"r = -0\.1", readout.inner_text())
    view.get_by_label("only q < 0.05").check()
    assert view.locator("[data-control=shown]").inner_text() == "0 voxels shown"
    view.get_by_label("Direction").select_option("both")

    view.get_by_label("Surface").select_option("pial")
    pial = pixels(left.first)
    assert pial != before[1]
    # Flat hemispheres have one side each; what was planted on the left is on the left one.
    view.get_by_label("Surface").select_option("flat")
    shown = view.locator(".surfaces figure:visible figcaption").all_inner_texts()
    assert shown == [f"{side} hemisphere, cut and flattened" for side in ("left", "right")]
    assert left.first.get_attribute("aria-label").endswith(f" on the {shown[0]}")
    assert pixels(left.first) not in (pial, before[1])
    assert coloured(left.first)[1] > 3 * coloured(right)[1]
    left.first.click()
    assert float(re.search(r"x (-?\d+)", readout.inner_text())[1]) < 0
    view.get_by_label("Surface").select_option("pial")
    assert pixels(left.first) == pial and view.locator(".surfaces figure:visible").count() == 4
    view.get_by_role("combobox", name="Map").select_option(label="film2bold: ridge")
    page.wait_for_function(
        "document.querySelector('[data-control=downloads] a').href.includes('ridge')"
    )
    view.get_by_role("button", name="Go to the largest").click()
    assert "r = 0.200" in readout.inner_text()
    address = view.locator("[data-control=downloads] a").first.evaluate("(one) => one.href")
    assert address.endswith("film2bold_sub-01_ridge_r.nii.gz")

    view.get_by_label("z of the axial slice").fill("40")
    assert "z 40 mm" in readout.inner_text()
    axial.click(position={"x": 20, "y": 20})
    assert "x -12," not in readout.inner_text() and "z 40 mm" in readout.inner_text()


def test_the_table_of_participants_is_sorted_and_filtered(visit, report):
    page = visit(report, "index.html").page
    view = page.locator("[data-view=table]").first
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=table][data-ready]")
    names = view.locator("tbody tr:visible th")
    view.get_by_role("button", name="median tSNR").click()
    assert [name[:6] for name in names.all_inner_texts()] == ["sub-03", "sub-02", "sub-01"]
    view.get_by_role("button", name="median tSNR").click()
    assert [name[:6] for name in names.all_inner_texts()] == ["sub-01", "sub-02", "sub-03"]
    assert view.locator("th[aria-sort=descending]").inner_text().startswith("median tSNR")
    view.get_by_role("button", name="mean FD").click()
    assert names.last.inner_text().startswith("sub-02")
    view.get_by_label("Filter").fill("mean fd above")
    assert [name[:6] for name in names.all_inner_texts()] == ["sub-02"]
    assert view.locator("[data-part=count]").inner_text() == "1 of 3 shown"
    names.first.locator("a").click()
    assert page.locator("h1").inner_text() == "sub-02"
    assert "mean FD above 0.5 mm" in page.inner_text("#main")


def test_what_was_left_out_of_a_run_is_told(visit, report):
    said = [
        visit(report, f"participants/sub-{number:02d}.html").page.inner_text("#main")
        for number in (1, 2)
    ]
    assert "Every voxel of the mask and every confound was used." in said[0]
    assert "Voxels excluded from the masks of 1 run: 900 without a signal." in said[1]


def test_a_run_that_is_chosen_is_marked_everywhere(visit, report):
    page = visit(report, "index.html").page
    page.get_by_role("link", name="Quality of all runs side by side").click()
    page.wait_for_selector("[data-view=quality][data-ready]")
    strips, cards = page.locator(".strip"), page.locator(".multiples li")
    n_strips, n_runs = strips.count(), cards.count()
    assert n_strips == 8 and n_runs == 3
    # By its point, by its card, by the keyboard; each time the one before is let go.
    strips.nth(1).locator("circle[data-run='1']").click()
    chosen = page.locator(".chosen")
    assert chosen.count() == n_strips + 2
    assert all(chosen.nth(i).get_attribute("data-run") == "1" for i in range(chosen.count()))
    assert "mean FD (mm) 0.70" in page.locator("[data-part=readout]").inner_text()
    cards.nth(2).get_by_role("button").click()
    assert page.locator("select[data-part=run]").input_value() == "2"
    assert {part.get_attribute("data-run") for part in chosen.all()} == {"2"}
    page.locator("select[data-part=run]").focus()
    page.keyboard.press("ArrowUp")
    assert {part.get_attribute("data-run") for part in chosen.all()} == {"1"}
    cards.nth(1).get_by_role("button").click()
    assert chosen.count() == 0
    # The one who moved is proposed, in a line that a configuration file can take.
    line = yaml.safe_load(page.locator("pre").inner_text())
    assert line == {"exclude": {"02": "mean FD above 0.5 mm"}}


def test_the_timeline_follows_region_and_time(visit, report):
    page = visit(report, "participants/sub-01.html").page
    view = page.locator("[data-view=timeline]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=timeline][data-ready]")
    lines = view.locator("path.line")
    assert lines.count() == 3
    before = lines.first.get_attribute("d")
    assert before.count("M") == 2, "the line breaks between the folds"
    view.get_by_role("slider", name="Film time").fill("45")
    told = view.locator("[data-part=readout]").inner_text()
    assert told.startswith(f"45.0 s, {planted_report.NASTY}: measured")
    decoded = view.locator("[data-part=labels] dd")
    assert decoded.inner_text() == "face (0.80) (there: face, hand)"
    still = view.locator("[data-part=still]").evaluate("(one) => one.style.backgroundPosition")
    view.get_by_role("slider", name="Film time").fill("17.5")
    assert decoded.inner_text() == f"nothing (there: {planted_report.NASTY})"
    assert planted_report.NASTY in view.locator("[data-part=words] strong").inner_text()
    other = view.locator("[data-part=still]").evaluate("(one) => one.style.backgroundPosition")
    assert still != other
    view.get_by_label("Region").select_option("1")
    assert lines.first.get_attribute("d") != before


def test_best_and_worst_moments_take_the_cursor_there(visit, report):
    page = visit(report, "participants/sub-01.html").page
    view = page.locator("[data-view=timeline]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=timeline][data-ready]")
    best, worst = (view.locator(f"[data-part={kind}] button") for kind in ("best", "worst"))
    assert best.count() == worst.count() == 3
    assert view.locator("rect.mark.high").count() == view.locator("rect.mark.low").count() == 3
    # The VAE is turned round in volumes 80 to 99.
    start, end = map(float, re.findall(r"\d+\.\d", worst.first.inner_text())[:2])
    first, last = 80 * planted_report.TR, 100 * planted_report.TR
    assert min(end, last) - max(start, first) > 8 and "(-" in worst.first.inner_text()
    worst.first.click()
    readout = view.locator("[data-part=readout]")
    seek = view.get_by_role("slider", name="Film time")
    assert float(seek.input_value()) == pytest.approx((start + end) / 2, abs=0.1)
    assert readout.inner_text().startswith(f"{float(seek.input_value()):.1f} s, ")
    assert readout.get_attribute("aria-live") == "polite"
    still = view.locator("[data-part=still]")
    picture = still.evaluate("(one) => one.style.backgroundPosition")
    # By keyboard; the list is still there, and the focus with it.
    best.first.focus()
    page.keyboard.press("Enter")
    start, end = map(float, re.findall(r"\d+\.\d", best.first.inner_text())[:2])
    assert float(seek.input_value()) == pytest.approx((start + end) / 2, abs=0.1)
    assert still.evaluate("(one) => one.style.backgroundPosition") != picture
    assert best.first.evaluate("(one) => one === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    told = best.nth(1).inner_text().split(" to ")[0]
    assert float(seek.input_value()) > float(told)
    # Ridge follows the sine throughout.
    view.get_by_label("Of the model").select_option(label="ridge")
    assert "(-" not in worst.first.inner_text()
    view.get_by_label("Region").select_option("1")
    assert view.get_by_label("Of the model").input_value() == "ridge"
    seek.fill("20")
    assert readout.get_attribute("aria-live") == "off"


def test_the_shared_course_shows_what_drives_it(visit, report):
    page = visit(report, "index.html").page
    view = page.locator("[data-view=course]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=course][data-ready]")
    # The planted record says that one fold was not trained.
    told = page.locator("[role=note]", has_text="the network is as it was drawn")
    assert "In 1 of 2 folds" in told.inner_text()
    assert view.locator("h4").first.inner_text() == "Dimension 1: 62 % of the variance predicted"
    # Rows 30 to 45 are high and 90 to 105 low: 5 s after the film's moment.
    high, low = (view.locator("ol").nth(i).locator("li") for i in (0, 1))
    assert high.count() == low.count() == 1
    for scene, row, sign in ((high, 30, 1), (low, 90, -1)):
        start, end, mean = map(float, re.findall(r"-?\d+\.\d+", scene.inner_text())[:3])
        assert start == pytest.approx(row * planted_report.TR - 5, abs=0.1)
        assert end == pytest.approx((row + 16) * planted_report.TR - 5, abs=0.1)
        assert mean == 2 * sign
    # The words of 13 to 23 s of the film, and the kind of block at 55 s.
    assert "Said: hallo" in high.inner_text() and planted_report.NASTY in low.inner_text()
    places = [
        scene.locator(".still").evaluate("(one) => one.style.backgroundPosition")
        for scene in (high, low)
    ]
    assert places == ["0% 0%", "66.6667% 0%"]
    lines = view.locator("path.line")
    assert lines.count() == 2 and lines.first.get_attribute("d").count("M") == 2
    assert view.locator("svg").first.locator("rect.mark").count() == 2


def test_pictures_take_turns(visit, report):
    page = visit(report, "participants/sub-01.html").page
    view = page.locator("[data-view=flicker]").first
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=flicker][data-ready]")
    # Both pictures are asked within one step of the page, so that a slow machine changes nothing.
    shown = """(view) => [...view.querySelectorAll("img")].map(
      (one) => one.checkVisibility({ visibilityProperty: true }))"""
    turn = f"([view, wanted]) => String(({shown})(view)) === wanted"
    handle = view.element_handle()
    assert view.evaluate(shown) == [True, False]
    view.get_by_role("button", name="Flicker").click()
    for wanted in ("false,true", "true,false", "false,true"):
        page.wait_for_function(turn, arg=[handle, wanted], timeout=5000)
    view.get_by_role("button", name="Flicker").click()
    view.get_by_role("button", name=re.compile("^Show the T1w")).click()
    page.wait_for_timeout(900)
    assert view.evaluate(shown) == [False, True]


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_needs_no_sideways_scrolling(visit, report, name):
    one = visit(report, name, viewport={"width": 390, "height": 800})
    one.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    one.see_everything()
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_everything_can_be_reached_by_keyboard(visit, report):
    page = visit(report, "participants/sub-01.html").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    view = page.locator("[data-view=listening]").first
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=listening][data-ready]")
    view.get_by_role("radio").first.focus()
    page.keyboard.press("ArrowDown")
    assert view.get_by_role("radio").nth(1).is_checked()
    muted = view.evaluate("(one) => [...one.querySelectorAll('audio')].map((each) => each.muted)")
    assert muted == [True, False, True, True]


def test_paper_shows_everything_and_no_controls(visit, report):
    for name in PAGES:
        page = visit(report, name, viewport={"width": 718, "height": 1000}).page
        # Nobody scrolls before printing.
        page.wait_for_function(
            "document.querySelectorAll('[data-view]:not([data-ready])').length === 0"
        )
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.wait_for_function(
            "[...document.images].every((one) => !one.checkVisibility() || one.naturalWidth > 0)"
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= 718
        assert not page.locator(".controls").first.is_visible()
        assert not page.locator("input[type=range]").first.is_visible()
        assert page.locator("details:not([open])").count() == 0


@pytest.mark.parametrize("width", [390, 900, 1440])
def test_the_verdict_is_seen_whole(visit, report, width):
    page = visit(report, "index.html", viewport={"width": width, "height": 900}).page
    table = page.locator("table.verdict")
    assert table.evaluate("(one) => one.getBoundingClientRect().right") <= width
    named = table.locator("tr").nth(1).locator("td").nth(2)
    said = named.evaluate("(one) => getComputedStyle(one, '::before').content")
    assert said == ('"ridge"' if width < 1344 else "none")
    assert table.locator("thead").is_visible() == (width == 1440)


@pytest.mark.parametrize(
    ("row", "expected", "largest"),
    [
        # The sound: ridge within blocks; the VAE's upper end is the largest number.
        (0, (0.095, 0.045, 0.145), 0.155),
        # BOLD: ridge over all held-out film; the ceiling's upper end.
        (1, (0.19, 0.14, 0.24), 0.35),
    ],
)
def test_bars_and_intervals_of_the_verdict_are_as_long_as_they_say(
    visit, report, row, expected, largest
):
    page = visit(report, "index.html").page
    meter = page.locator("table.verdict tbody tr").nth(row).locator(".meter").nth(2)
    lengths = meter.evaluate(
        """(one) => {
          const width = one.clientWidth, line = getComputedStyle(one, "::after");
          const bar = Number(getComputedStyle(one).getPropertyValue("--share"));
          return [bar, parseFloat(line.left) / width, 1 - parseFloat(line.right) / width];
        }"""
    )
    assert lengths == pytest.approx([value / largest for value in expected], abs=0.01)


def test_a_lone_participants_map_stands_in_front(visit, tmp_path):
    source = planted_report.plant(tmp_path / "results", participants=1)
    (tmp_path / "results" / "scores" / "ceiling.tsv").unlink()
    (tmp_path / "results" / "latents" / "film2bold" / "group.nc").unlink()
    site = tmp_path / "report"
    site.mkdir()
    write_site(dataclasses.replace(source, words=None), site)
    one = visit(site, "index.html")
    one.see_everything()
    assert "Of sub-01, the only participant" in one.page.inner_text("#main")
    assert "Ceiling: not available with fewer than three" in one.page.inner_text("#main")
    assert one.page.locator("[data-view=maps][data-ready]").count() == 1
    # One alone shares nothing, and nobody draws it.
    assert "No model of all participants was trained." in one.page.inner_text("#main")
    # Nobody wrote down the words: no place is kept for them.
    assert not one.page.locator("[data-part=said]").first.is_visible()


def test_all_that_was_tested_of_the_group_can_be_downloaded(visit, report):
    page = visit(report, "index.html").page
    view = page.locator("[data-view=maps]")
    view.scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=maps][data-ready]")
    names = view.locator("[data-control=downloads] a").evaluate_all(
        "(all) => all.map((one) => one.href.split('_').pop())"
    )
    assert names == ["r.nii.gz", "q.nii.gz", "t.nii.gz", "pmax.nii.gz"]
