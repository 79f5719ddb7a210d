"""R(2+1)D-18: every 3D convolution factorised into one over space and one over time.

Tran et al., CVPR 2018. The modules are named as in torchvision's `r2plus1d_18`, whose weights fit.
"""

import re
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn

from stim2bold.networks.backbones import Backbone
from stim2bold.networks.packages import sha256
from stim2bold.networks.pretrained import weights_folder
from stim2bold.runtime.errors import InputError

# Normalisation of torchvision's Kinetics weights.
MEAN, STD = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)


class Factorised(nn.Sequential):
    """A convolution over space, then one over time."""

    def __init__(self, n_in: int, n_out: int, *, n_middle: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(
                n_in, n_middle, (1, 3, 3), (1, stride, stride), padding=(0, 1, 1), bias=False
            ),
            nn.BatchNorm3d(n_middle),
            nn.ReLU(inplace=True),
            nn.Conv3d(n_middle, n_out, (3, 1, 1), (stride, 1, 1), padding=(1, 0, 0), bias=False),
        )


class Block(nn.Module):
    """Two factorised convolutions and a way around them."""

    def __init__(self, n_in: int, n_out: int, *, stride: int) -> None:
        super().__init__()
        # As many weights as the 3D convolution would have.
        n_middle = (n_in * n_out * 27) // (n_in * 9 + 3 * n_out)
        self.conv1 = nn.Sequential(
            Factorised(n_in, n_out, n_middle=n_middle, stride=stride),
            nn.BatchNorm3d(n_out),
            nn.ReLU(inplace=True),
        )
        self.conv2 = nn.Sequential(
            Factorised(n_out, n_out, n_middle=n_middle), nn.BatchNorm3d(n_out)
        )
        self.relu = nn.ReLU(inplace=True)
        self.downsample = (
            nn.Sequential(
                nn.Conv3d(n_in, n_out, 1, stride=stride, bias=False), nn.BatchNorm3d(n_out)
            )
            if stride != 1 or n_in != n_out
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        around = x if self.downsample is None else self.downsample(x)
        return self.relu(self.conv2(self.conv1(x)) + around)


class R2Plus1D(nn.Module):
    """The network.

    Parameters
    ----------
    n_classes : int
        Width of the last layer.
    widths : tuple of int
        Channels of the four layers; (64, 128, 256, 512) in the published network.
    """

    def __init__(
        self, *, n_classes: int = 400, widths: tuple[int, ...] = (64, 128, 256, 512)
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv3d(3, 45, (1, 7, 7), (1, 2, 2), padding=(0, 3, 3), bias=False),
            nn.BatchNorm3d(45),
            nn.ReLU(inplace=True),
            nn.Conv3d(45, widths[0], (3, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(inplace=True),
        )
        n_in = widths[0]
        for number, width in enumerate(widths, start=1):
            stride = 1 if number == 1 else 2
            layer = nn.Sequential(Block(n_in, width, stride=stride), Block(width, width, stride=1))
            setattr(self, f"layer{number}", layer)
            n_in = width
        self.fc = nn.Linear(n_in, n_classes)

    def forward(self, clip: Tensor) -> Tensor:
        """Take the features of whole clips.

        Parameters
        ----------
        clip : Tensor, shape (n, 3, n_frames, height, width)
            Normalised as for Kinetics.

        Returns
        -------
        Tensor, shape (n, n_features)
            Mean over time and space of the last layer.
        """
        x = self.stem(clip)
        for number in (1, 2, 3, 4):
            x = getattr(self, f"layer{number}")(x)
        return x.mean(dim=(2, 3, 4))


def load(folder: str | Path | None) -> Backbone:
    """Load the network from a folder that holds torchvision's weights.

    Raises
    ------
    InputError
        When there are no weights, or they are another network's.
    """
    folder, fix = weights_folder("r2plus1d", folder)
    files = sorted(folder.glob("r2plus1d_18*.pth"))
    if not files:
        raise InputError(folder, "holds no r2plus1d_18-*.pth", fix)
    path = files[0]
    # torchvision puts the beginning of the SHA-256 into the file's name.
    named = re.search(r"-([0-9a-f]{8})\.pth$", path.name)
    if named is None or not sha256(path).startswith(named[1]):
        raise InputError(path, "its checksum is not the one in its name", fix)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        widths = tuple(state[f"layer{number}.0.conv2.1.weight"].shape[0] for number in (1, 2, 3, 4))
        network = R2Plus1D(n_classes=len(state["fc.bias"]), widths=widths)
        network.load_state_dict(state)
    except (KeyError, RuntimeError, UnpicklingError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(path, f"is not an R(2+1)D-18 ({reason})", fix) from error
    network.eval().requires_grad_(False)
    return Backbone(
        name="r2plus1d",
        n_frames=16,
        side=112,
        mean=MEAN,
        std=STD,
        features=lambda window: network(window.transpose(1, 2)),
        source=path.name,
        module=network,
    )
