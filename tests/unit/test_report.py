import html.parser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stim2bold import report

TEMPLATE = Path(__file__).parents[2] / "workflow" / "report" / "report.html.j2"
SUMMARY = pd.DataFrame(
    {
        "direction": ["video2bold"] * 3,
        "model": ["mean", "vae", "ridge"],
        "n": [2, 2, 2],
        "r": [np.nan, 0.21, 0.19],
        "r_spread": [np.nan, 0.02, 0.01],
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
        "simulated": None,
        "warnings": [],
        "n_folds": 6,
        "gap": 12,
        "table": report.verdict_table(SUMMARY),
        "maps": [{"unit": "sub-01", "address": "figures/sub-01.png"}],
        "listening": [],
        "quality": [],
        "leakage": "No leakage.",
        "versions": report.package_versions(),
        "configuration": "seed: 1",
        **changes,
    }
    return Page(report.render(TEMPLATE, **content))


def test_names_stay_text():
    name = "<script>alert('x')</script>"
    shown = page(sentence=name, maps=[{"unit": name, "address": "figures/a.png"}])
    assert shown.scripts == 0
    assert name in shown.text


def test_nothing_leaves_the_folder():
    shown = page(simulated={"ceiling": 0.6}, warnings=["careful"])
    assert "careful" in shown.text and "Simulated data." in shown.text
    assert shown.addresses
    assert all("//" not in address and not address.startswith("/") for address in shown.addresses)


def test_the_template_asks_for_nothing_it_is_not_given():
    with pytest.raises(report.jinja2.UndefinedError):
        report.render(TEMPLATE, sentence="")


def test_a_collected_file_is_a_copy(tmp_path):
    source = tmp_path / "it's a map.png"
    source.write_bytes(b"png")
    address = report.collect_file(source, tmp_path / "report" / "figures", name="map.png")
    assert address == "figures/map.png"
    assert (tmp_path / "report" / address).read_bytes() == b"png"
