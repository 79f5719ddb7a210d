"""The simulated data set on disk: BIDS files in the shape of ds003688, and the truth beside them.

Truth of participant XX, in the folder given (`docs/simulation.md` says how to use it):

sub-XX_motion.tsv
    Six columns a volume, millimetres and radians; convention in `head_motion`.
sub-XX_spaces.json
    ``bold_to_t1w`` (4 x 4): a point of BOLD scanner space during volume 0 to T1w scanner space;
    ``mni_affine`` (4 x 4): the affine part A of MNI to T1w space; ``strength``.
sub-XX_deformation.nc
    ``to_t1w`` (i, j, k, axis): the T1w scanner point of every point of a 4 mm MNI grid; ``to_mni``
    (x, y, z, axis): the MNI point of every point of a 4 mm grid in T1w scanner space. Coordinates
    hold the millimetres along each axis of the grids.
sub-XX_signal.nc
    ``signal`` (time, voxel): planted signal without noise, per cent; ``weight`` (voxel, component);
    coordinates i, j, k (indices of the 4 mm MNI grid, attribute ``affine``), x, y, z (mm), kind,
    ceiling, time.
sub-XX_space-MNI_regions.nii.gz
    1 visual, 2 auditory, 3 language; -1 brain where surely nothing is planted; else 0.
sub-XX_space-T1w_dseg.nii.gz, sub-XX_space-T1w_bias.nii.gz
    0 no brain, 1 CSF, 2 grey, 3 white matter; factor of the coils.
"""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.io.arrays import write_array
from stim2bold.io.files import replacing, write_json, write_table
from stim2bold.simulation.brain.deformation import apply_affine
from stim2bold.simulation.brain.grids import grid_points
from stim2bold.simulation.brain.image_settings import ImageSettings
from stim2bold.simulation.brain.participant import Participant
from stim2bold.simulation.brain.planted_signal import AFFINE, SHAPE
from stim2bold.simulation.film.settings import FilmSettings

SESSION = "ses-mri3t"
_SCANNER = {
    "InstitutionName": "Simulated",
    "MagneticFieldStrength": 3.0,
    "Manufacturer": "stim2bold",
    "ManufacturersModelName": "simulate_participant",
    "ReceiveCoilName": "MULTI COIL",
    "MRAcquisitionType": "3D",
}


def read_settings(section: dict[str, Any]) -> tuple[FilmSettings, ImageSettings]:
    """Read the configuration's section `simulation`, with the seed added.

    Parameters
    ----------
    section : dict
        Keys of `FilmSettings`, and ``images`` with the keys of `ImageSettings`.

    Returns
    -------
    film : FilmSettings
        Length and seed.
    images : ImageSettings
        Everything about participants.
    """
    keys = FilmSettings.__dataclass_fields__
    return FilmSettings(**{key: section[key] for key in keys}), ImageSettings(**section["images"])


def events(film: FilmSettings) -> pd.DataFrame:
    """Tabulate the blocks; the last ends with the scan.

    Parameters
    ----------
    film : FilmSettings
        Its blocks and TR.

    Returns
    -------
    DataFrame
        onset, duration (text with three decimals, as in ds003688) and trial_type.
    """
    rows = []
    end = film.n_volumes * film.TR
    for number in range(film.n_blocks):
        onset = number * film.block_seconds
        duration = min(onset + film.block_seconds, end) - onset
        kind = "speech" if number % 2 else "music"
        if duration > 0:
            rows.append((f"{onset:.3f}", f"{duration:.3f}", kind))
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])


