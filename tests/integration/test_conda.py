"""The tiny study by conda on one core, killed at random moments and resumed.

Each rule runs in its own environment, by a stand-in for conda; tests/conda/README.md says what this
proves and what it does not. One run from nothing serves for all: it is compared with `tiny_study`,
undisturbed, on two cores and without conda. So a difference can have several causes; the messages
tell which files to look at, and `compared.py` what may differ.
"""

import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from compared import differences, files
from conda_machine import Conda, witnesses_of
from killed import Killed, moments
from project_copy import copy_project

from stim2bold.sound.scores import pesq_is_installed

PROJECT = Path(__file__).parents[2]
# On one core, and beside another study.
pytestmark = [pytest.mark.release, pytest.mark.timeout(3600)]
TINY = "tests/integration/tiny.yaml"
#: Jobs of the tiny study, at the least.
JOBS = 100
#: What is learned from the film alone, and what the report shows beside.
FILM = (
    "results/predictions/video2audio/film/vae.nc",
    "results/predictions/video2audio/film/ridge.nc",
    "results/features/annotations.nc",
    "results/features/lowlevel.nc",
    "results/views/brain.json",
)


class Study:
    """A copy of the project in which Snakemake runs with a shipped profile."""

    def __init__(self, root: Path, conda: Conda):
        self.root, self.conda = root, conda

    def snakemake(self, *arguments: str, profile: str = "conda", seconds: float = 300) -> str:
        """Run Snakemake; return what it said."""
        return self.conda.snakemake(self.root, profile, TINY, *arguments, seconds=seconds)

    def planned(self, *arguments: str, profile: str = "conda") -> Counter:
        """How many jobs of each rule would run."""
        return jobs(self.snakemake("-n", *arguments, profile=profile))

    def testimonies(self) -> list[dict]:
        """What the jobs wrote down."""
        return [json.loads(path.read_text()) for path in witnesses_of(self.root).glob("*.json")]

    def faults(self, expected: Counter) -> list[str]:
        """What is wrong with where the jobs ran; nothing, if all ran in their own environments."""
        found = self.testimonies()
        ran = Counter(one["script"] for one in found)
        missing = expected - ran
        faults = [f"{rule}: {n} jobs did not testify" for rule, n in missing.items()]
        for one in found:
            prefix = f"{one['prefix']}/"
            if Path(prefix).parent != self.root / ".snakemake" / "conda":
                faults.append(f"{one['script']}: {prefix} is no environment of the study")
            faults += [
                f"{one['script']}: {path} is from elsewhere"
                for path in {one["executable"], *one["path"], *one["modules"]}
                if not path.startswith((prefix, f"{self.root}/workflow/scripts"))
            ]
        return faults


def jobs(text: str) -> Counter:
    """How many jobs of each rule Snakemake counted."""
    found = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}
    return Counter({name: n for name, n in found.items() if name not in ("all", "total")})


@pytest.fixture(scope="module")
def conda(tmp_path_factory):
    # The channel packs what is installed, and score_sounds asks for PESQ.
    if not pesq_is_installed():
        reason = "the package pesq is not installed (make pesq)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return Conda(tmp_path_factory.mktemp("conda"))


@pytest.fixture(scope="module")
def resumed(conda, tmp_path_factory):
    """The study killed three times, each time resumed; its jobs counted before the first."""
    study = Killed(tmp_path_factory.mktemp("conda study") / "study", cores=1, machine=conda)
    study.counted = Study(study.root, conda).planned()
    for kill, (finished, delay) in enumerate(moments(7, 3, jobs=JOBS)):
        # A second run beside the first, too.
        study.kill_at(finished, delay, meanwhile=study.refused if kill == 0 else None)
        study.refused()
        study.unlock()
    study.finish()
    return study


@pytest.fixture(scope="module")
def whole(resumed, conda):
    """The study at its end."""
    return Study(resumed.root, conda)


def test_every_job_ran_in_the_environment_of_its_rule(whole, resumed):
    assert len(resumed.counted) > 50 and {"train_vae", "extract_i3d"} <= set(resumed.counted)
    assert whole.faults(resumed.counted) == []
    # As many environments as there are different ones.
    texts = {(PROJECT / "envs" / f"{rule}.yaml").read_text() for rule in resumed.counted}
    assert len({one["prefix"] for one in whole.testimonies()}) == len(texts)


