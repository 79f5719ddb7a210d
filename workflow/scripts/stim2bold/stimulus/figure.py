"""One sheet by which to check a film: what is seen and heard when, and what its features share."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import xarray as xr

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

# A film, a word or a block may have dollars in its name, and is no formula.
matplotlib.rcParams["text.parse_math"] = False
# Of Okabe & Ito: told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
#: Frames a line.
N_COLUMNS = 13


def linear_similarity(a: np.ndarray, b: np.ndarray) -> float:
    """Measure what two feature spaces share (linear CKA, Kornblith et al., ICML 2019).

    Parameters
    ----------
    a : ndarray of shape (n_rows, n_features_a)
        Features; any number of columns.
    b : ndarray of shape (n_rows, n_features_b)
        Others, on the same rows.

    Returns
    -------
    float
        0 where no column of the one has to do with any of the other, 1 where they are the same up
        to rotation and scale.
    """
    a = a - a.mean(axis=0)
    b = b - b.mean(axis=0)
    # Rows are fewer than features: their inner products are the smaller matrices.
    gram_a, gram_b = a @ a.T, b @ b.T
    size = np.linalg.norm(gram_a) * np.linalg.norm(gram_b)
    return float((gram_a * gram_b).sum() / size) if size > 0 else 0.0


def leading_components(features: np.ndarray, n: int) -> np.ndarray:
    """First principal components of the z-scored features, each of unit variance: (n_rows, n)."""
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0))[:, spread > 0] / spread[spread > 0]
    left, sizes, _ = np.linalg.svd(scaled, full_matrices=False)
    n = min(n, int((sizes > 1e-9 * sizes.max(initial=0)).sum()))
    return left[:, :n] * np.sqrt(len(left))


def border_times(blocks: pd.DataFrame, film_onset: float, duration: float) -> pd.DataFrame:
    """Film times half a second before and after the start of each block, where there is film.

    Parameters
    ----------
    blocks : DataFrame
        onset (scan time, seconds) and trial_type.
    film_onset : float
        Scan time at which the film starts.
    duration : float
        Length of the film.

    Returns
    -------
    DataFrame
        time (increasing) and label.
    """
    rows = []
    for block in blocks.itertuples():
        for shift, word in ((-0.5, "before"), (0.5, "in")):
            time = block.onset - film_onset + shift
            if 0 <= time < duration:
                rows.append({"time": time, "label": f"{word} {block.trial_type}\n{time:.1f} s"})
    return pd.DataFrame(rows, columns=["time", "label"]).sort_values("time", ignore_index=True)


def draw(
    frames: Sequence[np.ndarray],
    labels: Sequence[str],
    *,
    mel: xr.DataArray | None,
    blocks: pd.DataFrame,
    film_onset: float,
    words: pd.DataFrame | None,
    spaces: dict[str, xr.DataArray],
    title: str,
) -> Figure:
    """Draw the sheet.

    Parameters
    ----------
    frames : sequence of ndarray, each of shape (height, width, 3)
        At the blocks' borders.
    labels : sequence of str
        What stands under each.
    mel : DataArray, dims (time, mel), optional
        Log-mel spectrogram; None for a film without sound.
    blocks : DataFrame
        onset, offset (scan time, seconds) and trial_type.
    film_onset : float
        Scan time at which the film starts.
    words : DataFrame, optional
        onset, offset (film time) and item.
    spaces : dict of str to DataArray, dims (time, ...)
        Feature spaces at the TRs.
    title : str
        Name of the film.

    Returns
    -------
    Figure
    """
    n_lines = max(1, -(-len(frames) // N_COLUMNS))
    heights = [*([1.15] * n_lines), 2.2, 2.2, *([0.9] * len(spaces)), 3.2]
    figure = plt.figure(figsize=(16, 1.1 * sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), N_COLUMNS, height_ratios=heights)
    figure.suptitle(title)
    for index, (frame, label) in enumerate(zip(frames, labels, strict=True)):
        axes = figure.add_subplot(grid[index // N_COLUMNS, index % N_COLUMNS])
        axes.imshow(frame)
        axes.set_xlabel(label, fontsize=7)
        axes.set_xticks([])
        axes.set_yticks([])

    clock = mel if mel is not None else next(iter(spaces.values()))
    times = clock["time"].to_numpy()
    whole = figure.add_subplot(grid[n_lines, :], facecolor="black")
    if mel is not None:
        _spectrogram(whole, mel, slice(None, None, max(1, len(times) // 4000)))
    _mark_blocks(whole, blocks, film_onset)
    whole.set_xlim(times[0], times[-1])

    # Ten seconds in which words can be read: around the first that is spoken.
    detail = figure.add_subplot(grid[n_lines + 1, :], facecolor="black")
    start = 0.0 if words is None or not len(words) else max(0.0, words["onset"].min() - 0.5)
    within = np.flatnonzero((times >= start) & (times <= start + 10))
    if mel is not None:
        _spectrogram(detail, mel, slice(within[0], within[-1] + 1))
    if words is not None:
        _write_words(detail, words[(words["offset"] > start) & (words["onset"] < start + 10)])
    detail.set_xlim(start, start + 10)

    tables = {name: space.to_numpy().reshape(len(space), -1) for name, space in spaces.items()}
    for line, (name, table) in enumerate(tables.items()):
        axes = figure.add_subplot(grid[n_lines + 2 + line, :])
        components = table if table.shape[1] <= 3 else leading_components(table, 3)
        for number, component in enumerate(components.T):
            axes.plot(spaces[name]["time"], component, color=COLOURS[number], lw=0.8)
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
        axes.set_xlim(times[0], times[-1])
        axes.set_yticks([])
    _draw_similarity(figure.add_subplot(grid[-1, :5]), tables)
    return figure


def _mark_blocks(axes: plt.Axes, blocks: pd.DataFrame, film_onset: float) -> None:
    """Write above a panel which block the film is in."""
    kinds = list(dict.fromkeys(blocks["trial_type"]))
    for block in blocks.itertuples():
        colour = COLOURS[kinds.index(block.trial_type) % len(COLOURS)]
        start, end = block.onset - film_onset, block.offset - film_onset
        axes.axvline(start, color="white", linewidth=0.8)
        axes.text(
            start + 0.2, 1.02, block.trial_type, color=colour, transform=_over(axes), fontsize=8
        )
        axes.plot([start, end], [1.005, 1.005], color=colour, lw=4, transform=_over(axes))


def _write_words(axes: plt.Axes, words: pd.DataFrame) -> None:
    """Write words where they are spoken."""
    for number, word in enumerate(words.itertuples()):
        axes.axvspan(word.onset, word.offset, color="white", alpha=0.12, lw=0)
        height = 0.94 - 0.07 * (number % 2)
        axes.text(word.onset, height, word.item, color="white", fontsize=7, transform=_over(axes))


def _draw_similarity(axes: plt.Axes, tables: dict[str, np.ndarray]) -> None:
    """Draw what each two feature spaces, (n_rows, n_features), share."""
    n_rows = min(len(table) for table in tables.values())
    values = [table[:n_rows].astype(float) for table in tables.values()]
    similarity = np.array([[linear_similarity(a, b) for b in values] for a in values])
    axes.imshow(similarity, vmin=0, vmax=1, cmap="cividis")
    for i, j in np.ndindex(similarity.shape):
        colour = "white" if similarity[i, j] < 0.6 else "black"
        axes.text(j, i, f"{similarity[i, j]:.2f}", ha="center", va="center", color=colour)
    axes.set_xticks(range(len(tables)), list(tables), rotation=30, ha="right")
    axes.set_yticks(range(len(tables)), list(tables))
    axes.set_title("what the feature spaces share (linear CKA)", fontsize=9)


def _over(axes: plt.Axes) -> matplotlib.transforms.Transform:
    """Return coordinates: data along the film, fractions of the panel upwards."""
    return axes.get_xaxis_transform()


def _spectrogram(axes: plt.Axes, mel: xr.DataArray, part: slice) -> None:
    times = mel["time"].to_numpy()[part]
    axes.imshow(
        mel.to_numpy()[part].T,
        origin="lower",
        aspect="auto",
        extent=(times[0], times[-1], 0, mel.sizes["mel"]),
        cmap="magma",
    )
    ticks = np.linspace(0, mel.sizes["mel"] - 1, 5).astype(int)
    axes.set_yticks(ticks, [f"{mel['mel'].to_numpy()[tick]:.0f} Hz" for tick in ticks])
    axes.set_xlabel("film time (s)", fontsize=8)


def save(figure: Figure, path: str | Path) -> None:
    """Write the sheet as PNG and free it."""
    # Without the date and version in the file, the same sheet is the same bytes.
    figure.savefig(path, dpi=90, metadata={"Software": None})
    plt.close(figure)
