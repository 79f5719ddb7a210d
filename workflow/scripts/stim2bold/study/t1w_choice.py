"""Which of several T1w images is a participant's head.

A session holds more than one: slabs of the hippocampus, images in the plane of the series, a spine,
normalised or motion-corrected copies. The configuration can name one. Else the whole head is taken:
the image whose shortest side is longest, up to a head's size; of these the one of most voxels; of
these the one of fewest entities; of these the first by name. What is passed over is said.
"""

import functools
import gzip
import struct
import zlib
from pathlib import Path

from stim2bold.runtime.issues import Problem, error, warning
from stim2bold.study.bids_names import entities, stem

#: Millimetres; an image this long in each direction holds a head.
HEAD = 150.0
#: Entities by which a T1w image is chosen: their names in the configuration and in file names.
T1W_CHOICES = {
    "session": "ses",
    "acquisition": "acq",
    "reconstruction": "rec",
    "run": "run",
}


@functools.cache
def grid(path: Path) -> tuple[float, int]:
    """Return the shortest side (mm) and the number of voxels of a volume; zeros if unreadable.

    Only the header is read, and without nibabel, which the login node of a cluster has not.
    """
    try:
        with gzip.open(path) if path.name.endswith(".gz") else path.open("rb") as file:
            head = file.read(540)
        for order in "<>":
            (size,) = struct.unpack(f"{order}i", head[:4])
            if size == 348:
                shape = struct.unpack(f"{order}8h", head[40:56])
                edges = struct.unpack(f"{order}8f", head[76:108])
            elif size == 540:
                shape = struct.unpack(f"{order}8q", head[16:80])
                edges = struct.unpack(f"{order}8d", head[104:168])
            else:
                continue
            sides = [n * abs(edge) for n, edge in zip(shape[1:4], edges[1:4], strict=True)]
            return float(min(sides)), shape[1] * shape[2] * shape[3]
    except (OSError, EOFError, zlib.error, struct.error):
        pass
    return 0.0, 0


def choose_t1w(
    candidates: list[Path],
    series: Path,
    root: Path,
    *,
    wanted: dict[str, str | list[str] | None] | None,
) -> tuple[Path | None, list[Problem]]:
    """Choose the T1w image that serves a series.

    Parameters
    ----------
    candidates : list of Path
        The participant's T1w images, relative to `root`.
    series : Path
        Relative to `root`.
    root : Path
        The data set.
    wanted : dict or None
        Labels for some keys of `T1W_CHOICES`; '' stands for an image without that entity.
    """
    if not candidates:
        return None, []
    found = candidates
    for key, labels in (wanted or {}).items():
        if labels is None:
            continue
        labels = labels if isinstance(labels, list) else [labels]
        fitting = {entities(f"{T1W_CHOICES[key]}-{label}")[T1W_CHOICES[key]] for label in labels}
        found = [
            path for path in found if entities(stem(path)).get(T1W_CHOICES[key], "") in fitting
        ]
    if not found:
        there = ", ".join(path.name for path in candidates)
        return None, [
            error(root / series, f"no T1w image fits (there is: {there})", "correct selection.t1w")
        ]
    # A head is the same in all sessions, but lies otherwise: the series' own comes first.
    own = [path for path in found if path.parent.parent == series.parent.parent]
    ranked = sorted(own or found, key=lambda path: _rank(root, path))
    if len(ranked) == 1:
        return ranked[0], []
    others = ", ".join(path.name for path in ranked[1:])
    return ranked[0], [
        warning(
            root / ranked[0],
            f"is taken of {len(ranked)} T1w images, as the largest whole head; passed over: "
            f"{others}",
            "choose another by selection.t1w, such as {acquisition: mprage}",
        )
    ]


def _rank(root: Path, path: Path) -> tuple:
    side, voxels = grid(root / path)
    return -min(side, HEAD), -voxels, len(entities(stem(path))), path.as_posix()
