import copy
import re

import planted_study
import pytest

from stim2bold.report.methods_text import as_markdown, methods_section, read_references

PROJECT = planted_study.PROJECT
REFERENCES = read_references(PROJECT / "workflow" / "datasets" / "references.tsv")
SIDECAR = {
    "Confounds": ["csf", "trans_x"],
    "HighPass": 0.0078125,
    "SmoothingFWHM": 0.0,
    "VolumesFilledIn": [],
    "VoxelsLeftOut": {"constant": 0, "not_numbers": 0, "not_covered": 0, "not_positive": 0},
    "ConfoundsFilledIn": {},
    "ConfoundsLeftOut": [],
}
RUN = {"t1w": "sub-01_T1w.nii.gz", "echoes": 1}


def section(**changes):
    facts = {
        "config": planted_study.configuration(),
        "inputs": {
            "participants": ["01", "02", "03"],
            "runs": [RUN] * 4,
            "TR": 0.608,
            "missing": [],
            "space": "MNI152NLin2009aSym",
        },
        "film": {"duration": 389.96, "video": {"frames": 9750}},
        "folds": {"folds": [{}] * 6, "gap": 12.0},
        "sidecars": [SIDECAR] * 4,
        "dataset": {"Name": "My film"},
        "generated": None,
        "resampled_here": True,
        "simulated": False,
        "directions": ["film2bold", "video2audio", "bold2audio"],
        "spaces": ["i3d_rgb", "mel", "modulation", "words"],
        "steps": [0, 0, 40],
        "annotated": True,
        "baselines": ["annotations", "lowlevel", "ridge"],
        "sound_measures": {"pesq_wb", "pesq_nb", "stoi", "estoi", "mcd", "mel_r"},
        "version": "0.1.0",
        "references": REFERENCES,
    }
    return methods_section(**{**facts, **changes})


def text_of(**changes):
    return as_markdown(section(**changes))


def test_it_says_what_the_study_was():
    assert section()["study"] == "My film"
    text = text_of()
    for words in ("3 participants (4 runs, TR = 0.608 s)", "390.0 s", "My film", "9750 frames"):
        assert words in text
    assert "2 confounds per run" in text and "slower than 128 s" in text and "6 folds" in text


def test_it_says_whether_the_network_added_anything():
    said = "with at least one step: 1 of 3, over all"
    assert said in " ".join(text_of().split()) and "the linear solution" in text_of()
    paper = text_of(config=planted_study.configuration(vae={"preset": "paper"}))
    assert said in " ".join(paper.split()) and "the linear solution" not in paper


def test_it_says_what_was_left_out_and_filled_in():
    for words in ("excluded from the masks", "interpolated", "did not vary"):
        assert words not in text_of()
    odd = SIDECAR | {
        "VoxelsLeftOut": SIDECAR["VoxelsLeftOut"] | {"constant": 931, "not_numbers": 1},
        "ConfoundsFilledIn": {"rot_x": [40, 41], "csf": [7]},
        "ConfoundsLeftOut": ["rot_z"],
    }
    text = text_of(sidecars=[SIDECAR, odd, SIDECAR, odd])
    for words in (
        "masks of 4 runs: 1862 without a signal and 2 with values that are not finite.",
        "6 missing values in csf and rot_x were interpolated",
        "In 2 runs, confounds that did not vary were excluded: rot_z.",
    ):
        assert words in " ".join(text.split())


@pytest.mark.parametrize("preset", ["paper", "small-data"])
@pytest.mark.parametrize("derived", [False, True])
def test_every_citation_has_its_work_and_every_work_is_cited(preset, derived):
    config = planted_study.configuration(vae={"preset": preset})
    made = section(
        config=config,
        generated=[{"Name": "fMRIPrep", "Version": "25.2.7"}] if derived else None,
        resampled_here=not derived,
    )
    text = " ".join(made["paragraphs"])
    citations = set(re.findall(r"[A-Z][\w\- ]*?(?: et al\.| & [A-Z]\w+)?, (?:19|20)\d\d", text))
    assert len(citations) > 10
    for citation in citations:
        assert any(citation.endswith(key) or key.endswith(citation) for key in REFERENCES), citation
    keys = [key for key in REFERENCES if key in text]
    assert sorted(made["references"]) == sorted(REFERENCES[key] for key in keys)
    assert ("fMRIPrep 25.2.7" in text) == derived
    assert ("Tustison" in text) == (not derived)
    assert ("Sohn" in text) == (preset == "small-data")


def test_it_says_what_fmriprep_fitted_and_what_was_resampled_here():
    generated = [{"Name": "fMRIPrep", "Version": "25.2.7"}]
    text = " ".join(text_of(generated=generated).split())
    assert "image and from there to the space MNI152NLin2009aSym had been estimated with" in text
    assert "each raw series was resampled once" in text and "DVARS (Nichols, 2017)" in text
    assert "Tustison" not in text and "had been preprocessed" not in text
    full = " ".join(text_of(generated=generated, resampled_here=False).split())
    assert "had been preprocessed with fMRIPrep 25.2.7" in full
    assert "resampled once" not in full and "DVARS (Nichols" not in full