def write_participant(
    participant: Participant, label: str, *, film: FilmSettings, bids: Path, truth: Path
) -> None:
    """Write a participant.

    Parameters
    ----------
    participant : Participant
        Images and truth.
    label : str
        Such as 01.
    film : FilmSettings
        For the events and the times.
    bids, truth : Path
        Root of the data set, folder of the truth.
    """
    folder = bids / f"sub-{label}" / SESSION
    name = f"sub-{label}_{SESSION}"
    anat = folder / "anat" / f"{name}_run-1_T1w"
    func = folder / "func" / f"{name}_task-film_run-1"
    _write_image(anat.with_name(anat.name + ".nii.gz"), participant.t1w)
    write_json(
        anat.with_name(anat.name + ".json"),
        {
            **_SCANNER,
            "SliceEncodingDirection": "k",
            "EchoTime": 0.0038,
            "FlipAngle": 8.0,
            "Sequence": "3T T1w",
            "ScanningSequence": "GR",
            "SequenceVariant": "MP",
        },
    )
    _write_image(func.with_name(func.name + "_bold.nii.gz"), participant.bold)
    write_json(
        func.with_name(func.name + "_bold.json"),
        {
            **_SCANNER,
            "PhaseEncodingDirection": "j",
            "SliceEncodingDirection": "i",
            "EchoTime": 0.031221,
            "FlipAngle": 10.0,
            "Sequence": "3T PRESTO",
            "RepetitionTime": film.TR,
            "TaskName": "film",
            "TaskDescription": "watching a simulated movie alternating speech and music",
            "RepetitionTimeExcitation": 0.02,
            "ScanningSequence": "GR",
            "SequenceVariant": "SP",
            "ParallelReductionFactorInPlane": 1.8,
            "ParallelAcquisitionTechnique": "SENSE",
        },
    )
    write_table(func.with_name(func.name + "_events.tsv"), events(film))
    _write_truth(participant, f"sub-{label}", film=film, truth=truth)


def _write_image(path: Path, image: nib.Nifti1Image) -> None:
    with replacing(path) as temporary:
        nib.save(image, temporary)


def _write_truth(participant: Participant, name: str, *, film: FilmSettings, truth: Path) -> None:
    write_table(truth / f"{name}_motion.tsv", participant.motion.round(8))
    write_json(
        truth / f"{name}_spaces.json",
        {
            "bold_to_t1w": participant.bold_to_t1w.tolist(),
            "mni_affine": participant.deformation.affine.tolist(),
            "strength": participant.strength,
        },
    )
    for kind, image in (
        ("space-MNI_regions", participant.regions),
        ("space-T1w_dseg", participant.tissue),
        ("space-T1w_bias", participant.bias),
    ):
        _write_image(truth / f"{name}_{kind}.nii.gz", image)
    write_array(truth / f"{name}_deformation.nc", _deformation(participant))
    times = (np.arange(film.n_volumes) + 0.5) * film.TR
    voxels = participant.voxels
    coords = {column: ("voxel", voxels[column].to_numpy()) for column in voxels.columns}
    coords["kind"] = ("voxel", voxels["kind"].to_numpy(dtype=object))
    signal = xr.Dataset(
        {
            "signal": (("time", "voxel"), participant.signal, {"units": "percent"}),
            "weight": (("voxel", "component"), participant.weights, {"units": "percent"}),
        },
        coords={**coords, "time": ("time", times, {"units": "s"})},
        attrs={
            "affine": AFFINE.reshape(-1),
            "shape": np.array(SHAPE),
            "space": "MNI152NLin2009aSym",
            "source": "simulate_participant",
        },
    )
    write_array(truth / f"{name}_signal.nc", signal)


def _deformation(participant: Participant) -> xr.Dataset:
    t1w = participant.t1w
    step = 4.0
    # The box along the axes of space that holds the image, however it lies.
    corners = apply_affine(t1w.affine, np.indices((2, 2, 2)).reshape(3, -1).T * t1w.shape)
    low = corners.min(axis=0)
    extent = corners.max(axis=0) - low
    shape = tuple(int(np.ceil(length / step)) + 1 for length in extent)
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = low
    deformation = participant.deformation
    to_t1w = deformation.to_t1w(grid_points(AFFINE, SHAPE)).reshape(*SHAPE, 3)
    to_mni = deformation.to_mni(grid_points(affine, shape)).reshape(*shape, 3)
    axes = {
        name: (name, grid[axis, 3] + step * np.arange(length))
        for grid, lengths, names in ((AFFINE, SHAPE, "ijk"), (affine, shape, "xyz"))
        for axis, (name, length) in enumerate(zip(names, lengths, strict=True))
    }
    return xr.Dataset(
        {
            "to_t1w": (("i", "j", "k", "axis"), to_t1w.astype(np.float32), {"units": "mm"}),
            "to_mni": (("x", "y", "z", "axis"), to_mni.astype(np.float32), {"units": "mm"}),
        },
        coords={**axes, "axis": ("axis", np.array(["x", "y", "z"], dtype=object))},
        attrs={"source": "simulate_participant"},
    )
