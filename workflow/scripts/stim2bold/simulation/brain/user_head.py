"""A head that the user brings: its tissues, and where its places lie in MNI space.

Nothing is known of such a head but its T1w image, so that its brain, tissues and map to MNI space
are estimates (brain extraction, partial volumes by brightness, affine registration), made here for
the simulation alone. The images that are simulated in it agree with them exactly; whether they are
right of the head itself, nobody knows.
"""

import contextlib
import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.processing import resample_to_output
from nilearn.datasets import load_mni152_template
from scipy.cluster.vq import kmeans2
from scipy.ndimage import binary_fill_holes, gaussian_filter, label

from stim2bold.runtime.errors import InputError
from stim2bold.simulation.brain.anatomy import Anatomy, head_grid, lose_signal, t2star_of
from stim2bold.simulation.brain.deformation import Deformation, apply_affine, only_affine
from stim2bold.simulation.brain.grids import grid_points, image_of, sample

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Voxels of this many millimetres are enough to find a brain and lay it on another.
_COARSE = 2.0
# From the vertex to below the cerebellum, in millimetres: the neck would draw the surface of the
# brain, which starts at the centre of mass, downwards.
_HEIGHT = 180.0
_LITRES = (0.8, 2.2)


@dataclass(frozen=True)
class BorrowedHead:
    """A head and what is estimated of it.

    Parameters
    ----------
    t1w : Nifti1Image
        The image as it was given.
    tissue, bias : Nifti1Image
        On its grid: 0 outside the brain, 1 CSF, 2 grey, 3 white matter; factors of brightness.
    flat : ndarray of shape (nx, ny, nz), float32
        Brightness without the bias, white matter having 0.87.
    fractions : dict of str to ndarray of shape (nx, ny, nz), float32
        gm, wm and csf, 0 outside the brain.
    brain : ndarray of shape (nx, ny, nz), bool
        The brain with its fluid.
    deformation : Deformation
        MNI to T1w scanner space: an affine map.
    """

    t1w: nib.Nifti1Image
    tissue: nib.Nifti1Image
    bias: nib.Nifti1Image
    flat: np.ndarray
    fractions: dict[str, np.ndarray]
    brain: np.ndarray
    deformation: Deformation


def read_head(path: str | Path) -> nib.Nifti1Image:
    """Read the T1w image of a head.

    Parameters
    ----------
    path : str or Path
        NIfTI.

    Returns
    -------
    Nifti1Image
        In memory, three-dimensional, as it is in the file.

    Raises
    ------
    InputError
        When it is no such image.
    """
    try:
        image = nib.load(path)
        data = np.asanyarray(image.dataobj)
    except (ImageFileError, OSError, EOFError) as error:
        raise InputError(
            path, f"cannot be read as an image ({error})", "give a whole-head T1w in NIfTI"
        ) from None
    data = data.reshape(data.shape[:3]) if data.shape[3:] == (1,) else data
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
    extent = sizes * np.array(data.shape[:3]) if data.ndim == 3 else np.zeros(3)
    if data.ndim != 3 or (extent < 120).any() or sizes.max() > 4:
        shape, measures = map(str, data.shape), (f"{size:.2g}" for size in sizes)
        raise InputError(
            path,
            f"{' x '.join(shape)} voxels of {' x '.join(measures)} mm are no whole head",
            "give a three-dimensional T1w of the whole head, voxels of at most 4 mm",
        )
    return nib.Nifti1Image(data, image.affine, image.header)


