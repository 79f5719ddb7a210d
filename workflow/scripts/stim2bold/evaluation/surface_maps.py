"""Maps of the volume on the surface of the cortex, fsaverage5, as GIFTI and CIFTI."""

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.cifti2 import BrainModelAxis, Cifti2Image, ScalarAxis
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData
from nilearn import datasets, surface

from stim2bold.io.files import replacing

SPACE = "fsaverage5"
#: Letter of BIDS, side in nilearn and structure in Connectome Workbench of each hemisphere.
HEMISPHERES = {"L": ("left", "CortexLeft"), "R": ("right", "CortexRight")}


def camel(name: str) -> str:
    """Return a name as a BIDS label, which has letters and digits only: vae-group as vaeGroup."""
    first, *others = name.split("-")
    return first + "".join(part.capitalize() for part in others)


def surface_name(unit: str, volume: str, hemisphere: str | None = None) -> str:
    """Return the name of a hemisphere's GIFTI file of a map, or of the CIFTI file of both.

    Parameters
    ----------
    unit : str
        ``sub-XX`` or ``group``.
    volume : str
        ``MODEL_STATISTIC``, as in the name of the NIfTI file.
    hemisphere : {'L', 'R'}, optional
    """
    model, statistic = volume.rsplit("_", 1)
    name = f"space-{SPACE}_stat-{camel(statistic)}_desc-{camel(model)}_statmap"
    if hemisphere is None:
        return f"{unit}_{name}.dscalar.nii"
    return f"{unit}_hemi-{hemisphere}_{name}.func.gii"


def on_surface(image: nib.Nifti1Image, hemisphere: str) -> np.ndarray:
    """Return the mean of a map over the depth of the cortex, at every vertex.

    Ten points from the white to the pial surface are sampled linearly
    (`nilearn.surface.vol_to_surf`). What has no value, 0 or NaN, is left out of the mean instead
    of lowering it.

    Parameters
    ----------
    image : Nifti1Image
        A map of MNI152.
    hemisphere : {'L', 'R'}

    Returns
    -------
    ndarray of shape (10242,), float32
        NaN where less than half of what is sampled has a value.
    """
    side, _ = HEMISPHERES[hemisphere]
    mesh = datasets.fetch_surf_fsaverage(SPACE)
    values = np.asarray(image.dataobj, dtype=np.float32)
    inside = np.isfinite(values) & (values != 0)
    total, share = (
        surface.vol_to_surf(
            nib.Nifti1Image(part.astype(np.float32), image.affine),
            mesh[f"pial_{side}"],
            inner_mesh=mesh[f"white_{side}"],
            interpolation="linear",
        )
        for part in (np.where(inside, values, 0), inside)
    )
    # Points beyond the volume have no value either.
    known = np.nan_to_num(share) >= 0.5
    return np.divide(total, share, out=np.full(total.shape, np.nan), where=known).astype(np.float32)


def write_gifti(path: str | Path, values: np.ndarray, *, hemisphere: str, name: str) -> None:
    """Write the values of one hemisphere's vertices, so that Connectome Workbench knows the side.

    Parameters
    ----------
    path : str or Path
        Ends in ``.func.gii``.
    values : ndarray of shape (n_vertices,)
    hemisphere : {'L', 'R'}
    name : str
        What the values are, for a viewer's list of maps.
    """
    _, structure = HEMISPHERES[hemisphere]
    array = GiftiDataArray(
        np.asarray(values, dtype=np.float32),
        intent="NIFTI_INTENT_NONE",
        datatype="NIFTI_TYPE_FLOAT32",
        encoding="GIFTI_ENCODING_B64GZ",
        meta=GiftiMetaData({"Name": name}),
    )
    meta = GiftiMetaData({"AnatomicalStructurePrimary": structure})
    with replacing(path) as temporary:
        temporary.write_bytes(GiftiImage(meta=meta, darrays=[array]).to_bytes())


def write_dscalar(path: str | Path, values: dict[str, np.ndarray], *, name: str) -> None:
    """Write the values of both hemispheres' vertices as one CIFTI file of dense scalars.

    Parameters
    ----------
    path : str or Path
        Ends in ``.dscalar.nii``.
    values : dict of str to ndarray of shape (n_vertices,)
        Of L and R.
    name : str
        What the values are, for a viewer's list of maps.
    """
    left, right = (
        BrainModelAxis.from_surface(np.arange(len(part)), len(part), HEMISPHERES[side][1])
        for side, part in values.items()
    )
    row = np.concatenate(list(values.values())).astype(np.float32)[None]
    image = Cifti2Image(row, header=(ScalarAxis([name]), left + right))
    image.nifti_header.set_intent("ConnDenseScalar")
    with replacing(path) as temporary:
        image.to_filename(temporary)
