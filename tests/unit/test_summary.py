import numpy as np
import pandas as pd
import pytest

from stim2bold.summary import summarise


def test_summary_has_one_row_a_direction_and_model():
    rows = []
    for unit, shift in (("sub-01", 0.0), ("sub-02", 0.1)):
        for model, r in (("mean", 0.0), ("ridge", 0.2), ("vae", 0.25)):
            for fold in ("0", "all"):
                rows.append((unit, "video2bold", model, fold, "r", r + shift * (model != "mean")))
            rows.append((unit, "video2bold", model, "all", "p", 0.01 if shift else 0.2))
    rows.append(("film", "video2audio", "vae", "all", "r", 0.5))
    rows.append(("film", "video2audio", "vae", "all", "p", 0.003))
    table = pd.DataFrame(rows, columns=["unit", "direction", "model", "fold", "measure", "value"])
    out = summarise(table.assign(unit_of_measure="correlation", n=10)).set_index(
        ["direction", "model"]
    )
    assert len(out) == 4
    vae = out.loc["video2bold", "vae"]
    assert vae.n == 2
    assert vae.r == pytest.approx(0.30)
    assert vae.r_spread == pytest.approx(np.std([0.25, 0.35], ddof=1))
    assert vae.skill_over_ridge == pytest.approx(0.05)
    assert vae.skill_over_mean == pytest.approx(0.30)
    assert np.isnan(out.loc["video2audio", "vae"].r_spread)
    # One unit has its own p; of several, the significant are counted and signs flipped.
    assert out.loc["video2audio", "vae"].p == 0.003
    assert vae.units_significant == 1
    assert vae.p == pytest.approx(0.25, abs=0.02)
    assert vae.p_over_ridge == pytest.approx(0.25, abs=0.02)
