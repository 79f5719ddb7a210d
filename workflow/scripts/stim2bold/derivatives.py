"""What BIDS asks of derivatives beside the images: description, sidecars."""

from pathlib import Path

from stim2bold.errors import InputError
from stim2bold.files import read_json, write_json

BIDS_VERSION = "1.10.0"
NAME = "stim2bold"
VERSION = "0.1.0"
# What has no name in BIDS yet; fMRIPrep has the validator pass over the same.
IGNORED = "\n".join(
    ("figures", "**/figures/**", "**/*_xfm.*", "**/*_boldref.*", "**/*_timeseries.*", "")
)
README = """{name}: images derived by stim2bold.

Names are those of BIDS derivatives and of fMRIPrep; each image has a JSON sidecar that says what it
was made from. Transforms (*_xfm.*) map points from the space they bring images to; ITK's files.
"""


def description(name: str) -> dict:
    """Return ``dataset_description.json`` of a folder of derivatives called `name`."""
    return {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": NAME, "Version": VERSION}],
    }


def relative(path: str | Path, root: str | Path) -> str:
    """Return a BIDS URI of a file inside a data set, or its name where it lies elsewhere."""
    try:
        return "bids::" + Path(path).resolve().relative_to(Path(root).resolve()).as_posix()
    except ValueError:
        return "bids:raw:" + Path(path).name


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
    write_json(path, {"Sources": [relative(source, root) for source in sources], **said})


def read_sidecars(paths: list[Path]) -> dict:
    """Return the metadata of BIDS sidecars; later files win, as nearer ones do.

    Raises
    ------
    InputError
        When one is not a JSON object.
    """
    merged: dict = {}
    for path in paths:
        try:
            merged |= read_json(path)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path}: not a JSON object ({error}); mend the sidecar") from None
    return merged