def test_a_second_run_at_once_and_one_after_a_kill_are_told_how_to_go_on(resumed):
    # That the first goes on undisturbed is what its results show.
    assert len(resumed.told) == 1 + 3
    for told in resumed.told:
        assert "no other Snakemake process is trying to create the same files" in told
        assert "the remaining lock was likely caused by a kill signal or a power loss" in told
        assert "--unlock" in told
        assert "Traceback" not in told and "--rerun-incomplete" not in told


def test_what_a_killed_run_leaves_is_whole(resumed, tiny_study):
    sizes = []
    for snapshot in resumed.snapshots:
        found = files(snapshot)
        wrong = differences(snapshot, tiny_study.results, names=found)
        assert wrong == {}, f"of {len(found)} files at the kill {snapshot.name}"
        sizes.append(len(found))
    # The kills came at different stages of the study.
    assert sorted(sizes) == sizes and sizes[-1] > sizes[0]


def test_the_results_are_those_of_an_undisturbed_run_on_two_cores_without_conda(
    resumed, tiny_study
):
    mine = files(resumed.results)
    assert mine == tiny_study.made
    assert len(mine) > 300
    wrong = differences(resumed.results, tiny_study.results, names=mine)
    assert wrong == {}, "killed three times, by conda and on one core; undisturbed on two"


def test_after_the_end_nothing_is_left_of_the_kills(resumed):
    assert not list(resumed.results.rglob(".writing-*"))
    assert not list(resumed.results.rglob("*_checkpoint*"))
    assert not list((resumed.root / ".snakemake" / "incomplete").rglob("*"))
    again = resumed.start().ended(seconds=300)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_an_edit_of_one_environment_reruns_its_rules_and_what_follows(whole):
    path = whole.root / "envs" / "extract_lowlevel.yaml"
    before = path.read_text()
    assert whole.planned() == Counter()
    path.write_text(before + "  - six=1.17.0\n")
    plan, everything = whole.planned("--", *FILM), whole.planned()
    path.write_text(before)
    assert set(plan) == {"extract_lowlevel", "resample_features", "fit_baselines"}
    assert {*plan, "stack_predictions", "render_report"} <= set(everything)
    assert not {"train_vae", "extract_i3d", "clean_bold"} & set(everything)


def test_leaving_conda_invalidates_all(whole, resumed):
    assert whole.planned(profile="default") == resumed.counted


# How a job can run elsewhere than in its environment, and Snakemake be content.

#: A rule that needs nothing but its code, and its output.
RULE, OUTPUT = "pack_brain", "results/views/brain.json"


@pytest.fixture
def study(conda, tmp_path):
    """A study of which nothing has run."""
    copy_project(tmp_path / "study")
    return Study(tmp_path / "study", conda)


def test_a_job_that_runs_where_it_should_has_no_fault(study):
    study.snakemake("--", OUTPUT)
    assert study.faults(Counter({RULE: 1})) == []


def test_an_environment_without_python_is_seen(study):
    path = study.root / "envs" / f"{RULE}.yaml"
    path.write_text("channels: [conda-forge, nodefaults]\ndependencies: []\n")
    study.snakemake("--", OUTPUT)
    assert (study.root / OUTPUT).exists()
    assert study.faults(Counter({RULE: 1})) == [f"{RULE}: 1 jobs did not testify"]


def test_a_failed_activation_is_seen(study):
    activate = study.conda.home / "bin" / "activate"
    before = activate.read_text()
    activate.write_text("false\n")
    try:
        study.snakemake("--", OUTPUT)
    finally:
        activate.write_text(before)
    assert (study.root / OUTPUT).exists()
    assert study.faults(Counter({RULE: 1})) == [f"{RULE}: 1 jobs did not testify"]


def test_environments_that_are_not_used_are_seen(study):
    study.snakemake("--", OUTPUT, profile="default")
    assert study.faults(Counter({RULE: 1})) == [f"{RULE}: 1 jobs did not testify"]


def test_a_module_from_elsewhere_is_seen(study):
    """As `script:` would allow it, which adds the packages of Snakemake to the job's path."""
    site = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
    path = study.root / "workflow" / "scripts" / f"{RULE}.py"
    path.write_text(
        f"import sys\nsys.path.append({str(site)!r})\nimport pytest\n{path.read_text()}"
    )
    study.snakemake("--", OUTPUT)
    faults = study.faults(Counter({RULE: 1}))
    assert any("pytest" in fault and "is from elsewhere" in fault for fault in faults)
