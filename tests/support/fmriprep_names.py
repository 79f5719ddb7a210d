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
    description = {
        "Name": "fMRIPrep - fMRI PREProcessing workflow",
        "BIDSVersion": "1.4.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "fMRIPrep", "Version": "25.2.7"}],
    }
    (folder / "dataset_description.json").write_text(json.dumps(description))
    return folder
