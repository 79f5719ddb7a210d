"""Design matrices: standardised, reduced and delayed sources, fitted on training rows alone."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import block_diag

from stim2bold.models.directions import Problem
from stim2bold.models.hrf import FilterBank
from stim2bold.runtime.errors import InputError

ROWS, COLUMNS = 1024, 2048
"""Rows that are standardised at a time, and columns that are multiplied in double precision."""
EXACT = 2000
"""Rows or columns of which all principal axes are computed; of more, only those wanted."""


@dataclass(frozen=True)
class Design:
    """A fitted transform from source rows to regressors.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_features,)
        Of the training rows.
    loadings : ndarray of shape (n_features, n_components)
        Principal axes of the standardised training rows, of each feature space on its own, scaled
        so that the first component of a space has unit variance there and the others keep their
        variance relative to it.
    filters : FilterBank
        Delays.
    centre : ndarray of shape (n_regressors,)
        Mean of the regressors over the training rows.
    spread : float
        Their root mean square deviation, over all regressors.
    components : tuple of int
        Components of each feature space, in their order.
    """

    mean: np.ndarray
    scale: np.ndarray
    loadings: np.ndarray
    filters: FilterBank
    centre: np.ndarray
    spread: float
    components: tuple[int, ...]

    def project(self, source: np.ndarray) -> np.ndarray:
        """Return components, before any delay, of shape (n_source_rows, n_components)."""
        return projected(source, self.mean, self.scale, self.loadings)

    def delay(self, components: np.ndarray) -> np.ndarray:
        """Return regressors of shape (n_source_rows, n_regressors) of what `project` returns."""
        return (self.filters.apply(components) - self.centre) / self.spread

    def apply(self, source: np.ndarray) -> np.ndarray:
        """Return regressors of shape (n_source_rows, n_regressors)."""
        return self.delay(self.project(source))


def projected(
    source: np.ndarray, mean: np.ndarray, scale: np.ndarray, loadings: np.ndarray
) -> np.ndarray:
    """Return standardised rows times loadings, a few rows at a time: no copy of the source."""
    parts = [
        ((source[start : start + ROWS] - mean) / scale) @ loadings
        for start in range(0, len(source), ROWS)
    ]
    return np.concatenate(parts)


def standardisation(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale of each column; a column that does not vary gets scale 1.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    """
    mean = rows.mean(axis=0)
    scale = rows.std(axis=0)
    # Relative to the mean: float32 noise on a large constant is not variation.
    still = scale <= 1e-5 * np.abs(mean) + np.finfo(np.float32).tiny
    return mean, np.where(still, 1, scale).astype(rows.dtype)


def principal_axes(rows: np.ndarray, n_components: int) -> np.ndarray:
    """Return principal axes of centred rows, shape (n_columns, n_components or fewer).

    Few rows, of up to hundreds of thousands of columns: by the Gram matrix of the rows. Few
    columns: by that of the columns. Many of both: by `leading_axes`, since an eigendecomposition
    grows with the cube. Rows that do not vary have no axis.
    """
    if len(rows) <= EXACT:
        gram = np.zeros((len(rows), len(rows)))
        for start in range(0, rows.shape[1], COLUMNS):
            double = rows[:, start : start + COLUMNS].astype(np.float64)
            gram += double @ double.T
        values, vectors = leading(np.linalg.eigh(gram), n_components)
        axes = rows.T @ (vectors / np.sqrt(values)).astype(rows.dtype)
    elif rows.shape[1] <= EXACT:
        double = rows.astype(np.float64)
        axes = leading(np.linalg.eigh(double.T @ double), n_components)[1].astype(rows.dtype)
    else:
        axes = leading_axes(rows, n_components)
    if not axes.size:
        return axes
    # The sign of an eigenvector is arbitrary: fix it, so that every machine stores the same model.
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return axes * signs


