"""Design matrices: standardised, reduced and delayed sources, fitted on training rows alone."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag

from stim2bold.directions import Problem
from stim2bold.hrf import FilterBank, around


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

    def apply(self, source: np.ndarray) -> np.ndarray:
        """Return regressors of shape (n_source_rows, n_regressors)."""
        components = ((source - self.mean) / self.scale) @ self.loadings
        return (self.filters.apply(components) - self.centre) / self.spread


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

    The axes are those of the Gram matrix of the rows, which costs n_rows^2 n_columns: there are
    hundreds of rows and up to hundreds of thousands of columns.
    """
    gram = rows.astype(np.float64) @ rows.T.astype(np.float64)
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1][:n_components], vectors[:, ::-1][:, :n_components]
    kept = values > values[0] * 1e-9
    axes = rows.T @ (vectors[:, kept] / np.sqrt(values[kept])).astype(rows.dtype)
    # The sign of an eigenvector is arbitrary: fix it, so that every machine stores the same model.
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return axes * signs


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
    """
    mean, scale = standardisation(source[train])
    standard = (source - mean) / scale
    edges = np.cumsum(spaces or (source.shape[1],))[:-1]
    blocks = [
        space_loadings(part, train, n_components) for part in np.split(standard, edges, axis=1)
    ]
    loadings = block_diag(*blocks).astype(standard.dtype)
    regressors = filters.apply(standard @ loadings)
    centre = regressors[train].mean(axis=0)
    spread = float(np.sqrt(regressors[train].var(axis=0).mean()))
    return Design(
        mean=mean,
        scale=scale,
        loadings=loadings,
        filters=filters,
        centre=centre,
        spread=spread,
        components=tuple(block.shape[1] for block in blocks),
    )


def fold_design(
    problem: Problem, train: np.ndarray, *, components: int, bins: int, delayed: bool = True
) -> Design:
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
    delayed : bool
        Whether the source is carried over the haemodynamic delay.
    """
    return fit_design(
        problem.source,
        train - problem.first_row,
        filters=problem.filters(bins=bins) if delayed else around(0),
        n_components=components,
        spaces=problem.spaces,
    )


def space_loadings(standard: np.ndarray, train: np.ndarray, n_components: int) -> np.ndarray:
    """Return the principal axes of one feature space, its first component of unit variance."""
    axes = principal_axes(standard[train], n_components)
    return axes / (standard[train] @ axes[:, 0]).std()


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
    ndarray of int, shape (n_regressors,)
    """
    if len(design.components) > 1:
        bands = np.repeat(np.arange(len(design.components)), design.components)
    else:
        bands = np.searchsorted(edges, np.arange(design.components[0]), side="right")
    return np.tile(bands, len(design.filters.weights))
