"""Training that was killed goes on where it was, and ends as if it had not been."""

import hashlib
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from stim2bold.io.files import replacing

log = logging.getLogger(__name__)


def fingerprint(*parts: object) -> str:
    """Return a digest of settings and arrays, by which a checkpoint knows what it is of.

    Parameters
    ----------
    *parts : ndarray or anything that JSON can hold
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(str((part.shape, part.dtype)).encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training on disk.

    Parameters
    ----------
    path : Path
        Safetensors file.
    of : str
        `fingerprint` of what is trained. A file of anything else is passed over.
    """

    path: Path
    of: str

    def save(self, state: dict[str, np.ndarray], notes: dict) -> None:
        """Write tensors, and beside them what JSON can hold."""
        with replacing(self.path) as temporary:
            temporary.write_bytes(
                save(
                    {name: np.ascontiguousarray(value) for name, value in state.items()},
                    metadata={"of": self.of, "notes": json.dumps(notes)},
                )
            )

    def load(self) -> tuple[dict[str, np.ndarray], dict] | None:
        """Read what `save` wrote; None where there is nothing, or only of another training."""
        if not self.path.exists():
            return None
        with safe_open(self.path, framework="numpy") as file:
            about = file.metadata()
            if about.get("of") != self.of:
                log.info("%s is of another training and is not used", self.path)
                return None
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return state, json.loads(about["notes"])

    def part(self, name: str) -> "Checkpoint":
        """Return the checkpoint of one stage of the training, beside this one."""
        return Checkpoint(
            self.path.with_name(f"{self.path.stem}_{name}{self.path.suffix}"), f"{self.of}/{name}"
        )


def discard(checkpoints: Iterable[Checkpoint]) -> None:
    """Delete checkpoints whose training has ended."""
    for checkpoint in checkpoints:
        checkpoint.path.unlink(missing_ok=True)
