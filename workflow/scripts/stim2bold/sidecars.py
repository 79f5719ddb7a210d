"""JSON sidecars: what BIDS keeps beside an image."""

import json
from collections.abc import Iterable
from pathlib import Path

from stim2bold.errors import InputError


def read_sidecars(paths: Iterable[str | Path]) -> dict:
    """Return the metadata that apply to a series; later files win, as nearer ones do.

    Raises
    ------
    InputError
        When one is not a JSON object.
    """
    metadata: dict = {}
    for path in paths:
        try:
            metadata |= json.loads(Path(path).read_text(encoding="utf-8-sig"))
        except (ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{path}: not a JSON object ({error}); mend the sidecar") from None
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}); mend it") from None
    return metadata
