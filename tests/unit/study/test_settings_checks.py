"""Each contradiction among settings is found, and each fix that is advised is one that works."""

import re
from pathlib import Path

import planted_study
import pytest
from shipped import shipped

from stim2bold.models.folds import FoldSettings, make_folds
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.blocks import cut_film
from stim2bold.study.configuration import merge
from stim2bold.study.settings_checks import check_consistency

#: What is written, the keys that the message names, and what it advises.
CONTRADICTIONS = {
    "bands above half the rate": (
        {"spectrogram": {"rate": 8000}},
        {"spectrogram": {"fmax": 4000.0}},
    ),
    "hop beyond the window": ({"spectrogram": {"hop": 2048}}, {"spectrogram": {"hop": 1024}}),
    "crop beyond the picture": ({"i3d": {"crop": 300}}, {"i3d": {"crop": 256}}),
    "reach beyond the gap": ({"folds": {"reach": 20.0}}, {"folds": {"gap": 20.0}}),
    "a network without weights": (
        {"sources": {"film": ["vjepa2"]}},
        {"sources": {"film": ["i3d_rgb"]}},
    ),
    "sound of a silent film": ({"streams": {"audio": None}}, {"directions": ["film2bold"]}),
    "newcomers without a group": (
        {"group": {"train": False, "newcomers": ["01"]}},
        {"group": {"train": True}},
    ),
    "blocks between frames": (
        {"bids_dir": None, "simulation": {"block_seconds": 2.01}},
        {"simulation": {"block_seconds": 2.0}},
    ),
    "bands out of order": ({"baselines": {"bands": [20, 5]}}, {"baselines": {"bands": [5, 20]}}),
    "a length twice": (
        {"evaluation": {"segment": 5.0}},
        {"evaluation": {"other_segments": [20.0]}},
    ),
    "regressors that nobody makes": (
        {"preprocessing": {"cleaning": {"strategy": "ica_aroma"}}},
        {"preprocessing": {"cleaning": {"strategy": "compcor"}}},
    ),
    "sounds of a model without any": (
        {"sounds": {"models": ["vae-group"]}},
        {"sounds": {"models": ["vae"]}},
    ),
    "more latents than dimensions": ({"vae": {"latents": 100}}, {"vae": {"latents": 64}}),
}


@pytest.fixture
def config():
    return planted_study.configuration(bids_dir="bids", film="film.mkv")


def test_the_shipped_configuration_is_consistent(config):
    assert check_consistency(config) == []
    assert check_consistency(planted_study.configuration()) == []


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_names_its_key_and_the_fix_works(config, name):
    written, advised = CONTRADICTIONS[name]
    wrong = merge(config, written)
    (problem,) = check_consistency(wrong)
    assert problem.severity == "error"
    (section,) = advised
    nested = isinstance(advised[section], dict) and section != "sources"
    key = next(iter(advised[section])) if nested else section
    assert key in problem.fix
    assert check_consistency(merge(wrong, advised)) == []


@pytest.mark.parametrize(("gap", "inner", "seconds"), [(30.0, 3, 15.0), (12.0, 2, 8.0)])
def test_the_fix_for_folds_is_one_that_was_tried(gap, inner, seconds):
    def folds(**settings):
        blocks = cut_film(6 * seconds, seconds, film_onset=0.0)
        return make_folds(
            blocks,
            n_rows=round(6 * seconds),
            tr=1.0,
            film_onset=0.0,
            settings=shipped(
                FoldSettings, **{"gap": gap, "reach": 12.0, "inner": inner, **settings}
            ),
        )

    with pytest.raises(InputError, match="nothing is left") as refused:
        folds()
    advice = re.search(r"set folds[.](\w+) to (\S+)$", str(refused.value))
    if advice is None:
        assert "a longer film" in str(refused.value)
        for number in range(2, 11):
            with pytest.raises(InputError):
                folds(gap=12.0, inner=number)
        return
    kind = int if advice[1] == "inner" else float
    folds(**{advice[1]: kind(advice[2])})


def test_weights_that_are_not_there(config, tmp_path):
    missing = str(Path(tmp_path / "gone.pt"))
    (problem,) = check_consistency(merge(config, {"i3d": {"weights": missing}}))
    assert problem.file == missing and "i3d.weights" in problem.what
