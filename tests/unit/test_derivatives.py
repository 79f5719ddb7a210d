"""What BIDS asks of derivatives."""

import tomllib
from pathlib import Path

from stim2bold import derivatives
from stim2bold.files import read_json


def test_version_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == derivatives.VERSION


def test_description_names_who_made_it():
    said = derivatives.description("Preprocessed")
    assert said["DatasetType"] == "derivative"
    assert said["GeneratedBy"][0]["Name"] == "stim2bold"


def test_sidecar_names_sources_inside_and_outside_the_folder(tmp_path):
    root = tmp_path / "derivatives"
    image = root / "sub-01" / "anat" / "sub-01_dseg.nii.gz"
    derivatives.write_sidecar(
        image,
        root,
        sources=[root / "sub-01" / "anat" / "sub-01_T1w.nii.gz", tmp_path / "raw" / "x.nii.gz"],
        Type="Brain",
    )
    said = read_json(root / "sub-01" / "anat" / "sub-01_dseg.json")
    assert said == {
        "Sources": ["bids::sub-01/anat/sub-01_T1w.nii.gz", "bids:raw:x.nii.gz"],
        "Type": "Brain",
    }
