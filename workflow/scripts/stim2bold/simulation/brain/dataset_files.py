"""What the simulated data set says of itself at its root."""

from pathlib import Path

import numpy as np
import pandas as pd

from stim2bold.io.files import replacing, write_json, write_table


def write_dataset(bids: Path, *, n_participants: int, seed: int) -> None:
    """Write the files at the root of the data set.

    Parameters
    ----------
    bids : Path
        Root of the data set.
    n_participants : int
        Participants in it.
    seed : int
        Of the data set.
    """
    write_json(
        bids / "dataset_description.json",
        {
            "Name": "Simulated participants watching a film (stim2bold)",
            "BIDSVersion": "1.10.0",
            "DatasetType": "raw",
            "License": "CC0",
            "Authors": ["stim2bold"],
            "GeneratedBy": [{"Name": "stim2bold", "Description": f"simulation, seed {seed}"}],
        },
    )
    rows = []
    for number in range(1, n_participants + 1):
        rng = np.random.default_rng([seed, number, 50])
        rows.append(
            {
                "participant_id": f"sub-{number:02d}",
                "sex": str(rng.choice(["F", "M"])),
                "age": int(rng.integers(19, 60)),
                "handedness": "R",
                "fMRI": "yes",
            }
        )
    write_table(bids / "participants.tsv", pd.DataFrame(rows))
    write_json(
        bids / "participants.json",
        {
            "sex": {"Description": "Simulated", "Levels": {"F": "female", "M": "male"}},
            "age": {"Description": "Simulated age", "Units": "years"},
            "handedness": {"Description": "Simulated", "Levels": {"R": "right"}},
            "fMRI": {"Description": "Whether there is a BOLD run", "Levels": {"yes": "yes"}},
        },
    )
    text = (
        "Nobody lay in a scanner for this data set: its images were simulated by\n"
        "stim2bold. It has the shape of OpenNeuro ds003688. What is true of it lies outside this\n"
        "folder and is read by no analysis.\n"
    )
    with replacing(bids / "README") as temporary:
        temporary.write_text(text, encoding="utf-8")
