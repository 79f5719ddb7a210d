import numpy as np
import pytest
from sklearn.decomposition import PCA

from stim2bold.models.design_matrix import fit_design, principal_axes, standardisation
from stim2bold.models.hrf import around, film_to_bold
from stim2bold.runtime.errors import InputError

NOW = around(0)


def test_principal_axes_are_sklearns():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((50, 6)) @ rng.standard_normal((6, 200))
    rows -= rows.mean(axis=0)
    mine = principal_axes(rows, 4)
    reference = PCA(4).fit(rows).components_.T
    np.testing.assert_allclose(np.abs((mine * reference).sum(axis=0)), 1, atol=1e-8)
    # No more axes than the rows span.
    assert principal_axes(rows, 30).shape == (200, 6)


def planted_axes(n_rows, n_columns, rng):
    """Rows of 200 dimensions whose strength falls off, amid noise, and the axes by SVD."""
    strength = (1 + np.arange(200)) ** -0.7
    rows = (rng.standard_normal((n_rows, 200)) * strength) @ rng.standard_normal((200, n_columns))
    rows += rng.standard_normal(rows.shape)
    return rows, np.linalg.svd(rows, full_matrices=False)[2][:20].T


def test_axes_of_long_and_wide_recordings_are_those_of_the_singular_values(monkeypatch):
    rng = np.random.default_rng(4)
    for n_rows, n_columns in ((400, 900), (900, 300)):
        rows, reference = planted_axes(n_rows, n_columns, rng)
        # Above the limit on rows alone, and on both.
        for exact in (min(n_rows, n_columns), 100):
            monkeypatch.setattr("stim2bold.models.design_matrix.EXACT", exact)
            mine = principal_axes(rows.astype(np.float32), 20)
            np.testing.assert_allclose(mine.T @ mine, np.eye(20), atol=1e-4)
            alike = np.abs((mine * reference).sum(axis=0))
            assert alike[:10].min() > 0.999 and alike.min() > 0.98


def test_a_still_column_does_not_blow_up():
    rows = np.ones((10, 2), dtype=np.float32) * 1000
    rows[:, 1] = np.arange(10)
    mean, scale = standardisation(rows)
    assert scale[0] == 1
    assert scale[1] == np.arange(10).std().astype(np.float32)


def test_test_rows_change_nothing():
    rng = np.random.default_rng(1)
    source = rng.standard_normal((120, 30)).astype(np.float32)
    train = np.arange(60)
    changed = source.copy()
    changed[60:] = 1e3 * rng.standard_normal((60, 30))
    bank = film_to_bold(0.608, reach=12.0)
    one = fit_design(source, train, filters=bank, n_components=5)
    two = fit_design(changed, train, filters=bank, n_components=5)
    for name in ("mean", "scale", "loadings", "centre"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    # The delay looks only back: regressors of training rows are the same too.
    np.testing.assert_array_equal(one.apply(source)[:60], two.apply(changed)[:60])


@pytest.mark.parametrize("still", [0, 1])
def test_a_space_that_does_not_vary_where_it_is_fitted_is_named(still):
    source = np.random.default_rng(3).standard_normal((80, 6)).astype(np.float32)
    source[:60, 3 * still : 3 * still + 3] = 7.0
    with pytest.raises(InputError, match=f"space {still + 1} of 2 does not vary"):
        fit_design(source, np.arange(60), filters=NOW, n_components=2, spaces=(3, 3))


def test_regressors_are_centred_components():
    rng = np.random.default_rng(2)
    source = (5 + rng.standard_normal((80, 12))).astype(np.float32)
    design = fit_design(source, np.arange(80), filters=NOW, n_components=3)
    out = design.apply(source)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-5)
    assert np.sqrt((out**2).mean()) == np.float32(1) or abs(np.sqrt((out**2).mean()) - 1) < 1e-5
    correlation = np.corrcoef(out.T)
    np.testing.assert_allclose(correlation - np.diag(np.diag(correlation)), 0, atol=1e-5)
