"""Transforms between spaces: estimating them with ANTs, keeping them as ITK files, applying them.

A transform is a map of *points*: it takes a point of the space an image is brought to and says
where in the space the image comes from its value is found. Matrices here act on world points in
RAS+ millimetres; ITK's files hold the same maps in LPS+.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.itk_affines import LPS, from_itk

if TYPE_CHECKING:
    import ants

# One thread whatever the machine: ITK adds up its metrics thread by thread, so that a registration
# with two threads differs from one with a single thread in the third digit. Read when ANTs is
# imported, which takes 2 s and so is left to the functions that use it.
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"

SPACE = "MNI152NLin2009aSym"


@dataclass(frozen=True, kw_only=True)
class NormaliseSettings:
    """How a brain is brought to the template.

    Attributes
    ----------
    voxel : int
        Voxel size in mm at which the registration works.
    affine_iterations, syn_iterations : tuple of int
        At each resolution, coarse to fine.
    """

    voxel: int
    affine_iterations: tuple[int, ...]
    syn_iterations: tuple[int, ...]


def to_ants(image: nib.Nifti1Image) -> "ants.ANTsImage":
    """Turn a 3D image into one of ANTs, by nibabel's affine."""
    import ants

    matrix = LPS @ image.affine
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    return ants.from_numpy(
        np.asarray(image.dataobj, dtype=np.float32),
        origin=matrix[:3, 3].tolist(),
        spacing=spacing.tolist(),
        direction=matrix[:3, :3] / spacing,
    )


def from_ants(image: "ants.ANTsImage") -> nib.Nifti1Image:
    """Turn an image of ANTs into one of nibabel."""
    matrix = np.eye(4)
    matrix[:3, :3] = image.direction * image.spacing
    matrix[:3, 3] = image.origin
    return nib.Nifti1Image(image.numpy(), LPS @ matrix)


@contextmanager
def without_leftovers() -> Iterator[None]:
    """Remove the temporary files that ANTs makes and leaves, such as those of Atropos."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def deterministic() -> None:
    """Make the next call of ANTs repeatable: the same image is preprocessed in one way only."""
    import ants

    ants.config.set_ants_deterministic(on=True, seed_value=1)


def template(part: str, voxel: int) -> nib.Nifti1Image:
    """Return the MNI152 template (symmetric, 2009a) that comes with nilearn, brain only.

    Parameters
    ----------
    part : {'T1w', 'GM', 'WM', 'mask'}
        What of it.
    voxel : int
        Voxel size in mm.
    """
    # A second, which the steps that only apply transforms need not wait for.
    from nilearn import datasets

    load = {
        "T1w": datasets.load_mni152_template,
        "GM": datasets.load_mni152_gm_template,
        "WM": datasets.load_mni152_wm_template,
        "mask": datasets.load_mni152_brain_mask,
    }[part]
    image = load(resolution=voxel)
    return nib.Nifti1Image(np.asarray(image.dataobj, dtype=np.float32), image.affine)


def grid_around(image: nib.Nifti1Image, voxel: tuple[float, ...]) -> nib.Nifti1Image:
    """Return an empty grid over the field of view of a RAS+ image with its own axes.

    Parameters
    ----------
    image : Nifti1Image
        Whose field of view and axes are kept.
    voxel : (3,) floats
        Voxel sizes of the grid, mm.

    Returns
    -------
    Nifti1Image
        Zeros. A template's grid has a voxel centred on the world's origin.
    """
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
    axes = image.affine[:3, :3] / sizes
    voxel = np.asarray(voxel, dtype=float)
    # In the image's own axes, from the world's origin, in units of the new voxels.
    low = axes.T @ image.affine[:3, 3] - sizes / 2
    first = np.ceil((low + voxel / 2) / voxel - 1e-6)
    last = np.floor((low + sizes * image.shape[:3] - voxel / 2) / voxel + 1e-6)
    affine = np.eye(4)
    affine[:3, :3] = axes * voxel
    affine[:3, 3] = axes @ (first * voxel)
    return nib.Nifti1Image(np.zeros((last - first + 1).astype(int), np.uint8), affine)


def normalise(
    brain: nib.Nifti1Image, target: nib.Nifti1Image, folder: Path, settings: NormaliseSettings
) -> tuple[Path, Path]:
    """Estimate the rigid, affine and SyN transform from a brain to a template.

    Parameters
    ----------
    brain : Nifti1Image
        Skull-stripped, as the template is: a whole head on a brain fails silently.
    target : Nifti1Image
        The template's brain.
    folder : Path
        Where ANTs may write.
    settings : NormaliseSettings
        Resolution and iterations.

    Returns
    -------
    forward, inverse : Path
        ITK composite transforms (HDF5) for images from `brain` to `target`, and back.
    """
    import ants

    deterministic()
    found = ants.registration(
        to_ants(target),
        to_ants(brain),
        type_of_transform="SyN",
        aff_iterations=settings.affine_iterations,
        reg_iterations=settings.syn_iterations,
        # Local correlation in cubes of 5 voxels: half the error of mutual information here.
        syn_metric="CC",
        syn_sampling=2,
        write_composite_transform=True,
        outprefix=f"{folder}/normalise_",
    )
    return Path(found["fwdtransforms"]), Path(found["invtransforms"])


def align_rigid(bold: nib.Nifti1Image, t1w: nib.Nifti1Image) -> np.ndarray:
    """Estimate the rigid transform that brings a BOLD brain onto a T1w by mutual information.

    Parameters
    ----------
    bold, t1w : Nifti1Image
        Skull-stripped volumes.

    Returns
    -------
    ndarray of shape (4, 4)
        World points of the T1w to world points of the BOLD.
    """
    import ants

    deterministic()
    with tempfile.TemporaryDirectory() as folder:
        # On the grid of the BOLD, with every voxel of it: a hundredth of the T1w's voxels, and
        # each counts. Estimated from BOLD to T1w, which a rigid transform allows.
        found = ants.registration(
            to_ants(bold),
            to_ants(t1w),
            type_of_transform="Rigid",
            aff_metric="mattes",
            aff_random_sampling_rate=1.0,
            aff_iterations=(500, 250, 100),
            aff_shrink_factors=(3, 2, 1),
            aff_smoothing_sigmas=(2, 1, 0),
            outprefix=f"{folder}/rigid_",
        )
        return np.linalg.inv(matrix_of(ants.read_transform(found["fwdtransforms"][0])))


def matrix_of(transform: "ants.ANTsTransform") -> np.ndarray:
    """Return a linear transform of ITK as a 4x4 matrix on RAS+ points."""
    return from_itk(np.asarray(transform.parameters), np.asarray(transform.fixed_parameters))