def leading(
    decomposed: tuple[np.ndarray, np.ndarray], n_components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest eigenvalues of `numpy.linalg.eigh`, none that is zero, with vectors."""
    values, vectors = decomposed
    values, vectors = values[::-1][:n_components], vectors[:, ::-1][:, :n_components]
    kept = values > values[0] * 1e-9
    return values[kept], vectors[:, kept]


def leading_axes(
    rows: np.ndarray, n_components: int, *, more: int = 20, rounds: int = 6
) -> np.ndarray:
    """Return the leading principal axes by randomised subspace iteration, (n_columns, <= n).

    Halko, Martinsson & Tropp, SIAM Review 53:217 (2011), algorithm 4.4; cost n_rows n_columns
    (n_components + more) a round. The draw is always the same.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_columns)
    n_components : int
    more : int
        Dimensions beyond those wanted, which speed convergence up.
    rounds : int
    """
    width = min(n_components + more, *rows.shape)
    drawn = np.random.default_rng(0).standard_normal((rows.shape[1], width))
    basis = rows @ drawn.astype(rows.dtype)
    for _ in range(rounds):
        basis = rows @ (rows.T @ np.linalg.qr(basis)[0])
    left, strength, _ = np.linalg.svd(
        (rows.T @ np.linalg.qr(basis)[0]).astype(np.float64), full_matrices=False
    )
    kept = strength[:n_components] ** 2 > strength[0] ** 2 * 1e-9
    return left[:, :n_components][:, kept].astype(rows.dtype)


def fit_design(
    source: np.ndarray,
    train: np.ndarray,
    *,
    filters: FilterBank,
    n_components: int,
    spaces: tuple[int, ...] | None = None,
) -> Design:
    """Fit standardisation, principal components and centring on training rows.

    Parameters
    ----------
    source : ndarray of shape (n_source_rows, n_features)
    train : ndarray of int
        Indices of training rows in `source`.
    filters : FilterBank
    n_components : int
        Principal components to keep of each space.
    spaces : tuple of int, optional
        Columns of each feature space, in their order; one space by default.

    Raises
    ------
    InputError
        When a space does not vary.
    """
    mean, scale = standardisation(source[train])
    standard = source[train]
    standard -= mean
    standard /= scale
    edges = np.cumsum(spaces or (source.shape[1],))[:-1]
    blocks = [space_loadings(part, n_components) for part in np.split(standard, edges, axis=1)]
    for number, block in enumerate(blocks):
        if not block.size:
            raise InputError(
                "features",
                f"feature space {number + 1} of {len(blocks)} does not vary in the "
                f"{len(train)} rows that are fitted",
                "leave the space out (features, annotations_dir), or give a film in which it "
                "changes",
            )
    loadings = block_diag(*blocks).astype(standard.dtype)
    regressors = filters.apply(projected(source, mean, scale, loadings))
    centre, spread = centring(regressors[train])
    return Design(
        mean=mean,
        scale=scale,
        loadings=loadings,
        filters=filters,
        centre=centre,
        spread=spread,
        components=tuple(block.shape[1] for block in blocks),
    )


def centring(regressors: np.ndarray) -> tuple[np.ndarray, float]:
    """Return `centre` and `spread` of a `Design` by its regressors in the training rows."""
    return regressors.mean(axis=0), float(np.sqrt(regressors.var(axis=0).mean()))


def refiltered(
    design: Design, source: np.ndarray, train: np.ndarray, filters: FilterBank
) -> Design:
    """Return a fitted design with other delays; arguments as of `fit_design`."""
    components = design.project(source)
    centre, spread = centring(filters.apply(components)[train])
    return replace(design, filters=filters, centre=centre, spread=spread)


def fold_design(problem: Problem, train: np.ndarray, *, components: int, bins: int) -> Design:
    """Fit the design of a problem's source to a fold's training rows.

    Parameters
    ----------
    problem : Problem
    train : ndarray of int
        Row numbers.
    components : int
        Principal components to keep of each space.
    bins : int
        Stretches that the seconds after a moment of the film are averaged over.

    Raises
    ------
    InputError
        When a feature space does not vary in the training rows.
    """
    try:
        return fit_design(
            problem.source,
            train - problem.first_row,
            filters=problem.filters(bins=bins),
            n_components=components,
            spaces=problem.spaces,
        )
    except InputError as error:
        times = np.array([train[0], train[-1] + 1]) * problem.tr
        raise InputError(
            problem.direction,
            f"{error.what} (volumes from {times[0]:.1f} to {times[1]:.1f} s)",
            error.fix,
        ) from None


def space_loadings(standard: np.ndarray, n_components: int) -> np.ndarray:
    """Return the principal axes of one feature space, its first component of unit variance.

    Parameters
    ----------
    standard : ndarray of shape (n_train_rows, n_features)
        Standardised; without a column when nothing varies.
    n_components : int
    """
    axes = principal_axes(standard, n_components)
    return axes / (standard @ axes[:, 0]).std() if axes.size else axes


def component_bands(design: Design, *, edges: tuple[int, ...]) -> np.ndarray:
    """Return which band each regressor belongs to, for banded ridge.

    With several feature spaces a band is a space. A single space is cut by the order of its
    components: leading ones are broad and slow, trailing ones fine and noisy.

    Parameters
    ----------
    design : Design
    edges : tuple of int
        Numbers of the components at which a single space is cut.

    Returns
    -------
    ndarray of shape (n_regressors,), int
    """
    if len(design.components) > 1:
        bands = np.repeat(np.arange(len(design.components)), design.components)
    else:
        bands = np.searchsorted(edges, np.arange(design.components[0]), side="right")
    return np.tile(bands, len(design.filters.weights))
