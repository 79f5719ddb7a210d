"""The I3D video network, whole or as a stream.

Inception-V1 inflated to three dimensions (Carreira & Zisserman, CVPR 2017), in the layout of
DeepMind's Kinetics-400 weights: TensorFlow's 'SAME' padding, batch normalisation without scale
(folded into the convolutions here), frames in [-1, 1]. Every stage can be applied to a clip as a
whole or, frame group by frame group, to a film of any length: a stage that looks beyond the frames
at hand keeps the few it needs from the group before. So a film's features cost each frame's work
once, in constant memory, and have no seams.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, backends, nn
from torch.nn import functional as F

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
BATCH_NORM_EPS = 1e-3


@dataclass(frozen=True)
class Reach:
    """What one stage sees of its input in time.

    Output o sees the inputs from ``o * stride - before`` to ``o * stride - before + kernel - 1``;
    what lies beyond the film is zero.
    """

    kernel: int = 1
    stride: int = 1
    before: int = 0
    after: int = 0


def _same(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's 'SAME' padding of one dimension."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def _blank(like: Tensor, channels: int, frames: int, rows: int, columns: int) -> Tensor:
    """Make a tensor of the given sizes, with the precision, place and layout of another."""
    channels_last = like.is_contiguous(memory_format=torch.channels_last_3d)
    return torch.empty(
        (like.shape[0], channels, frames, rows, columns),
        dtype=like.dtype,
        device=like.device,
        memory_format=torch.channels_last_3d if channels_last else torch.contiguous_format,
    )


class Kept:
    """The frames that an operation in time still needs when a film arrives in groups.

    What comes in is written behind the frames that were kept, where the operation reads both as
    one: joining them afterwards would copy every frame once more at every such operation.
    """

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.frames: Tensor | None = None

    def place(
        self,
        like: Tensor,
        *,
        channels: int,
        rows: int,
        columns: int,
        last: bool,
        around: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> tuple[Tensor, Tensor]:
        """Make room for as many frames as `like` has, behind those that were kept.

        Parameters
        ----------
        like : Tensor, shape (n, any, n_frames, any, any)
            Gives the number of frames, precision and layout.
        channels, rows, columns : int
            Of a frame that will be written.
        last : bool
            Whether the film ends with these frames: zeros come after them.
        around : tuple of int
            Zeros to the left, to the right, above and below a frame.

        Returns
        -------
        whole : Tensor
            The frames that were kept (before the film: zeros), room for the new ones, and what
            comes after the film.
        room : Tensor, shape (n, channels, n_frames, rows, columns)
            The part of it that is still to be written.
        """
        left, right, top, bottom = around
        n_before = self.reach.before if self.frames is None else self.frames.shape[2]
        end = n_before + like.shape[2]
        n_frames = end + (self.reach.after if last else 0)
        whole = _blank(like, channels, n_frames, rows + top + bottom, columns + left + right)
        if any(around):
            whole.zero_()
        whole[:, :, :n_before] = 0 if self.frames is None else self.frames
        whole[:, :, end:] = 0
        return whole, whole[:, :, n_before:end, top : top + rows, left : left + columns]

    def ready(self, whole: Tensor) -> Tensor | None:
        """Return the frames that the operation can work on now, and keep what it needs later."""
        n_out = (whole.shape[2] - self.reach.kernel) // self.reach.stride + 1
        if n_out < 1:
            self.frames = whole
            return None
        # A copy, lest a few frames keep the whole group in memory.
        self.frames = whole[:, :, n_out * self.reach.stride :].clone()
        return whole[:, :, : (n_out - 1) * self.reach.stride + self.reach.kernel]


class Unit(nn.Module):
    """Convolution with folded batch normalisation, then ReLU."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        symmetric: bool = False,
    ) -> None:
        super().__init__()
        self.symmetric = symmetric
        self.conv = nn.Conv3d(n_in, n_out, kernel, stride=stride)
        self.kernel, self.stride = kernel, stride
        before, after = _same(FRAME_MULTIPLE, kernel, stride)
        self.reach = Reach(kernel, stride, before, after)

    @property
    def width(self) -> int:
        """Channels that come out."""
        return self.conv.out_channels

    def keep(self) -> Kept:
        """Begin a film."""
        return Kept(self.reach)

    def convolve(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """Apply to frames with all that the kernel sees of time, into `out` where it is given."""
        # Symmetric in space: left to the convolution, which need not copy its input for it.
        side = 1 if self._is_centred else 0
        weight, bias, padding = self.conv.weight, self.conv.bias, (0, side, side)
        if x.device.type == "cpu" and x.dtype == torch.float32 and backends.mkldnn.is_available():
            # PyTorch would leave kernels with few channels, and with one thread all of 1x1x1, to a
            # path of its own that copies to another layout and back: two to five times slower.
            x = torch.mkldnn_convolution(
                x, weight, bias, padding, (self.stride,) * 3, dilation=(1, 1, 1), groups=1
            )
        else:
            x = F.conv3d(x, weight, bias, self.stride, padding)
        return F.relu_(x) if out is None else torch.clamp_min(x, 0, out=out)

    @property
    def _is_centred(self) -> bool:
        return self.kernel == 3 and self.stride == 1

    def forward(self, x: Tensor, kept: Kept | None = None, *, last: bool = True) -> Tensor | None:
        """Apply to the next frames of a film (without `kept`: to all), see `stream`."""
        if self.kernel == 1:
            return self.convolve(x)
        kept = kept or self.keep()
        channels, _, rows, columns = x.shape[1:]
        around = (0, 0, 0, 0)
        if self.symmetric:
            around = (self.kernel // 2,) * 4
        elif not self._is_centred:
            sides, ends = (_same(size, self.kernel, self.stride) for size in (columns, rows))
            around = (*sides, *ends)
        whole, room = kept.place(
            x, channels=channels, rows=rows, columns=columns, last=last, around=around
        )
        room.copy_(x)
        ready = kept.ready(whole)
        return None if ready is None else self.convolve(ready)


def _largest(
    x: Tensor,
    dim: int,
    *,
    kernel: int,
    stride: int,
    padding: tuple[int, int] = (0, 0),
    out: Tensor | None = None,
) -> Tensor:
    """Maximum over a sliding window in one dimension; at the ends over what there is of it."""
    size, before = x.shape[dim], padding[0]
    n_out = (size + sum(padding) - kernel) // stride + 1
    if out is None:
        shape = [*x.shape[1:]]
        shape[dim - 1] = n_out
        out = _blank(x, *shape)
    # From here to there the window lies within.
    begin = -(-before // stride)
    end = max(begin, (size + before - kernel) // stride + 1)
    first = begin * stride - before
    parts = [
        x[(slice(None),) * dim + (slice(first + k, first + k + (end - begin) * stride, stride),)]
        for k in range(kernel)
    ]
    middle = out.narrow(dim, begin, end - begin)
    parts = [part.narrow(dim, 0, end - begin) for part in parts]
    torch.maximum(parts[0], parts[1], out=middle)
    for part in parts[2:]:
        torch.maximum(middle, part, out=middle)
    for index in (*range(begin), *range(end, n_out)):
        left = max(0, index * stride - before)
        seen = x.narrow(dim, left, min(size, index * stride - before + kernel) - left)
        out.narrow(dim, index, 1).copy_(seen.amax(dim, keepdim=True))
    return out


class MaxPool(nn.Module):
    """Max-pooling with 'SAME' padding, one dimension after the other.

    Its input is never negative, so that padding by zeros is padding by nothing.
    """

    def __init__(self, kernel: tuple[int, int], stride: tuple[int, int]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        before, after = _same(FRAME_MULTIPLE, kernel[0], stride[0])
        self.reach = Reach(kernel[0], stride[0], before, after)

    def keep(self) -> Kept:
        """Begin a film."""
        return Kept(self.reach)

    def over_space(self, x: Tensor, out: Tensor | None = None) -> Tensor:
        """Pool every frame by itself, into `out` where it is given."""
        kernel, stride = self.kernel[1], self.stride[1]
        if stride == 2 and out is None and not (x.shape[-1] % 2 or x.shape[-2] % 2):
            # Here PyTorch's own is the faster; its ceiling is 'SAME' for even sizes.
            flat = x.transpose(1, 2).flatten(0, 1)
            flat = F.max_pool2d(flat, kernel, stride, ceil_mode=True)
            return flat.unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)
        for dim in (4, 3):
            x = _largest(
                x,
                dim,
                kernel=kernel,
                stride=stride,
                padding=_same(x.shape[dim], kernel, stride),
                out=out if dim == 3 else None,
            )
        return x

    def over_time(self, x: Tensor) -> Tensor:
        """Pool frames with all that the window sees of time."""
        return _largest(x, 2, kernel=self.kernel[0], stride=self.stride[0])

    def forward(self, x: Tensor, kept: Kept | None = None, *, last: bool = True) -> Tensor | None:
        """Apply to the next frames of a film (without `kept`: to all), see `stream`."""
        if self.kernel[0] == 1:
            return self.over_space(x)
        kept = kept or self.keep()
        channels, _, rows, columns = x.shape[1:]
        rows, columns = (-(-size // self.stride[1]) for size in (rows, columns))
        whole, room = kept.place(x, channels=channels, rows=rows, columns=columns, last=last)
        self.over_space(x, out=room)
        ready = kept.ready(whole)
        return None if ready is None else self.over_time(ready)


class Mixed(nn.Module):
    """Inception module: four branches, side by side in the channels."""

    reach = Reach(3, 1, 1, 1)

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        n_in, w0, w1a, w1b, w2a, w2b, w3 = widths
        self.b0 = Unit(n_in, w0)
        self.b1a = Unit(n_in, w1a)
        self.b1b = Unit(w1a, w1b, kernel=3)
        self.b2a = Unit(n_in, w2a)
        self.b2b = Unit(w2a, w2b, kernel=3)
        self.pool = MaxPool((3, 3), (1, 1))
        self.b3b = Unit(n_in, w3)

    def keep(self) -> tuple[Kept, ...]:
        """Begin a film: each branch keeps its own, so that no work within a frame is repeated."""
        return tuple(Kept(self.reach) for _ in range(4))

    def forward(
        self, x: Tensor, kept: tuple[Kept, ...] | None = None, *, last: bool = True
    ) -> Tensor | None:
        """Apply to the next frames of a film (without `kept`: to all), see `stream`."""
        kept = kept or self.keep()
        channels, _, rows, columns = x.shape[1:]
        within_frames = (
            (self.b0.width, self.b0.convolve),
            (self.b1a.width, self.b1a.convolve),
            (self.b2a.width, self.b2a.convolve),
            (channels, self.pool.over_space),
        )
        ready = []
        for held, (width, apply) in zip(kept, within_frames, strict=True):
            whole, room = held.place(x, channels=width, rows=rows, columns=columns, last=last)
            apply(x, out=room)
            ready.append(held.ready(whole))
        own, *others = ready
        if own is None:
            return None
        widths = [unit.width for unit in (self.b0, self.b1b, self.b2b, self.b3b)]
        result = _blank(x, sum(widths), own.shape[2] - 2, rows, columns)
        parts = result.split(widths, dim=1)
        # The outer frames are there for the branches that look beyond a frame.
        parts[0].copy_(own[:, :, 1:-1])
        self.b1b.convolve(others[0], out=parts[1])
        self.b2b.convolve(others[1], out=parts[2])
        self.b3b.convolve(self.pool.over_time(others[2]), out=parts[3])
        return result


class I3D(nn.Module):
    """The network.

    Parameters
    ----------
    n_channels : int
        3 for RGB, 2 for optical flow.
    n_classes : int
        Width of the last layer (Kinetics-400: 400).
    stem : {'same', 'symmetric'}
        How the first stage pads pictures: as TensorFlow does, or alike on all sides, as the image
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