def test_it_says_who_is_missing_and_what_was_filled_in():
    facts = {
        "participants": ["01"],
        "runs": [{"t1w": None, "echoes": 1}],
        "TR": 2.0,
        "space": "MNI",
        "missing": [
            {"participant": "sub-02", "reason": "fell asleep"},
            {"participant": "sub-03", "reason": "fell asleep"},
            {"participant": "sub-04", "reason": "truncated"},
        ],
    }
    sidecar = {**SIDECAR, "VolumesFilledIn": [3, 4, 9], "SmoothingFWHM": 5.0}
    text = text_of(inputs=facts, sidecars=[sidecar])
    assert "excluded as follows: sub-02 and sub-03 (fell asleep); sub-04 (truncated)." in text
    facts["missing"] = [{"participant": f"sub-{n}", "reason": "no BOLD"} for n in range(33)]
    assert "excluded as follows: 33 participants (no BOLD)." in text_of(inputs=facts)
    assert "3 volumes with motion were replaced" in text and "kernel of 5 mm" in text
    assert "1 run without a T1w image" in text and "N4" not in text
    assert "ceiling" not in text


def test_distortion_is_told_where_it_is_corrected():
    config = planted_study.configuration(preprocessing={"distortion": "syn"})
    assert "Treiber et al., 2016; Wang et al., 2017" in text_of(config=config)
    assert "istortions were estimated" not in text_of()


def test_echoes_are_told_with_how_they_were_combined():
    facts = {"participants": ["01"], "runs": [RUN, {**RUN, "echoes": 3}], "TR": 2.0, "missing": []}
    text = text_of(inputs={**facts, "space": "MNI"})
    assert "The 3 echoes of each run were combined" in text and "DuPre et al." in text
    assert "echoes" not in text_of()


def test_it_follows_the_configuration():
    own = {"arousal": {"file": "a.tsv", "label": "rated arousal", "citation": "Smith et al., 2020"}}
    config = copy.deepcopy(planted_study.configuration(own_features=own))
    config["evaluation"]["surrogates"] = 777
    text = text_of(
        config=config,
        sound_measures=set(),
        directions=["film2bold"],
        spaces=["i3d_flow", "vjepa2", "arousal"],
    )
    assert "Further features were rated arousal (Smith et al., 2020)." in text
    assert "Its sound" not in text and "What was said" not in text
    assert "optical flow" in text and "V-JEPA 2" in text and "777 surrogates" in text
    assert "Griffin-Lim" not in text and "PESQ" not in text
    assert "Nichols & Holmes" in text and "decode the labels of the film's annotations and" in text


def test_each_target_is_named_once():
    text = text_of(directions=["film2bold", "words2bold", "bold2audio"])
    assert (
        "We predicted the BOLD response from the film and from the words of the film and the "
        "film's sound from the BOLD response that followed it, with" in text
    )


def test_it_says_what_a_study_without_film_confounds_and_tables_had():
    config = planted_study.configuration()
    config["own_features"] = {"arousal": {"file": "a.tsv", "label": "rated arousal"}}
    bare = {**SIDECAR, "Confounds": []}
    text = text_of(config=config, sidecars=[bare], spaces=["arousal"], baselines=["ridge"])
    assert "The film was described by rated arousal." in text
    assert "low-level" not in text and "ridge regression on the features" in text
    assert (
        "No confounds were available (nilearn" in text and "slower than 128 s were removed" in text
    )


def test_it_names_no_annotations_and_no_group_where_there_are_none():
    facts = {"participants": ["01"], "runs": [RUN], "TR": 2.0, "space": "MNI", "missing": []}
    none = {"annotated": False, "baselines": ["lowlevel", "ridge"]}
    text = text_of(inputs=facts, **none, spaces=["i3d_rgb"])
    assert "annotations" not in text and "Student" not in text and "Holmes" not in text
    assert "decode which clip of the film was shown" in text
    film_only = {"directions": ["video2audio"], "spaces": ["i3d_rgb"]}
    assert "decode " not in text_of(inputs=facts, **none, **film_only)


def test_ds003688_is_cited():
    text = text_of(dataset={"Name": "x", "DatasetDOI": "doi:10.18112/openneuro.ds003688.v1.0.7"})
    assert "Berezutskaya et al., 2022" in text and "Scientific Data 9:91" in text


def test_the_documentation_lists_all_works():
    listed = (PROJECT / "docs" / "methods.md").read_text().split("## References")[1]
    works = [line.removeprefix("- ") for line in listed.splitlines() if line]
    assert works == [REFERENCES[key] for key in sorted(REFERENCES)]


def test_only_the_measures_that_were_taken_are_named():
    assert "PESQ (Rix et al., 2001), STOI" in text_of()
    without = section(sound_measures={"stoi", "mcd", "mel_r"})
    text = as_markdown(without)
    assert "PESQ" not in text and "Rix" not in text
    assert "evaluated with STOI (Taal et al., 2011) and mel-cepstral distortion" in text
    assert "Reconstructed speech" not in text_of(sound_measures=set())
