"""Layers of many models side by side.

Every parameter has a leading dimension: the model. So all folds and seeds of a unit train as one
batch of matrix products.
"""

import numpy as np
import torch
from torch import Tensor, nn

from stim2bold.models.hrf import FilterBank


class Linear(nn.Module):
    """One affine map for each model."""

    def __init__(self, models: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(models, n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(models, 1, n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (models, ..., n_in) to (models, ..., n_out)."""
        flat = x.reshape(x.shape[0], -1, x.shape[-1])
        return torch.baddbmm(self.bias, flat, self.weight).reshape(*x.shape[:-1], -1)

    def draw(self, generators: list[torch.Generator], *, gain: float = 1.0) -> None:
        """Draw weights as `torch.nn.Linear` does, each model from its own generator."""
        bound = gain / self.weight.shape[1] ** 0.5
        with torch.no_grad():
            for i, generator in enumerate(generators):
                self.weight[i].uniform_(-bound, bound, generator=generator)


class LSTM(nn.Module):
    """One long short-term memory for each model, with the gates of `torch.nn.LSTM`.

    Written out because `torch.nn.LSTM` cannot be batched over its parameters.
    """

    def __init__(self, models: int, n_in: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.inward = Linear(models, n_in, 4 * hidden)
        self.recurrent = nn.Parameter(torch.zeros(models, hidden, 4 * hidden))

    def forward(self, x: Tensor, within: Tensor | None = None) -> Tensor:
        """Map (models, sequences, steps, n_in) to (models, sequences, steps, hidden).

        Where `within`, (models, sequences, steps), is 0 the network forgets all that it saw: what
        comes after a stretch of zeros knows nothing of what came before it, nor of the stretch.
        """
        driven = self.inward(x)
        state = x.new_zeros(*x.shape[:2], self.hidden)
        cell, out = state, []
        for step in range(x.shape[2]):
            gates = torch.baddbmm(driven[:, :, step], state, self.recurrent)
            enter, forget, new, leave = gates.chunk(4, dim=-1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            state = torch.sigmoid(leave) * torch.tanh(cell)
            if within is not None:
                kept = within[:, :, step, None]
                cell, state = cell * kept, state * kept
            out.append(state)
        return torch.stack(out, dim=2)

    def draw(self, generators: list[torch.Generator]) -> None:
        """Draw weights as `torch.nn.LSTM` does, each model from its own generator."""
        bound = 1 / self.hidden**0.5
        with torch.no_grad():
            for i, generator in enumerate(generators):
                for weight in (self.inward.weight[i], self.recurrent[i], self.inward.bias[i]):
                    weight.uniform_(-bound, bound, generator=generator)


class FrameEncoder(nn.Module):
    """Rectified units that see one row of the source each, carried over the delay by filters.

    A product of two features is one of the frame itself. After the haemodynamic response, which
    mixes many frames, it can no longer be made.

    Parameters
    ----------
    models, n_in, units : int
    filters : FilterBank
        The delay. Each filter is scaled to unit sum of squares, so that what it lets through of
        noise keeps its variance.
    """

    def __init__(self, models: int, n_in: int, units: int, filters: FilterBank) -> None:
        super().__init__()
        self.units = Linear(models, n_in, units)
        self.around = filters.around
        weights = np.asarray(filters.weights, dtype=np.float32)
        weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
        dense = np.zeros((len(weights), sum(self.around) + 1), dtype=np.float32)
        dense[:, np.asarray(filters.offsets) + self.around[0]] = weights
        self.register_buffer("filters", torch.from_numpy(dense), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (models, sequences, before + steps + after, n_in) to (..., steps, filters * units).

        ``before`` and ``after`` are the rows that the filters look at.
        """
        seen = torch.relu(self.units(x))
        # One matrix for all steps: (filters * steps, before + steps + after).
        n_filters, reach = self.filters.shape
        steps = seen.shape[2] - reach + 1
        places = torch.arange(seen.shape[2], device=x.device) - torch.arange(
            steps, device=x.device
        ).unsqueeze(1)
        known = (places >= 0) & (places < reach)
        matrix = self.filters[:, places.clamp(0, reach - 1)] * known
        carried = matrix.reshape(n_filters * steps, -1) @ seen
        parts = carried.reshape(*seen.shape[:2], n_filters, steps, -1).transpose(2, 3)
        return parts.reshape(*seen.shape[:2], steps, -1)
