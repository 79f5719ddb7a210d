"""The report of thirty and of a hundred participants: how large it is, and how fast it opens.

Artefacts are planted in the size of ds003688 (641 volumes, 13 segments of 10 s, maps of 4 mm) for
one participant and copied for the others, for what is measured is bytes and seconds.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import planted_report
from browsing import FLAGS, Visit, chromium
from claims import row
from nilearn.datasets import load_mni152_brain_mask
from playwright.sync_api import Page, sync_playwright

from stim2bold.io.files import read_json, write_json, write_table
from stim2bold.preprocessing.figures import save_figure
from stim2bold.preprocessing.mosaics import mosaic
from stim2bold.preprocessing.registration import template
from stim2bold.report.site import write_site

N_ROWS, TR = 641, 0.608
REPETITIONS = 5


def full_maps(results: Path) -> None:
    """Make maps of noise in every voxel of the brain, which cannot be packed any smaller."""
    mask = load_mni152_brain_mask(resolution=4)
    inside = np.asarray(mask.dataobj) > 0
    rng = np.random.default_rng(1)
    for path in (results / "maps").rglob("*.nii.gz"):
        values = np.zeros(inside.shape, np.float32)
        values[inside] = rng.normal(0.1, 0.1, inside.sum())
        nib.save(nib.Nifti1Image(np.clip(values, -1, 1), mask.affine), path)


def full_sounds(results: Path) -> None:
    """Thirteen segments of ten seconds of noise, for film and participant."""
    planted_report.N_SEGMENTS, planted_report.SECONDS = 13, 10.0
    for direction, unit in (("video2audio", "film"), ("bold2audio", "sub-01")):
        for folder in (results / "sounds", results / "views" / "listening"):
            shutil.rmtree(folder / direction / unit)
        planted_report.write_sounds(results, direction, unit, noise=0.05)


def full_series(results: Path) -> None:
    """Nine regions over all volumes."""
    rng = np.random.default_rng(2)
    times = (np.arange(N_ROWS) + 0.5) * TR
    names = [f"region {number}" for number in range(9)]
    series = [
        pd.DataFrame({"region": name, "time": times, "fold": np.arange(N_ROWS) // 110}).assign(
            **{model: rng.normal(size=N_ROWS) for model in ("measured", "vae", "ridge")}
        )
        for name in names
    ]
    write_table(results / "regions" / "sub-01.tsv", pd.concat(series))
    scores = [(name, 90, model, 0.2) for name in names for model in ("vae", "ridge")]
    columns = ["region", "voxels", "model", "r"]
    write_table(results / "regions" / "sub-01_scores.tsv", pd.DataFrame(scores, columns=columns))


def full_pictures(results: Path) -> None:
    """Pictures of preprocessing as large as they are drawn."""
    figure = mosaic(template("T1w", 1), template("mask", 1), contours=[], title="template")
    sheet = results / "stimulus" / "sheet.png"
    save_figure(figure, sheet)
    for path in (results / "preprocessed").rglob("*.png"):
        shutil.copyfile(sheet, path)


def full_quality(results: Path) -> None:
    """Courses of FD and DVARS over all volumes."""
    rng = np.random.default_rng(3)
    (path,) = (results / "quality" / "sub-01").glob("*.json")
    courses = {name: [None, *rng.gamma(2, 0.1, N_ROWS - 1)] for name in ("fd", "std_dvars")}
    write_json(path, read_json(path) | {"series": courses})


def multiply(results: Path, participants: int) -> None:
    """Give every participant what the first has."""
    paths = [path for path in sorted(results.rglob("*sub-01*")) if path.is_file()]
    paths += [path for path in results.rglob("sub-01/**/*") if path.is_file()]
    labels = [f"{number + 1:02d}" for number in range(participants)]
    for label in labels[1:]:
        for path in paths:
            target = results / str(path.relative_to(results)).replace("sub-01", f"sub-{label}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    inputs = read_json(results / "inputs.json")
    runs = [{"name": f"sub-{label}_task-film", "bold": "b", "t1w": "t"} for label in labels]
    write_json(results / "inputs.json", inputs | {"participants": labels, "runs": runs})


@contextmanager
def large_report(participants: int) -> Iterator[tuple[Path, float]]:
    """Yield the folder of a report of so many participants and the seconds it took to render."""
    with tempfile.TemporaryDirectory() as folder:
        results, site = Path(folder) / "results", Path(folder) / "report"
        source = planted_report.plant(results, participants=1)
        for enlarge in (full_maps, full_sounds, full_series, full_pictures, full_quality):
            enlarge(results)
        multiply(results, participants)
        site.mkdir()
        started = time.perf_counter()
        write_site(source, site)
        yield site, time.perf_counter() - started


def seconds_to_load(page: Page, address: str) -> float:
    """Open a page after an empty one, and return the seconds until it has loaded."""
    page.goto("about:blank")
    started = time.perf_counter()
    page.goto(address, wait_until="load")
    return time.perf_counter() - started


def open_page(page: Page, address: str) -> tuple[float, float]:
    """Return the seconds until a page has loaded, and until its first map is drawn."""
    loaded = seconds_to_load(page, address)
    started = time.perf_counter()
    page.locator("[data-view=maps]").scroll_into_view_if_needed()
    page.wait_for_selector("[data-view=maps][data-ready]")
    return loaded, loaded + time.perf_counter() - started


def report_of_thirty() -> list[dict]:
    """Measure size, rendering and opening in one run."""
    started = time.perf_counter()
    with large_report(30) as (site, rendering), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        visit = Visit(browser, site, "index.html")
        loaded: set[str] = set()
        visit.page.on("request", lambda request: loaded.add(request.url))
        visit.page.reload()
        visit.see_everything()
        addresses = {
            path.as_uri(): path.stat().st_size for path in site.rglob("*") if path.is_file()
        }
        front = sum(addresses.get(address, 0) for address in loaded)
        faults = len(visit.faults)
        page = browser.new_page()
        times = {
            name: np.array([open_page(page, (site / name).as_uri()) for _ in range(REPETITIONS)])
            for name in ("index.html", "participants/sub-15.html")
        }
        browser.close()
        whole = sum(addresses.values())
    seconds = time.perf_counter() - started
    claims = [
        (
            "report_front_page_size",
            [front / 1e6],
            "MB that the front page loads, all of it seen",
            5.0,
        ),
        ("report_size", [whole / 1e6], "MB of the whole folder, 30 participants", 250.0),
        ("report_rendering", [rendering], "s to render it", 300.0),
        ("report_front_page_opens", times["index.html"][:, 0], "s until it has loaded", 2.0),
        ("report_front_page_maps", times["index.html"][:, 1], "s until its map is drawn", 4.0),
        ("report_participant_opens", times["participants/sub-15.html"][:, 0], "s to load", 2.0),
        ("report_participant_maps", times["participants/sub-15.html"][:, 1], "s to the map", 4.0),
        ("report_faults", [faults], "errors, and requests that leave the folder", 0.0),
    ]
    return [
        row(name, values, unit=unit, goal=goal, better="lower", seconds=seconds)
        for name, values, unit, goal in claims
    ]


def choose_run(page: Page, address: str) -> tuple[float, float]:
    """Return the seconds until the page of quality has loaded, and from a click to all marks."""
    loaded = seconds_to_load(page, address)
    # In the page: what drives it takes milliseconds itself.
    marking = page.evaluate(
        """async () => {
          const points = [...document.querySelectorAll("circle[data-run]")];
          const started = performance.now();
          points.at(-1).dispatchEvent(new MouseEvent("click", { bubbles: true }));
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          return (performance.now() - started) / 1000;
        }"""
    )
    assert page.locator("circle.chosen").count() == page.locator("figure.strip").count()
    return loaded, marking


def report_quality() -> list[dict]:
    """Measure the page of all runs' quality, of thirty and of a hundred participants."""
    found = []
    for participants in (30, 100):
        started = time.perf_counter()
        with large_report(participants) as (site, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            visit = Visit(browser, site, "quality.html")
            visit.see_everything()
            assert visit.faults == []
            address = (site / "quality.html").as_uri()
            times = np.array([choose_run(visit.page, address) for _ in range(REPETITIONS)])
            size = (site / "quality.html").stat().st_size / 1e6
            browser.close()
        seconds = time.perf_counter() - started
        stem = f"report_quality_of_{participants}"
        found += [
            row(f"{stem}_{name}", values, unit=unit, goal=goal, better="lower", seconds=seconds)
            for name, values, unit, goal in (
                ("opens", times[:, 0], "s until the page of all runs has loaded", 2.0),
                ("marks", times[:, 1], "s from a click on a point until it is marked", 0.2),
                ("size", [size], "MB of the page, without pictures", 5.0),
            )
        ]
    return found


CLAIMS = {"report_of_thirty": report_of_thirty, "report_quality": report_quality}
