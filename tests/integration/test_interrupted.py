"""A run that is killed at random moments ends as one that was not, on one core as on two.

One run from nothing serves for all: on one core, killed three times and resumed, beside the
undisturbed `tiny_study` on two cores. So a difference can have three causes; the messages tell
which files to look at, and `compared.py` what may differ.
"""

import pytest
from compared import differences, files
from killed import Killed, moments

# On one core, and beside another study.
pytestmark = [pytest.mark.release, pytest.mark.timeout(3000)]
#: Jobs of the tiny study, at the least.
JOBS = 100


@pytest.fixture(scope="session")
def resumed(tmp_path_factory):
    """A study that was killed three times, each time resumed."""
    study = Killed(tmp_path_factory.mktemp("resumed") / "it's killed; really", cores=1)
    for kill, (finished, delay) in enumerate(moments(7, 3, jobs=JOBS)):
        # A second run beside the first, too.
        study.kill_at(finished, delay, meanwhile=study.refused if kill == 0 else None)
        study.refused()
        study.unlock()
    study.finish()
    return study


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


def test_resumed_on_one_core_the_results_are_those_of_an_undisturbed_run_on_two(
    resumed, tiny_study
):
    mine = files(resumed.results)
    assert mine == tiny_study.made
    assert len(mine) > 300
    wrong = differences(resumed.results, tiny_study.results, names=mine)
    assert wrong == {}, "killed three times and on one core; undisturbed on two"


def test_after_the_end_nothing_is_left_of_the_kills(resumed):
    assert not list(resumed.results.rglob(".writing-*"))
    assert not list(resumed.results.rglob("*_checkpoint*"))
    assert not list((resumed.root / ".snakemake" / "incomplete").rglob("*"))
    again = resumed.start().ended(seconds=300)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
