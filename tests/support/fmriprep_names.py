"""Our own preprocessed images under the names that fMRIPrep 25 gives to its."""

import json
import shutil
from pathlib import Path

OURS, THEIRS = "_space-MNI152NLin2009aSym_", "_space-MNI152NLin2009cAsym_res-2_"


def rename_as_fmriprep(preprocessed: Path, folder: Path) -> Path:
    """Copy series, masks, references and confounds of a folder `preprocessed` to `folder`."""
    for path in sorted(preprocessed.glob("sub-*/**/func/*")):
        kept = OURS in path.name or "_desc-confounds_timeseries" in path.name
        if kept and path.is_file():
            copy = folder / path.relative_to(preprocessed).parent / path.name.replace(OURS, THEIRS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    describe(folder)
    return folder


def keep_fits(preprocessed: Path, folder: Path) -> Path:
    """Copy what `fmriprep --level minimal` writes too of a folder `preprocessed` to `folder`."""
    ours, theirs = OURS.strip("_").removeprefix("space-"), "MNI152NLin2009cAsym"
    for path in sorted(preprocessed.glob("sub-*/**/*.*")):
        in_place = path.parent.name in ("anat", "func")
        if in_place and "_space-" not in path.name and "_desc-confounds" not in path.name:
            copy = folder / path.relative_to(preprocessed).parent / path.name.replace(ours, theirs)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    describe(folder)
    return folder


def describe(folder: Path) -> None:
    """Write the description of a folder of fMRIPrep's."""
    description = {
        "Name": "fMRIPrep - fMRI PREProcessing workflow",
        "BIDSVersion": "1.4.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "fMRIPrep", "Version": "25.2.7"}],
    }
    (folder / "dataset_description.json").write_text(json.dumps(description))
