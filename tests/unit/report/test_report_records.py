"""What ran and how models were trained, read back from their records."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stim2bold.report import model_record, provenance, rule_graph, stills

PROJECT = Path(__file__).parents[3]


def test_costs_are_added_up_by_rule(tmp_path):
    head = "s\th:m:s\tmax_rss\tmax_vms\n"
    for name, line in (
        ("train_vae/a.tsv", "10.0\t0:00:10\t500.0\t900"),
        ("train_vae/deep/b.tsv", "30.0\t0:00:30\t400.0\t900"),
        ("make_folds.tsv", "0.1\t0:00:00\t-\t-"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + line + "\n")
    first, second = provenance.costs(tmp_path)
    assert first == {"rule": "train_vae", "jobs": 2, "seconds": 40, "longest": 30, "memory": 500}
    assert second["rule"] == "make_folds" and second["memory"] is None
    assert provenance.costs(tmp_path / "none") == []


def test_versions_and_environments_are_the_projects():
    versions = provenance.pinned_versions(PROJECT / "requirements.txt")
    assert versions["torch"] and versions["Python"].startswith("3.")
    by_rule = {row["rule"]: row["packages"] for row in provenance.environments(PROJECT / "envs")}
    assert "python=3.11" in by_rule["render_report"]
    assert any(package.startswith("snakemake==") for package in by_rule["graph_rules"])


def test_a_models_record_is_averaged_over_folds():
    history = pd.DataFrame(
        {
            "phase": ["inner"] * 4 + ["outer"] * 2,
            "fold": [0, 1, 0, 1, 0, 1],
            "seed": 1,
            "step": [0, 0, 10, 10, 0, 0],
            "total": [1.0, 3.0, 0.5, 0.5, 9.0, 7.0],
            "inner_error": [0.8, 1.0, 0.7, 0.9, np.nan, np.nan],
        }
    )
    diagnostics = pd.DataFrame(
        [(0, "kl", 0, 0.1), (1, "kl", 0, 0.3), (0, "kl", 1, 0.6), (1, "kl", 1, 0.8)]
        + [(1, "coverage_90", -1, 0.8), (0, "coverage_90", -1, 0.9)]
        + [(0, "active_units", -1, 2), (1, "active_units", -1, 1)],
        columns=["fold", "measure", "dimension", "value"],
    )
    record = {"settings": {"seeds": 3, "preset": "p"}, "folds": []}
    record["folds"] = [
        {"steps": n, "slope": s, "initialisation": f"own {n}"} for n, s in ((10, 0.8126), (0, 1.0))
    ]
    found = model_record.describe(record, history, diagnostics)
    assert found["curves"]["error on inner held-out rows"] == [[0, 0.9], [10, 0.8]]
    assert found["curves"]["objective, inner folds"] == [[0, 2.0], [10, 0.5]]
    assert found["curves"]["objective, whole training rows"] == [[0, 8.0]]
    assert found["kl"] == [0.7, 0.2] and found["coverage"] == [0.9, 0.8]
    assert (
        found["active"] == 1.5
        and found["steps"] == [10, 0]
        and found["slopes"] == [0.81, 1.0]
        and found["starts"] == ["own 10", "own 0"]
        and found["spread"] == []
    )


DOT = """digraph snakemake_dag {
\t0[label = "all", color = "0.01 0.6 0.85", style="rounded"];
\t1[label = "report", color = "0.43 0.6 0.85", style="rounded"];
\t2[label = "film", color = "0.1 0.6 0.85", style="rounded"];
\t1 -> 0
\t2 -> 1
\t2 -> 0
}"""


def test_rules_stand_below_what_they_depend_on():
    names, edges = rule_graph.read_dot(DOT)
    assert names == ["all", "report", "film"]
    assert edges == [("report", "all"), ("film", "report"), ("film", "all")]
    drawing = rule_graph.layout(names, edges)
    y = {rule["name"]: rule["y"] for rule in drawing["rules"]}
    assert y["film"] < y["report"] < y["all"] < drawing["height"]
    assert all(edge["y1"] < edge["y2"] for edge in drawing["edges"])


def test_no_two_rules_stand_in_one_place_and_few_edges_cross():
    # Two chains, named so that the order of names crosses them.
    edges = [("a1", "b2"), ("b2", "c1"), ("a2", "b1"), ("b1", "c2")]
    layers = rule_graph.layers_of(["a1", "a2", "b1", "b2", "c1", "c2"], edges)
    place = {name: i for layer in layers for i, name in enumerate(layer)}
    assert place["a1"] == place["b2"] == place["c1"]
    assert place["a2"] == place["b1"] == place["c2"] != place["a1"]


def test_stills_lie_in_rows_at_their_times():
    times = stills.still_times(390.0)
    assert len(times) == stills.MOST and times[0] > 0 and times[-1] < 390
    assert len(stills.still_times(1.0)) == 1
    times = stills.still_times(30.0)
    pictures = (np.full((stills.SIDE, stills.SIDE, 3), 10 * n, np.uint8) for n in range(15))
    sheet, about = stills.sheet_of(pictures, times)
    values = np.asarray(sheet)
    assert about["columns"] == 12 and about["times"] == pytest.approx(list(times), abs=1e-3)
    assert values.shape == (2 * stills.SIDE, 12 * stills.SIDE, 3)
    assert (values[stills.SIDE + 5, 2 * stills.SIDE + 5] == 140).all()
