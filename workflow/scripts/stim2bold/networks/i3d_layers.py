"""The layers of I3D: convolutions, pooling and mixed blocks that keep what the next frames need."""

from dataclasses import dataclass

import torch
from torch import Tensor, backends, nn
from torch.nn import functional as F

from stim2bold.networks.i3d_settings import FRAME_MULTIPLE

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
