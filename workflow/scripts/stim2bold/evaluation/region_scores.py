"""Whether a region's voxels follow a prediction: one test a region, where a map makes thousands.

A region's score is the mean over its voxels of their correlations. What its voxels share by chance
with a prediction, they share with surrogates of it, so the mean has a null of its own, narrower
than a voxel's where voxels follow different features, and there are few regions to correct for.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stim2bold.evaluation.group_map import Group
from stim2bold.evaluation.significance import participants_p, surrogate_test


def region_scores(group: Group, regions: Mapping[str, np.ndarray], *, seed: int) -> pd.DataFrame:
    """Test the mean correlation of each region's voxels against chance.

    Parameters
    ----------
    group : Group
        One participant or several.
    regions : mapping of str to ndarray of shape (n_voxels,), bool
        Which of the group's voxels lie in each; a region without any is left out.
    seed : int
        Of the surrogates.

    Returns
    -------
    DataFrame
        region; voxels; r (mean over voxels, then over participants); p (the film as a random
        sample: predictions of random phase, the same for all participants); q (false-discovery
        rate over the regions); p_participants (participants as a random sample, Student's t; NaN
        for one).
    """
    members = {name: mask for name, mask in regions.items() if mask.any()}
    columns = ["region", "voxels", "r", "p", "q", "p_participants"]
    if not members:
        return pd.DataFrame(columns=columns)
    masks = np.stack(list(members.values()), axis=1).astype(np.float32)
    masks /= masks.sum(axis=0)
    found = surrogate_test(
        [(group.cross @ masks, group.terms)], seed=seed, n=1, spread=group.spread
    )
    people = [participants_p(column) for column in (group.r @ masks).T]
    sizes = [int(mask.sum()) for mask in members.values()]
    table = zip(members, sizes, found.r, found.p, found.q, people, strict=True)
    return pd.DataFrame(table, columns=columns)
