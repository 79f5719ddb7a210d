import html.parser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import yaml

from stim2bold import report
from stim2bold.files import write_table

TEMPLATE = Path(__file__).parents[2] / "workflow" / "report" / "report.html.j2"
SUMMARY = pd.DataFrame(
    {
        "direction": ["video2bold"] * 3,
        "model": ["mean", "vae", "ridge"],
        "n": [2, 2, 2],
        "r": [np.nan, 0.21, 0.19],
        "r_spread": [np.nan, 0.02, 0.01],
        "r_low": [np.nan, 0.15, 0.12],
        "r_high": [np.nan, 0.27, 0.26],
        "p": [np.nan, 0.004, 0.25],
        "units_significant": [0, 2, 1],
        "identification": [0.5, 0.83, 0.8],
    }
)


def test_verdict_compares_with_the_best_baseline():
    (row,) = report.verdict_table(SUMMARY)
    assert [model["name"] for model in row["models"]] == ["vae", "ridge", "mean"]
    assert row["models"][2]["r"] is None
    assert row["verdict"] == (
        "The VAE (r = 0.210) is 0.020 above the best baseline, ridge (r = 0.190)."
    )


def test_verdict_without_a_vae_or_a_baseline():
    assert "no score" in report.verdict([{"name": "ridge", "r": 0.1}])
    assert "no baseline" in report.verdict([{"name": "vae", "r": 0.1}, {"name": "mean", "r": None}])


def test_segments_are_chosen_by_rule():
    segments = pd.DataFrame(
        {"segment": list("abcdefg"), "trial_type": ["music", "speech"] * 3 + ["music"]}
    )
    assert report.shown_segments(segments) == ["e", "d"]