def extract_brain(image: nib.Nifti1Image) -> nib.Nifti1Image:
    """Find the brain by the Brain Extraction Tool's surface (Smith 2002).

    Parameters
    ----------
    image : Nifti1Image
        A whole head, RAS, cubic voxels.

    Returns
    -------
    Nifti1Image
        uint8, 1 in the brain, on the same grid.

    Raises
    ------
    InputError
        When what is found has not the size of a brain.
    """
    # Imported here: it takes seconds that drawn heads need not.
    from brainextractor import BrainExtractor

    data = np.asarray(image.dataobj, dtype=np.float32)
    voxel = float(image.header.get_zooms()[2])
    head = data > 0.15 * np.percentile(data, 98)
    top = np.flatnonzero(head.mean(axis=(0, 1)) > 0.01).max()
    bottom = max(0, int(top - _HEIGHT / voxel))
    with contextlib.redirect_stdout(io.StringIO()):
        extractor = BrainExtractor(img=image.slicer[:, :, bottom:])
        extractor.run()
        found = np.asarray(extractor.compute_mask()) > 0
    mask = np.zeros(data.shape, dtype=bool)
    mask[:, :, bottom:] = found
    parts, _ = label(mask)
    mask = binary_fill_holes(parts == np.bincount(parts.ravel(), weights=mask.ravel()).argmax())
    litres = mask.sum() * voxel**3 / 1e6
    if not _LITRES[0] <= litres <= _LITRES[1]:
        raise InputError(
            "simulation.images.head",
            f"the brain found in it has {litres:.2f} litres",
            "give a T1w image of a whole adult head, its bias field corrected if it is strong",
        )
    return nib.Nifti1Image(mask.astype(np.uint8), image.affine)


def partial_volumes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split voxels between the two tissues whose brightness lies about theirs.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Brightness within a brain, T1w, without bias.

    Returns
    -------
    csf, gm, wm : ndarray of shape (n,)
        Fractions that add up to one. The brightness of the pure tissues are the means of three
        clusters.
    """
    start = np.percentile(values, [5, 40, 85])[:, None]
    centres, _ = kmeans2(values[:, None].astype(float), start, iter=100, minit="matrix")
    dark, middle, bright = np.sort(centres[:, 0])
    # Means of clusters lie inwards of the pure tissues' for what is mixed.
    dark -= 0.25 * (middle - dark)
    bright += 0.1 * (bright - middle)
    wm = np.clip((values - middle) / (bright - middle), 0, 1)
    csf = np.clip((middle - values) / (middle - dark), 0, 1)
    return csf, 1 - csf - wm, wm


def _to_ants(data: np.ndarray, affine: np.ndarray):
    import ants

    matrix = _LPS @ affine
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    return ants.from_numpy(
        np.ascontiguousarray(data, dtype=np.float32),
        origin=matrix[:3, 3].tolist(),
        spacing=spacing.tolist(),
        direction=matrix[:3, :3] / spacing,
    )


def remove_bias(data: np.ndarray, brain: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return the smooth factors of brightness that N4 (Tustison et al. 2010) finds in a brain.

    Parameters
    ----------
    data : ndarray of shape (nx, ny, nz), float32
        T1w.
    brain : ndarray of shape (nx, ny, nz), bool
        Where to look.
    affine : ndarray of shape (4, 4)
        Indices to RAS millimetres.

    Returns
    -------
    ndarray of shape (nx, ny, nz), float32
        Mean 1 over the brain; far from it, as at its edge.
    """
    import ants

    field = ants.n4_bias_field_correction(
        _to_ants(data, affine),
        mask=_to_ants(brain, affine),
        shrink_factor=4,
        # Coils with many elements are uneven over some 10 cm.
        spline_param=100,
        return_bias_field=True,
    ).numpy()
    known = gaussian_filter(brain.astype(np.float32), 10 / np.linalg.norm(affine[:3, 0]))
    spread = gaussian_filter(field * brain, 10 / np.linalg.norm(affine[:3, 0]))
    mean = field[brain].mean()
    field = np.where(brain, field, (spread + 1e-3 * mean) / (known + 1e-3))
    return (field / mean).astype(np.float32)


def register(brain: np.ndarray, affine: np.ndarray, *, seed: int) -> np.ndarray:
    """Find the affine map from the MNI152 template to a brain, by mutual information.

    Parameters
    ----------
    brain : ndarray of shape (nx, ny, nz), float32
        Brightness, 0 outside the brain.
    affine : ndarray of shape (4, 4)
        Its indices to RAS millimetres.
    seed : int
        Of ANTs' sampling.

    Returns
    -------
    ndarray of shape (4, 4)
        MNI points to points of the head, RAS millimetres.
    """
    # Sums over several threads differ from run to run.
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    import ants

    template = load_mni152_template(resolution=2)
    ants.config.set_ants_deterministic(on=True, seed_value=max(seed, 1))
    with tempfile.TemporaryDirectory() as folder:
        found = ants.registration(
            _to_ants(template.get_fdata(dtype=np.float32), template.affine),
            _to_ants(brain, affine),
            type_of_transform="Affine",
            outprefix=f"{folder}/head_",
        )
        transform = ants.read_transform(found["fwdtransforms"][0])
    # Where four points go says all of an affine map, whatever ITK's centre of rotation.
    corners = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.apply_to_point(tuple(point)) for point in corners])
    matrix = np.eye(4)
    matrix[:3, 3] = moved[0]
    matrix[:3, :3] = (moved[1:] - moved[0]).T
    return _LPS @ matrix @ _LPS


