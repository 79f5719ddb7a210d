"""The T1w image: cubic voxels, no bias field, brain, tissues."""

import logging
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from scipy import ndimage

from stim2bold.preprocessing.brain_extraction import (
    SurfaceSettings,
    brain_surface,
    inside_surface,
    within_reach,
)
from stim2bold.preprocessing.registration import deterministic, template, to_ants, without_leftovers
from stim2bold.preprocessing.resampling import sample
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)

# fMRIPrep's labels in *_dseg.nii.gz.
LABELS = {"GM": 1, "WM": 2, "CSF": 3}
# Percent of the voxels that may be darker than air.
DARKEST = 0.1
# Litres. Adult brains with their fluid lie between 0.9 and 2.0.
BRAIN_VOLUME = (0.6, 2.5)
# The vertex to below the cerebellum, mm.
HEAD_HEIGHT = 180
# How much the template's priors count against brightness, and the least each tissue has.
PRIOR_WEIGHT = 0.25
LEAST_PRIOR = 0.02


@dataclass(frozen=True, kw_only=True)
class AnatomySettings:
    """How a T1w image is prepared.

    Attributes
    ----------
    bias_shrink : int
        N4 estimates the bias field on a grid so many times coarser.
    brain_threshold : float
        Fractional intensity threshold of brain extraction; smaller gives larger brains.
    """

    bias_shrink: int
    brain_threshold: float


def without_offset(image: nib.Nifti1Image) -> nib.Nifti1Image:
    """Shift an image's brightness so that air is 0, and cut off what lies below.

    Thresholds, the logarithm in N4 and the edge of the brain's surface all take air for 0. Images
    whose air lies elsewhere, such as ratios from -0.5 to 0.5, are the same image after this.

    Parameters
    ----------
    image : Nifti1Image
        3D.
    """
    data = np.asarray(image.dataobj, dtype=np.float32)
    # Not the minimum: ringing leaves single voxels below air.
    darkest = np.float32(np.percentile(data, DARKEST))
    if darkest != 0:
        log.info("air lies at %g and is brought to 0", darkest)
    return nib.Nifti1Image(np.maximum(data - darkest, 0), image.affine)


def conform(image: nib.Nifti1Image) -> nib.Nifti1Image:
    """Give an image cubic voxels; one that has them is returned as it is.

    Parameters
    ----------
    image : Nifti1Image
        3D, RAS+.

    Returns
    -------
    Nifti1Image
        On the image's own axes, voxels as large as its smallest side.
    """
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
    if np.allclose(sizes, sizes.min(), rtol=0.01):
        return image
    step = sizes.min() / sizes
    shape = np.maximum(1, np.round(image.shape / step)).astype(int)
    # The outer corner of the first voxel stays where it is.
    scale = np.diag([*step, 1.0])
    scale[:3, 3] = (step - 1) / 2
    data = ndimage.affine_transform(
        np.asarray(image.dataobj, dtype=np.float32),
        np.diag(step),
        offset=scale[:3, 3],
        output_shape=tuple(shape),
        order=3,
        mode="nearest",
    )
    log.info("voxels of %s mm resampled to cubes of %.2f mm", np.round(sizes, 3), sizes.min())
    return nib.Nifti1Image(np.maximum(data, 0), image.affine @ scale)


def correct_bias(image: nib.Nifti1Image, mask: np.ndarray, shrink: int) -> nib.Nifti1Image:
    """Divide out the bias field that N4 finds inside a mask (Tustison et al. 2010).

    Parameters
    ----------
    image : Nifti1Image
        3D.
    mask : ndarray of shape (x, y, z), bool
        Voxels that tell the field.
    shrink : int
        The field is found on a grid so many times coarser.
    """
    import ants

    deterministic()
    field = ants.n4_bias_field_correction(
        to_ants(image),
        mask=to_ants(nib.Nifti1Image(mask.astype(np.float32), image.affine)),
        shrink_factor=shrink,
        return_bias_field=True,
    ).numpy()
    # Splines run off outside of the mask: there, the value of its nearest voxel.
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    field = field[tuple(nearest)]
    data = np.asarray(image.dataobj, dtype=np.float32) / np.maximum(field, 1e-3)
    return nib.Nifti1Image(data.astype(np.float32), image.affine)


def largest_part(mask: np.ndarray) -> np.ndarray:
    """Keep the largest connected part of a mask and fill its holes."""
    parts, n_parts = ndimage.label(mask)
    if n_parts == 0:
        return np.zeros(mask.shape, dtype=bool)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return ndimage.binary_fill_holes(parts == sizes.argmax())


def head_mask(data: np.ndarray) -> np.ndarray:
    """Separate a head from the air around it by Otsu's threshold, taken generously."""
    capped = np.minimum(data, np.percentile(data, 99))
    counts, edges = np.histogram(capped, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts)[:-1], np.cumsum(counts[::-1])[-2::-1]
    sums = np.cumsum(counts * middles)
    between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    return largest_part(capped > 0.5 * middles[np.argmax(between)])


