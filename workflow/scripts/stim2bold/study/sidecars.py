"""JSON sidecars: what BIDS keeps beside an image."""

import json
from collections.abc import Iterable
from pathlib import Path

from stim2bold.io.tables import decode, read_bytes
from stim2bold.runtime.errors import InputError

#: Phase-encoding directions of BIDS.
DIRECTIONS = ("i", "j", "k", "i-", "j-", "k-")


def read_sidecars(paths: Iterable[str | Path]) -> dict:
    """Return the metadata that apply to a series; later files win, as nearer ones do.

    Raises
    ------
    InputError
        When one is no JSON object in UTF-8, or gives a key two values.
    """
    metadata: dict = {}
    for path in paths:
        text = decode(read_bytes(Path(path)), Path(path))
        try:
            content = json.loads(text, object_pairs_hook=_object)
        except (ValueError, RecursionError) as error:
            raise InputError(path, f"not a JSON object ({error})", "mend the sidecar") from None
        if not isinstance(content, dict):
            what = type(content).__name__
            raise InputError(path, f"not a JSON object (it is a {what})", "mend the sidecar")
        metadata |= content
    return metadata


def phase_encoding(metadata: dict, *, name: str | Path) -> str:
    """Return the phase-encoding direction that a sidecar gives, such as ``j-``.

    Raises
    ------
    InputError
        When it names no axis of an image; `name` is the sidecar.
    """
    direction = metadata.get("PhaseEncodingDirection")
    if direction not in DIRECTIONS:
        said = "has no PhaseEncodingDirection" if direction is None else f"says {direction!r}"
        what = f"{said}, so that the axis of its distortion is unknown"
        fix = (
            f"give PhaseEncodingDirection as one of {', '.join(DIRECTIONS)}, or set "
            "preprocessing.distortion: null"
        )
        raise InputError(name, what, fix)
    return direction


def _object(pairs: list[tuple[str, object]]) -> dict:
    content = dict(pairs)
    for key, value in pairs:
        # repr, for NaN is not itself.
        if repr(content[key]) != repr(value):
            raise ValueError(f"{key} is given twice, {value!r} and {content[key]!r}")
    return content
