"""Films that were joined by `cat`: of most formats, players and libraries see the first part alone.

MPEG streams (TS, MPG, VOB) can be joined so, and all of their frames are read; there the stamps
tell (`stim2bold.stimulus.film_streams`). Here are the formats that have an index or a header for
the whole.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from stim2bold.runtime.errors import InputError

EBML_HEADER = 0x1A45DFA3


def _mp4_parts(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where each film begins: one for each ``moov``, its index (ISO/IEC 14496-12, 4.2)."""
    position = 0
    begins = None
    while position + 8 <= size:
        file.seek(position)
        head = file.read(16)
        length, kind = struct.unpack(">I4s", head[:8])
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack(">Q", head[8:])
        if kind == b"ftyp":
            begins = position
        if kind == b"moov":
            yield position if begins is None else begins
            begins = None
        if length < 8:  # 0: to the end of the file
            return
        position += length


def _avi_parts(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where each ``RIFF AVI`` begins; a long film goes on in ``RIFF AVIX`` (OpenDML)."""
    position = 0
    while position + 12 <= size:
        file.seek(position)
        kind, length, form = struct.unpack("<4sI4s", file.read(12))
        if kind != b"RIFF":
            return
        if form == b"AVI ":
            yield position
        position += 8 + length + length % 2


def _ebml_number(data: bytes, *, is_id: bool) -> tuple[int, int]:
    """Return a number of variable length and its bytes (RFC 8794, 4); -1 for an unknown size."""
    first = data[0] if data else 0
    length = 9 - first.bit_length()
    if first == 0 or len(data) < length:
        return 0, 0
    value = int.from_bytes(data[:length], "big")
    if is_id:
        return value, length
    value &= (1 << 7 * length) - 1
    return (-1 if value == (1 << 7 * length) - 1 else value), length


def _matroska_parts(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where each EBML header begins."""
    position = 0
    while position < size:
        file.seek(position)
        head = file.read(12)
        kind, n_id = _ebml_number(head[:4], is_id=True)
        length, n_length = _ebml_number(head[n_id:], is_id=False)
        if kind == EBML_HEADER:
            yield position
        if n_id == 0 or n_length == 0 or length < 0:
            return
        position += n_id + n_length + length


PARTS = {"mov": _mp4_parts, "avi": _avi_parts, "matroska": _matroska_parts}


def refuse_joined(path: Path, container_format: str) -> None:
    """Refuse a file that is several films one after the other.

    Parameters
    ----------
    path : Path
        The film.
    container_format : str
        Names of its format in FFmpeg, by commas.

    Raises
    ------
    InputError
        When it is.
    """
    find = PARTS.get(container_format.split(",")[0])
    if find is None:
        return
    with path.open("rb") as file:
        starts = list(find(file, path.stat().st_size))
    if len(starts) > 1:
        raise InputError(
            path,
            (
                f"is {len(starts)} films one after the other (the second begins at byte "
                f"{starts[1]}), of which only the first would be seen"
            ),
            (
                "join the parts by: ffmpeg -f concat -safe 0 -i parts.txt -c copy film.mp4, with "
                "a line file 'PATH' for each part in parts.txt"
            ),
        )