def extract_brain(image: nib.Nifti1Image, threshold: float) -> np.ndarray:
    """Find the brain in a T1w image by the Brain Extraction Tool's surface (Smith 2002).

    Parameters
    ----------
    image : Nifti1Image
        Whole head, RAS+, cubic voxels.
    threshold : float
        Fractional intensity threshold.

    Returns
    -------
    ndarray of shape (x, y, z), bool
        Brain with the fluid inside its surface.

    Raises
    ------
    InputError
        When what is found cannot be a brain.
    """
    data = np.asarray(image.dataobj, dtype=np.float32)
    voxel = float(np.linalg.norm(image.affine[:3, 0]))
    # The surface starts at the centre of mass: below the brain when neck and shoulders are in.
    top = np.flatnonzero(head_mask(data).any(axis=(0, 1))).max()
    bottom = max(0, int(top - HEAD_HEIGHT / voxel))
    part = data[:, :, bottom:]
    vertices, faces = brain_surface(part, voxel, SurfaceSettings(threshold=threshold))
    if not within_reach(vertices, part.shape):
        raise InputError(
            "the T1w image",
            "the surface of the brain runs out of the image, so that no brain is found in it",
            "look at the image, and try another preprocessing.brain_threshold",
        )
    mask = np.zeros(data.shape, dtype=bool)
    mask[:, :, bottom:] = inside_surface(vertices, faces, part.shape)
    mask = largest_part(mask)
    litres = mask.sum() * voxel**3 / 1e6
    log.info("brain: %.2f litres", litres)
    if not BRAIN_VOLUME[0] <= litres <= BRAIN_VOLUME[1]:
        raise InputError(
            "the T1w image",
            f"the brain found in it has {litres:.2f} litres",
            "look at the image, and try another preprocessing.brain_threshold",
        )
    return mask


def segment(
    image: nib.Nifti1Image, brain: np.ndarray, template_points: np.ndarray
) -> dict[str, np.ndarray]:
    """Split a brain into tissues by Atropos (Avants et al. 2011) with the template's priors.

    Parameters
    ----------
    image : Nifti1Image
        T1w without its bias field.
    brain : ndarray of shape (x, y, z), bool
        Where to look.
    template_points : ndarray of shape (3, x, y, z)
        Where each voxel lies in the template.

    Returns
    -------
    dict of str to (x, y, z) float32 array
        Probabilities of GM, WM and CSF; they sum to 1 inside the brain.
    """
    import ants

    deterministic()
    priors = {name: sample(template(name, 1), template_points) for name in ("GM", "WM")}
    # What of the brain is neither is fluid; no tissue is impossible anywhere.
    priors["CSF"] = np.clip(1 - priors["GM"] - priors["WM"], 0, 1)
    total = sum(priors.values()) + 3 * LEAST_PRIOR
    with without_leftovers():
        found = ants.atropos(
            a=to_ants(image),
            i=[
                to_ants(
                    nib.Nifti1Image(
                        (brain * (priors[name] + LEAST_PRIOR) / total).astype(np.float32),
                        image.affine,
                    )
                )
                for name in ("CSF", "GM", "WM")
            ],
            x=to_ants(nib.Nifti1Image(brain.astype(np.float32), image.affine)),
            priorweight=PRIOR_WEIGHT,
            # Markov field over the nearest voxels; iterations.
            m="[0.1,1x1x1]",
            c="[5,0]",
            # The voxels' order is drawn: by the same seed, not by the time of day.
            r="0",
        )
    csf, gm, wm = (part.numpy().astype(np.float32) for part in found["probabilityimages"])
    return {"GM": gm, "WM": wm, "CSF": csf}


def labels(tissues: dict[str, np.ndarray], brain: np.ndarray) -> np.ndarray:
    """Return the most probable tissue of every voxel, by fMRIPrep's numbers; 0 outside."""
    names = list(LABELS)
    most = np.argmax([tissues[name] for name in names], axis=0)
    numbers = np.array([LABELS[name] for name in names], dtype=np.uint8)
    return np.where(brain, numbers[most], 0).astype(np.uint8)


def prepare_anatomy(
    image: nib.Nifti1Image, settings: AnatomySettings
) -> tuple[nib.Nifti1Image, np.ndarray]:
    """Prepare a T1w image: cubic voxels, bias field, brain.

    Parameters
    ----------
    image : Nifti1Image
        3D, RAS+, whole head.
    settings : AnatomySettings
        Thresholds.

    Returns
    -------
    t1w : Nifti1Image
        Without its bias field, skull included.
    brain : ndarray of shape (x, y, z), bool
        Brain mask.
    """
    conformed = conform(without_offset(image))
    data = np.asarray(conformed.dataobj, dtype=np.float32)
    flat = correct_bias(conformed, head_mask(data), settings.bias_shrink)
    brain = extract_brain(flat, settings.brain_threshold)
    # The field found over the whole head follows the bright scalp: once more in the brain alone.
    return correct_bias(flat, brain, settings.bias_shrink), brain
