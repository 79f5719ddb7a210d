"""Design matrices: standardised, reduced and delayed sources, fitted on training rows alone."""

from dataclasses import dataclass

import numpy as np

from stim2bold.hrf import FilterBank


@dataclass(frozen=True)
class Design:
    """A fitted transform from source rows to regressors.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_features,)
        Of the training rows.
    loadings : ndarray of shape (n_features, n_components)
        Principal axes of the standardised training rows, scaled so that the first component has
        unit variance there and the others keep their variance relative to it.
    filters : FilterBank
        Delays.
    centre : ndarray of shape (n_regressors,)
        Mean of the regressors over the training rows.
    spread : float
        Their root mean square deviation, over all regressors.
    """

    mean: np.ndarray
    scale: np.ndarray
    loadings: np.ndarray
    filters: FilterBank
    centre: np.ndarray
    spread: float

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
    source: np.ndarray, train: np.ndarray, *, filters: FilterBank, n_components: int
) -> Design:
    """Fit standardisation, principal components and centring on training rows.

    Parameters
    ----------
    source : ndarray of shape (n_source_rows, n_features)
    train : ndarray of int
        Indices of training rows in `source`.
    filters : FilterBank
    n_components : int
        Principal components to keep.
    """
    mean, scale = standardisation(source[train])
    standard = (source - mean) / scale
    loadings = principal_axes(standard[train], n_components)
    loadings = loadings / (standard[train] @ loadings[:, 0]).std()
    regressors = filters.apply(standard @ loadings)
    centre = regressors[train].mean(axis=0)
    spread = float(np.sqrt(regressors[train].var(axis=0).mean()))
    return Design(
        mean=mean, scale=scale, loadings=loadings, filters=filters, centre=centre, spread=spread
    )
