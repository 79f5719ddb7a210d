"""What BIDS asks of derivatives beside the images: description, sidecars."""

import os
from pathlib import Path
from urllib.parse import quote

from stim2bold.io.files import write_json

BIDS_VERSION = "1.10.0"
NAME = "stim2bold"
VERSION = "0.2.0"
# What has no name in BIDS yet; fMRIPrep has the validator pass over the same.
IGNORED = "\n".join(
    ("figures", "**/figures/**", "**/*_xfm.*", "**/*_boldref.*", "**/*_timeseries.*", "")
)
README = """{name}: images derived by stim2bold.

Names are those of BIDS derivatives and of fMRIPrep; each image has a JSON sidecar that says what it
was made from. Transforms (*_xfm.*) map points from the space they bring images to; ITK's files.
"""


def description(folder: str | Path, sources: list) -> dict:
    """Return ``dataset_description.json`` of a folder of derivatives.

    Parameters
    ----------
    folder : str or Path
        The data set; its name is the folder's.
    sources : list of path
        The data sets it was made from.
    """
    folder = Path(folder)
    return {
        "Name": folder.name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": NAME, "Version": VERSION}],
        "DatasetLinks": {
            quote(Path(os.path.abspath(source)).name): quote(os.path.relpath(source, folder))
            for source in sources
        },
    }


def uri(path: str | Path, root: str | Path) -> str:
    """Return the BIDS URI of a file of a data set, seen from the data set `root`.

    A file of another data set is named by that data set's folder, which ``DatasetLinks`` of the
    description resolves. Images lie below ``sub-<label>``; what is above it is the data set.
    """
    # Links are not followed: those of git-annex lead out of the data set.
    parts = Path(os.path.abspath(path)).parts
    first = max(i for i, part in enumerate(parts[:-1]) if part.startswith("sub-"))
    dataset = Path(*parts[:first])
    name = "" if dataset == Path(os.path.abspath(root)) else quote(dataset.name)
    return f"bids:{name}:{quote('/'.join(parts[first:]))}"


def write_sidecar(image: str | Path, root: str | Path, *, sources: list, **said) -> None:
    """Write the JSON sidecar of a derivative.

    Parameters
    ----------
    image : str or Path
        The file it describes.
    root : str or Path
        Folder of the derivatives.
    sources : list of path
        Files it was made from.
    **said
        What else the sidecar says.
    """
    image = Path(image)
    path = image.with_name(image.name.split(".", 1)[0] + ".json")
    write_json(path, {"Sources": [uri(source, root) for source in sources], **said})
