"""Data sets in the shape of ds003688, of any size: names, sidecars and events, no images."""

from pathlib import Path

EVENTS = "onset\tduration\ttrial_type\n" + "".join(
    f"{30 * block}\t30\t{('music', 'speech')[block % 2]}\n" for block in range(13)
)


def write_skeleton(root: Path, *, participants: int) -> None:
    """Write what a plan reads of a data set; an image is one byte.

    Parameters
    ----------
    root : Path
        The folder to make.
    participants : int
        Each has one run of the film and one T1w image.
    """
    root.mkdir(parents=True)
    (root / "dataset_description.json").write_text('{"Name": "none", "BIDSVersion": "1.10.0"}')
    for number in range(1, participants + 1):
        label = f"sub-{number:04d}_ses-mri3t"
        folder = root / f"sub-{number:04d}" / "ses-mri3t"
        run = folder / "func" / f"{label}_task-film_run-1"
        anat = folder / "anat" / f"{label}_run-1_T1w"
        for path in (run, anat):
            path.parent.mkdir(parents=True)
        Path(f"{run}_bold.nii.gz").write_bytes(b"-")
        Path(f"{run}_bold.json").write_text('{"RepetitionTime": 0.608, "TaskName": "film"}')
        Path(f"{run}_events.tsv").write_text(EVENTS)
        Path(f"{anat}.nii.gz").write_bytes(b"-")
