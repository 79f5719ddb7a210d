"""What BIDS asks of derivatives."""

import tomllib
from pathlib import Path

from stim2bold.io.files import read_json
from stim2bold.preprocessing import derivatives


def test_version_is_that_of_the_project():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["project"]["version"] == derivatives.VERSION


def test_description_says_who_made_it_and_where_its_sources_lie(tmp_path):
    said = derivatives.description(tmp_path / "results" / "cleaned", [tmp_path / "my data"])
    assert said["DatasetType"] == "derivative" and said["Name"] == "cleaned"
    assert said["GeneratedBy"][0]["Name"] == "stim2bold"
    assert said["DatasetLinks"] == {"my%20data": "../../my%20data"}


def test_sidecar_names_sources_inside_and_outside_the_folder(tmp_path):
    root = tmp_path / "sub-studies" / "derivatives"
    image = root / "sub-01" / "anat" / "sub-01_dseg.nii.gz"
    raw = tmp_path / "my data" / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    # As git-annex keeps it: a link to where no data set is.
    raw.parent.mkdir(parents=True)
    raw.symlink_to(tmp_path / "annex-object")
    derivatives.write_sidecar(
        image,
        root,
        sources=[root / "sub-01" / "anat" / "sub-01_T1w.nii.gz", raw],
        Type="Brain",
    )
    said = read_json(root / "sub-01" / "anat" / "sub-01_dseg.json")
    assert said == {
        "Sources": [
            "bids::sub-01/anat/sub-01_T1w.nii.gz",
            "bids:my%20data:sub-01/anat/sub-01_T1w.nii.gz",
        ],
        "Type": "Brain",
    }
