"""What runs again after a change: every row of the table in docs/invalidation.md.

The study is the tiny one, finished without a computation (`finished.py`); what would run is what
Snakemake itself plans. Rows about conda environments are in tests/integration/test_conda.py.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from subprocess import CompletedProcess

import processes
import pytest
import yaml
from finished import finish
from project_copy import copy_project
from skeleton import write_skeleton

#: What follows when a prediction is another one.
JUDGED = {"check_leakage", "score_predictions", "summarise_scores", "render_report"}
MAPPED = {"map_predictions", "map_group", "draw_maps", "project_maps"}
HEARD = {"invert_mel", "score_sounds"}
#: What follows when BOLD is another one: all of the models and what is made of them.
LEARNED = {"fit_baselines", "train_vae", "train_group", "stack_predictions"}
#: Which clips and labels are read from the brain.
NAMED = {"decode_labels", "retrieve_clips"}
DECODED = {*NAMED, "summarise_decoding"}
FROM_BOLD = LEARNED | JUDGED | MAPPED | HEARD | DECODED
FROM_BOLD |= {"partition_variance"}
#: What is made of results for the report alone, and follows them as the report does.
PAGE = {"average_regions", "compress_sounds", "draw_stills", "graph_rules", "map_ceiling"}
PAGE |= {"measure_quality", "pack_brain", "reconstruct_target", "write_methods"}
PAGE |= {"compare_with_truth", "draw_modalities", "score_persistence", "score_regions"}
PAGE |= {"pool_decoding", "score_pooled", "trace_latents"}


class Copy:
    """A copy of the project with a finished study in it."""

    def __init__(self, root: Path):
        self.root = root

    def snakemake(self, *arguments: str) -> CompletedProcess:
        binaries = Path(sys.executable).parent
        extra = self.root / "changed.yaml"
        return processes.run(
            [
                *(str(binaries / "snakemake"), "--cores", "2", "--configfile", "config.yaml"),
                *("tests/integration/tiny.yaml", *([str(extra)] if extra.exists() else [])),
                *arguments,
            ],
            cwd=self.root,
            env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
            seconds=300,
        )

    def plan(self, *arguments: str) -> dict[str, int]:
        """Return how often each rule would run."""
        done = self.snakemake("-n", *arguments)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text
        assert "missing provenance" not in text
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE))
        assert bool(jobs) != ("Nothing to be done" in text), text
        left_out = {"all", "total", *PAGE}
        return {rule: int(n) for rule, n in jobs.items() if rule not in left_out}

    def append(self, name: str, line: str) -> None:
        """Add a line to a file of the project."""
        path = self.root / name
        path.write_text(path.read_text() + line + "\n")

    def configure(self, **sections: object) -> None:
        """Set what a user would set in a further configuration file."""
        (self.root / "changed.yaml").write_text(yaml.safe_dump(sections))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    copy = Copy(tmp_path_factory.mktemp("finished") / "it's a $(study); really")
    copy_project(copy.root)
    finish(copy.snakemake, copy.root)
    return copy


@pytest.fixture
def study(finished, tmp_path):
    """The finished study in a folder of its own, to change."""
    shutil.copytree(finished.root, tmp_path / "study", symlinks=True)
    return Copy(tmp_path / "study")


def test_nothing_changed(study):
    assert study.plan() == {}


def test_all_code_and_settings_touched(study):
    for name in ("workflow", "envs", "config.yaml", "Snakefile", "requirements.txt"):
        for path in [study.root / name, *(study.root / name).rglob("*")]:
            path.touch()
    assert study.plan() == {}


def test_results_moved_to_a_fresh_clone_elsewhere(study, tmp_path):
    clone = Copy(tmp_path / "another place" / "clone")
    copy_project(clone.root)
    for path in clone.root.rglob("*"):
        path.touch()
    for name in ("results", ".snakemake"):
        shutil.rmtree(clone.root / name, ignore_errors=True)
        shutil.move(study.root / name, clone.root / name)
    assert clone.plan() == {}


def test_a_comment_in_a_module_that_nothing_of_the_study_uses(study):
    study.append("workflow/scripts/stim2bold/networks/transformers.py", "# A comment.")
    assert study.plan() == {}


def test_an_edit_of_the_autoencoder(study):
    study.append("workflow/scripts/stim2bold/vae/network.py", "# A comment.")
    trained = {"train_vae", "train_group", "stack_predictions"}
    assert set(study.plan()) == trained | JUDGED | MAPPED | HEARD


def test_a_setting_of_the_autoencoder_that_another_has_already(study):
    # seeds is 1 in the tiny study.
    study.configure(vae={"beta": 1})
    trained = {"train_vae", "train_group", "stack_predictions"}
    assert set(study.plan()) == trained | JUDGED | MAPPED | HEARD


def test_smoothing(study):
    study.configure(preprocessing={"cleaning": {"smoothing": 4.0}})
    plan = study.plan()
    # The settings are looked at again; no registration, no I3D.
    assert set(plan) == {"validate_inputs", "clean_bold", "extract_bold"} | FROM_BOLD
    # Not the direction that has no brain in it.
    assert plan["train_vae"] == 4


def test_one_more_participant(study):
    study.configure(simulation={"participants": 3})
    plan = study.plan()
    of_its_own = {
        **dict.fromkeys(["simulate_participant", "extract_bold", "clean_bold"], 1),
        **dict.fromkeys(
            f"preprocess_{step}"
            for step in (
                *("anatomy", "tissues", "normalise", "anatomy_figures", "reference"),
                *("motion", "coregister", "resample", "confounds", "figures"),
            )
        ),
    }
    for rule in of_its_own:
        assert plan.pop(rule) == 1, rule
    # Its two directions; of the others, what the group's model predicts is judged anew.
    assert plan.pop("train_vae") == plan.pop("fit_baselines") == 2
    assert plan.pop("stack_predictions") == 2
    assert plan.pop("invert_mel") == plan.pop("score_sounds") == plan.pop("partition_variance") == 1
    assert plan.pop("score_predictions") == 3 + 1
    everybody = {"validate_inputs", "simulate_dataset", "train_group", "estimate_ceiling"}
    assert set(plan) <= everybody | JUDGED | MAPPED | DECODED
    for rule in NAMED & set(plan):
        assert plan[rule] == 1, rule


def test_one_more_participant_and_an_edit_at_once(study):
    study.configure(simulation={"participants": 3})
    study.append("workflow/scripts/stim2bold/preprocessing/head_motion.py", "# A comment.")
    plan = study.plan()
    assert plan["preprocess_motion"] == plan["preprocess_resample"] == 3
    assert plan["preprocess_normalise"] == 1


def test_another_film(tmp_path, finished):
    copy = Copy(tmp_path / "study")
    copy_project(copy.root)
    write_skeleton(tmp_path / "bids", participants=2)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"one film")
    copy.configure(bids_dir=str(tmp_path / "bids"), film=str(film))
    finish(copy.snakemake, copy.root)
    assert copy.plan() == {}
    film.write_bytes(b"another")
    plan = copy.plan()
    stimulus = {"probe_film", "extract_i3d", "extract_spectrogram", "extract_lowlevel"}
    stimulus |= {"extract_modulation", "resample_features", "make_folds"}
    assert stimulus <= set(plan)
    assert not {rule for rule in plan if rule.startswith(("preprocess_", "clean_", "extract_bold"))}


def test_draws_of_the_nulls(study):
    study.configure(evaluation={"surrogates": 198})
    plan = study.plan()
    # Two participants have no ceiling.
    statistics = {"score_predictions", "summarise_scores"}
    clips = {"retrieve_clips", "summarise_decoding", "check_leakage"}
    assert set(plan) == statistics | clips | MAPPED | {"render_report"}


def test_seed_of_the_nulls(study):
    study.configure(evaluation={"seed": 2})
    # Statistics and what is made of them: no training, no prediction, no sound.
    statistics = {"score_predictions", "summarise_scores", "partition_variance"}
    clips = {"retrieve_clips", "summarise_decoding", "check_leakage"}
    assert set(study.plan()) == statistics | clips | MAPPED | {"render_report"}


def test_versions_in_the_report(study):
    study.append("requirements.txt", "another==1.0")
    assert set(study.plan()) == {"render_report"}
