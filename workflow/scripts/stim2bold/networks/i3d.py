"""The I3D video network, whole or as a stream.

Inception-V1 inflated to three dimensions (Carreira & Zisserman, CVPR 2017), in the layout of
DeepMind's Kinetics-400 weights: TensorFlow's 'SAME' padding, batch normalisation without scale
(folded into the convolutions here), frames in [-1, 1]. Every stage can be applied to a clip as a
whole or, frame group by frame group, to a film of any length: a stage that looks beyond the frames
at hand keeps the few it needs from the group before. So a film's features cost each frame's work
once, in constant memory, and have no seams.
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from stim2bold.networks.i3d_layers import BATCH_NORM_EPS, MaxPool, Mixed, Unit
from stim2bold.networks.i3d_settings import FRAME_MULTIPLE

# Output channels of the branches: 1x1; 1x1 -> 3x3x3; 1x1 -> 3x3x3; pool -> 1x1.
MIXED = {
    "Mixed_3b": (192, 64, 96, 128, 16, 32, 32),
    "Mixed_3c": (256, 128, 128, 192, 32, 96, 64),
    "Mixed_4b": (480, 192, 96, 208, 16, 48, 64),
    "Mixed_4c": (512, 160, 112, 224, 24, 64, 64),
    "Mixed_4d": (512, 128, 128, 256, 24, 64, 64),
    "Mixed_4e": (512, 112, 144, 288, 32, 64, 64),
    "Mixed_4f": (528, 256, 160, 320, 32, 128, 128),
    "Mixed_5b": (832, 256, 160, 320, 32, 128, 128),
    "Mixed_5c": (832, 384, 192, 384, 48, 128, 128),
}


class I3D(nn.Module):
    """The network.

    Parameters
    ----------
    n_channels : int
        3 for RGB, 2 for optical flow.
    n_classes : int
        Width of the last layer (Kinetics-400: 400).
    stem : {'same', 'symmetric'}
        How the first stage pads frames: as TensorFlow does, or alike on all sides, as the image
        network does whose inflated weights are used.
    """

    def __init__(self, *, n_channels: int = 3, n_classes: int = 400, stem: str = "same") -> None:
        super().__init__()
        if stem not in ("same", "symmetric"):
            raise ValueError(f"stem must be same or symmetric, not {stem!r}")
        self.Conv3d_1a_7x7 = Unit(n_channels, 64, kernel=7, stride=2, symmetric=stem == "symmetric")
        self.MaxPool3d_2a_3x3 = MaxPool((1, 3), (1, 2))
        self.Conv3d_2b_1x1 = Unit(64, 64)
        self.Conv3d_2c_3x3 = Unit(64, 192, kernel=3)
        self.MaxPool3d_3a_3x3 = MaxPool((1, 3), (1, 2))
        self.Mixed_3b = Mixed(MIXED["Mixed_3b"])
        self.Mixed_3c = Mixed(MIXED["Mixed_3c"])
        self.MaxPool3d_4a_3x3 = MaxPool((3, 3), (2, 2))
        for name in ("Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f"):
            setattr(self, name, Mixed(MIXED[name]))
        self.MaxPool3d_5a_2x2 = MaxPool((2, 2), (2, 2))
        self.Mixed_5b = Mixed(MIXED["Mixed_5b"])
        self.Mixed_5c = Mixed(MIXED["Mixed_5c"])
        self.logits = nn.Linear(1024, n_classes)

    def stages(self, endpoint: str) -> list[nn.Module]:
        """List the stages from the frames to `endpoint`, in order."""
        names = [name for name, _ in self.named_children() if name != "logits"]
        if endpoint not in names:
            raise ValueError(f"no endpoint {endpoint!r}; there are {', '.join(names)}")
        return [getattr(self, name) for name in names[: names.index(endpoint) + 1]]

    def forward(self, clip: Tensor, endpoint: str = "Mixed_5c") -> Tensor:
        """Apply the network to whole clips.

        Parameters
        ----------
        clip : Tensor, shape (n, n_channels, n_frames, height, width)
            In [-1, 1]; n_frames a multiple of 8.
        endpoint : str
            The stage whose output is wanted.

        Returns
        -------
        Tensor, shape (n, n_features, n_frames / stride, rows, columns)
        """
        if clip.shape[2] % FRAME_MULTIPLE:
            raise ValueError(f"{clip.shape[2]} frames are not a multiple of {FRAME_MULTIPLE}")
        for stage in self.stages(endpoint):
            clip = stage(clip)
        return clip

    def classify(self, clip: Tensor) -> Tensor:
        """Score the classes for whole clips: shape (n, n_classes), logits."""
        features = self(clip)
        # The original pools 2x7x7 frames and places, then averages the logits over time.
        over_space = features.mean(dim=(3, 4))
        if over_space.shape[2] > 1:
            over_space = (over_space[:, :, 1:] + over_space[:, :, :-1]) / 2
        return self.logits(over_space.mean(dim=2).to(self.logits.weight.dtype))


def grid_of_time(network: I3D, endpoint: str) -> tuple[int, int, int]:
    """Tell where the outputs of an endpoint lie in time, and what they see.

    Returns
    -------
    stride : int
        Frames from output to output.
    first : int
        Output o sees the frames from ``first + o * stride`` ...
    extent : int
        ... and this many in all. Frames beyond the clip count as zeros.
    """
    stride, first, extent = 1, 0, 1
    for stage in network.stages(endpoint):
        reach = stage.reach
        first -= reach.before * stride
        extent += (reach.kernel - 1) * stride
        stride *= reach.stride
    return stride, first, extent


def stream(network: I3D, groups: Iterable[Tensor], endpoint: str) -> Iterator[Tensor]:
    """Apply the network to a film that arrives in groups of frames.

    The outputs, joined in time, are those of the network applied to the whole film at once.

    Parameters
    ----------
    network : I3D
        The network.
    groups : iterable of Tensor, shape (1, n_channels, n_frames, height, width)
        The film in order, any number of frames in a group; a multiple of 8 in all.
    endpoint : str
        The stage whose output is wanted.

    Yields
    ------
    Tensor, shape (1, n_features, n_outputs, rows, columns)
        Fewer groups may come out than went in.
    """
    stages = [(stage, stage.keep()) for stage in network.stages(endpoint)]
    coming = iter(groups)
    group = next(coming, None)
    n_frames = 0
    while group is not None:
        following = next(coming, None)
        n_frames += group.shape[2]
        last = following is None
        if last and n_frames % FRAME_MULTIPLE:
            raise ValueError(f"{n_frames} frames are not a multiple of {FRAME_MULTIPLE}")
        x: Tensor | None = group
        for stage, kept in stages:
            x = stage(x, kept, last=last)
            if x is None:
                break
        if x is not None:
            yield x
        group = following


def load_weights(network: I3D, weights: Mapping[str, Tensor]) -> None:
    """Put weights into the network, batch normalisation folded into the convolutions.

    Parameters
    ----------
    network : I3D
        Changed in place.
    weights : mapping of str to Tensor
        In the layout of `stim2bold.networks.i3d_weights`: ``<unit>.weight`` (out, in, time, height,
        width), ``<unit>.bn.bias``, ``<unit>.bn.mean``, ``<unit>.bn.var`` and, where there is one,
        ``<unit>.bn.scale``, each (out,); ``logits.weight`` and ``logits.bias``.

    Raises
    ------
    ValueError
        When a weight is missing, left over, or of another shape than the network's.
    """
    left = dict(weights)

    def take(name: str, shape: torch.Size | None = None) -> Tensor:
        if name not in left:
            raise ValueError(f"the weight {name} is missing")
        value = left.pop(name)
        if shape is not None and value.shape != shape:
            raise ValueError(f"{name} is {tuple(value.shape)} where {tuple(shape)} is expected")
        return value.to(torch.float64)

    with torch.no_grad():
        for name, unit in network.named_modules():
            if not isinstance(unit, Unit):
                continue
            kernel = take(f"{name}.weight", unit.conv.weight.shape)
            per_channel = unit.conv.bias.shape
            scale = (take(f"{name}.bn.var", per_channel) + BATCH_NORM_EPS).rsqrt()
            if f"{name}.bn.scale" in left:
                scale = scale * take(f"{name}.bn.scale", per_channel)
            shift = take(f"{name}.bn.bias", per_channel)
            shift = shift - take(f"{name}.bn.mean", per_channel) * scale
            unit.conv.weight.copy_(kernel * scale.reshape(-1, 1, 1, 1, 1))
            unit.conv.bias.copy_(shift)
        network.logits.weight.copy_(take("logits.weight", network.logits.weight.shape))
        network.logits.bias.copy_(take("logits.bias", network.logits.bias.shape))
    if left:
        raise ValueError(f"{len(left)} weight(s) the network has no place for: {sorted(left)[:3]}")
