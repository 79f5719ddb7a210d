"""Pictures of preprocessing on the report's pages: which there are, and what they show."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stim2bold.report.pages import copy_picture


@dataclass(frozen=True)
class Picture:
    """A kind of picture.

    Parameters
    ----------
    ending : str
        What its name ends with, after the entities of run or T1w image.
    words : str
        What it shows.
    other, other_words : str
        Ending and words of the picture that it takes turns with; '' where there is none.
    """

    ending: str
    words: str
    other: str = ""
    other_words: str = ""


#: In the order of the page. The first six are of a run, the others of a T1w image.
PICTURES = (
    Picture("_desc-carpet_bold.png", "Every voxel over time, below FD, DVARS and global signal"),
    Picture("_desc-motion_bold.png", "Head motion"),
    Picture(
        "_desc-coregistration_bold.png",
        "BOLD reference in the place of the T1w image",
        "_desc-coregistration_T1w.png",
        "the T1w image there",
    ),
    Picture(
        "_desc-normalised_bold.png",
        "Mean BOLD volume in template space",
        "_desc-normalised_template.png",
        "the template there",
    ),
    Picture("_desc-tsnr_bold.png", "Temporal signal-to-noise ratio"),
    Picture("_desc-tissues_T1w.png", "Brain and tissues of the T1w image"),
    Picture(
        "_space-MNI152NLin2009aSym_T1w.png",
        "T1w image in template space",
        "_space-MNI152NLin2009aSym_template.png",
        "the template there",
    ),
)


def belongs(picture: str, run: str) -> bool:
    """Tell whether a picture is of a run, or of the anatomy of its participant."""
    of_anatomy = "_task-" not in picture and picture.split("_")[0] == run.split("_")[0]
    return of_anatomy or picture.startswith(f"{run}_")


def pictures_of(run: str, folder: Path, root: Path) -> list[dict[str, Any]]:
    """Copy the pictures of a run and return what the page shows of them.

    Parameters
    ----------
    run : str
        Its entities, ``sub-01_task-film``.
    folder : Path
        Derivatives, looked through for ``figures``.
    root : Path
        The report.

    Returns
    -------
    list of dict
        ``address``, ``width``, ``height`` and ``words``; ``other`` (likewise, or None) and
        ``other_words`` of the picture it takes turns with.
    """
    participant = run.split("_")[0]
    found = {
        path.name: path
        for path in sorted((folder / participant).rglob("figures/*.png"))
        if belongs(path.name, run)
    }

    def carried(path: Path) -> dict[str, Any]:
        return copy_picture(root, f"assets/quality/{path.stem}", path)

    shown = []
    for kind in PICTURES:
        for name, path in found.items():
            if not name.endswith(kind.ending):
                continue
            other = kind.other and found.get(name.removesuffix(kind.ending) + kind.other)
            shown.append(
                {
                    **carried(path),
                    "words": kind.words,
                    "other": carried(other) if other else None,
                    "other_words": kind.other_words,
                }
            )
    return shown