class Page(html.parser.HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.addresses, self.text = 0, [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.addresses += [value for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data):
        self.text += data


def page(**changes):
    content = {
        "sentence": "3 participants",
        "ceiling": None,
        "warnings": [],
        "n_folds": 6,
        "gap": 12,
        "table": report.verdict_table(SUMMARY),
        "sheet": "assets/film.png",
        "maps": [{"unit": "sub-01", "address": "figures/sub-01.png"}],
        "listening": [],
        "shared": None,
        "sound_scores": list(report.SOUND_SCORES.values()),
        "quality": [],
        "leakage": "No leakage.",
        "versions": report.pinned_versions(TEMPLATE.parents[2] / "requirements.txt"),
        "configuration": "seed: 1",
        **changes,
    }
    return Page(report.render(TEMPLATE, **content))


def test_names_stay_text():
    name = "<script>alert('x')</script>"
    shown = page(sentence=name, maps=[{"unit": name, "address": "figures/a.png"}])
    assert shown.scripts == 0
    assert name in shown.text


def test_scores_are_shown_with_their_interval_and_significance():
    text = " ".join(page().text.split())
    assert "vae0.210 0.150 to 0.270 0.020 0.004 2 of 2 83 %" in text
    assert "meanno prediction varies" in text


def test_the_ceiling_is_told_or_said_to_be_missing():
    columns = ["unit", "r", "r_low", "r_high", "n"]
    table = pd.DataFrame([("a", 0.1, 0.05, 0.15, 9), ("b", 0.3, 0.25, 0.35, 9)], columns=columns)
    sentence = report.ceiling_sentence(table)
    assert "r = 0.200 (0.150 to 0.250" in sentence and "lower bound" in sentence
    assert sentence in page(shared=sentence).text
    assert "not available" in report.ceiling_sentence(table[:0])


def test_nothing_leaves_the_folder():
    shown = page(ceiling=0.6, warnings=["careful"])
    assert "careful" in shown.text and "Simulated data." in shown.text
    assert shown.addresses
    assert all("//" not in address and not address.startswith("/") for address in shown.addresses)


def test_the_template_asks_for_nothing_it_is_not_given():
    with pytest.raises(report.jinja2.UndefinedError):
        report.render(TEMPLATE, sentence="")


def test_maps_keep_any_name(tmp_path):
    picture = tmp_path / "sub-01 'a'.png"
    picture.write_bytes(b"png")
    assets = tmp_path / "assets"
    assets.mkdir()
    (shown,) = report.gather_maps([picture], assets)
    assert shown["unit"] == "sub-01 'a'"
    assert (tmp_path / unquote(shown["address"])).read_bytes() == b"png"


def test_sounds_go_from_the_original_down(tmp_path):
    folder = tmp_path / "bold2audio" / "sub-01"
    folder.mkdir(parents=True)
    write_table(
        folder / "segments.tsv",
        pd.DataFrame({"segment": ["segment-00-music", "segment-01-speech"]}).assign(
            trial_type=["music", "speech"], onset=[1.0, 13.0], duration=10.0
        ),
    )
    for segment in ("segment-00-music", "segment-01-speech"):
        for rung in ("vae", "original", "ridge", "griffinlim"):
            (folder / f"{segment}_{rung}.wav").write_bytes(f"{segment} {rung}".encode())
    assets = tmp_path / "assets"
    assets.mkdir()
    shown = report.gather_sounds(folder, assets)
    assert (shown["direction"], shown["unit"]) == ("bold2audio", "sub-01")
    assert shown["rungs"] == ["original", "griffinlim", "ridge", "vae"]
    last = shown["segments"][1]["sounds"][3]["address"]
    assert (tmp_path / last).read_text() == "segment-01-speech vae"


def test_sounds_are_scored_from_the_best_that_can_be_had_down():
    table = pd.DataFrame(
        [
            (rung, measure, value)
            for rung, shift in (("vae", 0.0), ("griffinlim", 0.3))
            for measure, values in (("stoi", [0.4, 0.6]), ("mel_r", [0.1, 0.3]))
            for value in np.add(values, shift)
        ],
        columns=["rung", "measure", "value"],
    )
    first, second = report.rung_scores(table)
    assert first["rung"] == "griffinlim" and first["values"][0] == pytest.approx(0.8)
    assert second["values"][0] == pytest.approx(0.5)
    assert second["values"][1] is None and second["values"][3] == pytest.approx(0.2)
    listening = [{"direction": "d", "unit": "u", "rungs": [], "segments": [], "scores": [second]}]
    assert "vae0.500" in page(listening=listening).text


def test_quality_tells_the_motion_of_each_run(tmp_path):
    path = tmp_path / "sub-01_task-film_desc-confounds_timeseries.tsv"
    path.write_text("framewise_displacement\nn/a\n0.1\n0.3\n")
    names = [f"sub-0{i}_{part}" for i in (1, 2) for part in ("task-film_desc-carpet_bold", "T1w")]
    figures = [tmp_path / f"{name}.svg" for name in names]
    for figure in figures:
        figure.write_text("<svg/>")
    assets = tmp_path / "assets"
    assets.mkdir()
    (run,) = report.gather_quality([path], figures, assets)
    assert run["n_volumes"] == 3
    assert np.isclose(run["mean_fd"], 0.2) and np.isclose(run["max_fd"], 0.3)
    assert [figure["words"] for figure in run["figures"]] == ["desc-carpet, bold", "sub-01, T1w"]


def test_opening_passes_the_warnings_on():
    problem = {"severity": "warning", "message": "a: lacks b; add b"}
    first = report.opening(
        inputs={
            "participants": ["01"],
            "runs": [{}],
            "TR": 0.608,
            "problems": [problem],
            "missing": [],
        },
        film={"duration": 156.0},
        folds={"folds": [{}, {}], "gap": 12.0},
        simulation=yaml.safe_load((TEMPLATE.parents[2] / "config.yaml").read_text())["simulation"],
    )
    assert first["warnings"] == ["a: lacks b; add b"]
    assert first["n_folds"] == 2 and 0 < first["ceiling"] < 1
    assert "1 participant," in first["sentence"] and "0.608 s" in first["sentence"]
