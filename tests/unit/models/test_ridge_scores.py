"""R2 of several predictions at once is himalaya's."""

import numpy as np
from himalaya.scoring import r2_score

from stim2bold.models.ridge import r2_scores


def test_scores_are_himalayas():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((40, 7)).astype(np.float32)
    truth[:, 3] = 2.5
    predictions = (0.5 * truth + rng.standard_normal((5, 40, 7))).astype(np.float32)
    found = r2_scores(truth, predictions)
    np.testing.assert_allclose(found, r2_score(truth, predictions), atol=1e-5)
    assert (found[:, 3] == 0).all() and found.shape == (5, 7)
    assert r2_scores(truth, truth[np.newaxis])[0, 0] == 1