def borrow_head(t1w: nib.Nifti1Image, *, seed: int) -> BorrowedHead:
    """Estimate what the simulation needs to know of a head.

    Parameters
    ----------
    t1w : Nifti1Image
        From `read_head`.
    seed : int
        Of the data set.

    Returns
    -------
    BorrowedHead
        The same every time.

    Raises
    ------
    InputError
        When no brain is found in it.
    """
    os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
    data = np.maximum(np.asarray(t1w.dataobj, dtype=np.float32), 0)
    as_float = nib.Nifti1Image(data, t1w.affine)
    # Over the canonical axes, whatever those of the file are.
    coarse = resample_to_output(nib.as_closest_canonical(as_float), (_COARSE,) * 3, order=1)
    mask = extract_brain(coarse)
    small = np.maximum(np.asarray(coarse.dataobj, dtype=np.float32), 0)
    inside = np.asarray(mask.dataobj) > 0
    field = remove_bias(small, inside, coarse.affine)
    to_head = register(small / field * inside, coarse.affine, seed=seed)

    points = grid_points(t1w.affine, t1w.shape)
    brain = sample(inside.astype(np.float32), mask.affine, points).reshape(t1w.shape) > 0.5
    bias = sample(field, coarse.affine, points).reshape(t1w.shape)
    # The margin beyond the coarse grid.
    bias = np.where(bias > 0.05, bias, 1).astype(np.float32)
    flat = data / bias
    csf, gm, wm = partial_volumes(flat[brain])
    white = np.median(flat[brain][wm > 0.9])
    fractions = {}
    for name, part in (("csf", csf), ("gm", gm), ("wm", wm)):
        fractions[name] = np.zeros(t1w.shape, dtype=np.float32)
        fractions[name][brain] = part
    most = np.argmax([fractions[name] for name in ("csf", "gm", "wm")], axis=0)
    return BorrowedHead(
        t1w=t1w,
        tissue=image_of(np.where(brain, 1 + most, 0).astype(np.uint8), t1w.affine),
        bias=image_of(bias, t1w.affine),
        flat=(0.87 * flat / white).astype(np.float32),
        fractions=fractions,
        brain=brain,
        deformation=only_affine(to_head),
    )


def carry_to_mni(head: BorrowedHead, step: float) -> Anatomy:
    """Lay a head on the grid in MNI space on which drawn heads lie.

    Parameters
    ----------
    head : BorrowedHead
        In T1w scanner space.
    step : float
        Millimetres between grid points.

    Returns
    -------
    Anatomy
        Its T2*-weighted brightness follows from its tissues; outside the brain, from its T1w
        brightness.
    """
    affine, shape = head_grid(step)
    places = apply_affine(head.deformation.affine, grid_points(affine, shape))
    voxel = np.linalg.norm(head.t1w.affine[:3, :3], axis=0)

    def carried(volume: np.ndarray) -> np.ndarray:
        # A point of the grid stands for all of its own cube.
        if step > voxel.min():
            volume = gaussian_filter(volume, 0.35 * step / voxel)
        return sample(volume, head.t1w.affine, places).reshape(shape).astype(np.float32)

    brain = carried(head.brain.astype(np.float32))
    t1 = np.clip(carried(head.flat), 0, 1.6)
    parts = {name: carried(part) for name, part in head.fractions.items()}
    # Bone and air are dark in both kinds of image; fat, bright in T1w, is rather dark in T2*.
    outside = 0.28 * np.clip((t1 - 0.06) / 0.4, 0, 1) * (1 - np.clip(brain, 0, 1))
    t2star = lose_signal(t2star_of(**parts) + outside, affine)
    return Anatomy(
        affine=affine, t1=t1, t2star=t2star.astype(np.float32), brain=brain > 0.5, **parts
    )
