"""Models on disk: weights as safetensors, everything else as JSON beside them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file, save

from stim2bold.io.files import read_json, replacing, write_json
from stim2bold.models.design_matrix import Design
from stim2bold.models.hrf import FilterBank
from stim2bold.runtime.errors import InputError
from stim2bold.vae.batches import source_columns
from stim2bold.vae.network import VAE, Sizes
from stim2bold.vae.sequences import chunked, unchunked, with_neighbours
from stim2bold.vae.settings import VAESettings

FORMAT = 3


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
        # Not save_file: what it says of a full disk is no OSError.
        temporary.write_bytes(
            save({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in tensors.items()})
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
            path,
            f"model format {record.get('format')}, this version reads {FORMAT}",
            "train the model again",
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
            path,
            f"tensors {', '.join(wrong[:5])} are not as {path.stem}.json says",
            "train the model again",
        )
    return tensors, record


@dataclass(frozen=True)
class StoredFold:
    """The models of one fold, taken from a stored model.

    Parameters
    ----------
    model : VAE
        One a seed.
    design : Design
        From source rows to components and regressors.
    spread : float
        What components are divided by, see `stim2bold.vae.initialisation.Task`.
    slope : float
        What predictions are multiplied by, see `stim2bold.vae.inner_stage.Calibration`.
    settings : VAESettings
    """

    model: VAE
    design: Design
    spread: float
    slope: float
    settings: VAESettings

    def encode(self, source: np.ndarray, within: np.ndarray | None = None) -> torch.Tensor:
        """Return the mean of q(z|source), shape (n_seeds, n_rows, n_latents).

        Parameters
        ----------
        source : ndarray of shape (n_rows, n_features)
            From the first row of the film (of the recording) on, as in training.
        within : ndarray of int, optional
            Rows that the recurrent network may look at; all by default.
        """
        components, around = self.design.project(source), self.design.filters.around
        columns = source_columns(
            self.design.delay(components), components / self.spread, self.model.sizes
        )
        seen = with_neighbours(columns, np.arange(len(source)), around=around)
        sequences = torch.from_numpy(chunked(seen, self.settings, around=around))
        sequences = sequences.expand(self.model.sizes.models, -1, -1, -1)
        mask = None
        if within is not None:
            visible = np.zeros((len(source), 1), dtype=np.float32)
            visible[within] = 1
            mask = torch.from_numpy(chunked(visible, self.settings)[None, :, :, 0])
            mask = mask.expand(self.model.sizes.models, -1, -1)
        with torch.no_grad():
            mean, _ = self.model.source_encoder(sequences, mask)
            return unchunked(mean, len(source), self.settings)


def stored_fold(tensors: dict[str, np.ndarray], record: dict[str, Any], *, fold: int) -> StoredFold:
    """Return the models of one fold.

    Parameters
    ----------
    tensors, record
        As `read_model` returns them.
    fold : int
        Whose models.
    """
    settings = VAESettings(**record["settings"])
    position = [part["fold"] for part in record["folds"]].index(fold)
    part = record["folds"][position]
    design = Design(
        **{
            name: tensors[f"source_{name}/{fold}"]
            for name in ("mean", "scale", "loadings", "centre")
        },
        filters=FilterBank(
            offsets=tuple(part["filters"]["offsets"]),
            weights=tuple(map(tuple, part["filters"]["weights"])),
        ),
        spread=part["spread"],
        components=tuple(part["components"]),
    )
    here = slice(position * settings.seeds, (position + 1) * settings.seeds)
    model = VAE(Sizes(**record["sizes"] | {"models": settings.seeds}), design.filters)
    model.load_state_dict(
        {
            name.removeprefix("model/"): torch.from_numpy(value[here].copy())
            for name, value in tensors.items()
            if name.startswith("model/")
        }
    )
    return StoredFold(model, design, part["component_spread"], part["slope"], settings)


def predict_stored(
    tensors: dict[str, np.ndarray], record: dict[str, Any], source: np.ndarray, *, fold: int
) -> np.ndarray:
    """Predict from a stored model alone.

    Parameters
    ----------
    tensors, record
        As `read_model` returns them.
    source : ndarray of shape (n_rows, n_features)
        From the first row of the film (of the recording) on, as in training.
    fold : int
        Whose models to use.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        In the target's units.
    """
    stored = stored_fold(tensors, record, fold=fold)
    with torch.no_grad():
        # The decoder knows no time: rows stand for one sequence.
        guess = stored.model.decoder(stored.encode(source)[:, None])[:, 0].mean(dim=0).numpy()
    basis = tensors[f"target_basis/{fold}"]
    return (
        guess[:, : len(basis)] @ basis * stored.slope * tensors[f"target_scale/{fold}"]
        + (tensors[f"target_mean/{fold}"])
    )
