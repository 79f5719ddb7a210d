"""Models on disk: weights as safetensors, everything else as JSON beside them."""

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from stim2bold.errors import InputError
from stim2bold.files import read_json, replacing, write_json

FORMAT = 1


def write_model(path: str | Path, tensors: dict[str, np.ndarray], record: dict[str, Any]) -> None:
    """Write a model.

    Parameters
    ----------
    path : str or Path
        Of the safetensors file; the record goes beside it with suffix .json.
    tensors : dict
    record : dict
        JSON-ready. Format and the shape of every tensor are added, and checked on loading.
    """
    path = Path(path)
    with replacing(path) as temporary:
        save_file(
            {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in tensors.items()}, temporary
        )
    shapes = {name: list(value.shape) for name, value in tensors.items()}
    write_json(path.with_suffix(".json"), record | {"format": FORMAT, "shapes": shapes})


def read_model(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read a model and its record.

    Raises
    ------
    InputError
        When the file is of another format, or its tensors are not those of the record.
    """
    path = Path(path)
    record = read_json(path.with_suffix(".json"))
    if record.get("format") != FORMAT:
        raise InputError(
            f"{path}: model format {record.get('format')}, this version reads {FORMAT}; "
            "train the model again"
        )
    tensors = load_file(path)
    shapes = {name: list(value.shape) for name, value in tensors.items()}
    if shapes != record["shapes"]:
        wrong = sorted(
            name
            for name in shapes.keys() | record["shapes"].keys()
            if shapes.get(name) != record["shapes"].get(name)
        )
        raise InputError(
            f"{path}: tensors {', '.join(wrong[:5])} are not as {path.stem}.json says; "
            "train the model again"
        )
    return tensors, record
