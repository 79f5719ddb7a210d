"""What a plan costs for many participants, and that its longest lines can be run."""

import os
import re
import resource
import sys
from pathlib import Path

import processes
from finished import finish
from skeleton import write_skeleton

from stim2bold.report.rule_graph import read_dot

PROJECT = Path(__file__).parents[2]
# What the shell hands to each program, counted instead of run.
COUNTER = """#!{python}
import sys
from stim2bold.runtime.arguments import ListParser
parser = ListParser(None)
print(len(sys.argv), len(parser._read_args_from_files(sys.argv[1:])))
"""


def study_of(folder, participants: int) -> list[str]:
    """Write a data set; return the settings that name it."""
    root = folder / f"of {participants}"
    write_skeleton(root, participants=participants)
    film = folder / "film.mp4"
    film.write_bytes(b"-")
    return ["--config", f"bids_dir={root}", f"film={film}"]


def processor_seconds(run, *arguments: str) -> tuple[float, str]:
    """Return the processor time of a call to Snakemake, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run(*arguments, timeout=600)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, text


def test_a_plan_grows_with_the_participants_and_not_faster(snakemake, tmp_path):
    # How fast this machine is just now: the same work takes twice as long on a busy one.
    before = processor_seconds(snakemake, "--version")[0]
    small, large = (
        processor_seconds(snakemake, "-n", *study_of(tmp_path, n))[0] for n in (20, 160)
    )
    start = (before + processor_seconds(snakemake, "--version")[0]) / 2
    print(f"plans: {small:.1f} and {large:.1f} s; start of Snakemake: {start:.2f} s")
    assert large / small < 8 * 1.1
    # 4.4 to 5 starts, and 0.14 for each further participant.
    assert small < 10 * start
    assert (large - small) / 140 < 0.25 * start


def test_no_rule_with_all_participants_behind_it_is_in_a_group(snakemake):
    # Of each job in a group Snakemake goes through all that the job depends on: behind a rule that
    # gathers all participants these are everybody's, and a plan grows with the square of their
    # number.
    rules = {}
    for path in (PROJECT / "workflow" / "rules").glob("*.smk"):
        parts = re.split(r"^(?:use )?rule (\w+)", path.read_text(), flags=re.MULTILINE)
        rules.update(zip(parts[1::2], parts[2::2], strict=True))
    graph = snakemake("--rulegraph", "dot")
    names, edges = read_dot(graph.stdout)
    behind = {*GATHERING, "render_report", "write_methods"}
    # The rules come in no order, so that one sweep after another reaches those further down.
    for _ in names:
        behind |= {rule for before, rule in edges if before in behind}
    assert {"score_predictions", "map_predictions"} < behind
    # It reads everybody's files, which no rule has made: what follows has nobody's jobs behind it.
    for rule in {*behind, "validate_inputs"} - {"all"}:
        assert "    group:" not in rules[rule], rule


def test_a_finished_study_says_so_soon(snakemake, tmp_path):
    settings = study_of(tmp_path, 3)
    finish(snakemake, tmp_path, *settings)
    seconds, text = processor_seconds(snakemake, *settings)
    assert "Nothing to be done" in text
    assert seconds < 12


#: Paths of one participant in the longest list of each rule that gathers all participants.
GATHERING = {
    "check_leakage": 13,
    "estimate_ceiling": 1,
    "summarise_scores": 2,
    "train_group": 1,
    "map_group": 1,
}


def test_lines_that_gather_all_participants_can_be_run(snakemake, tmp_path):
    participants = 60
    more = tmp_path / "group.yaml"
    more.write_text("group: {train: true}")
    plan = snakemake(
        *("-n", "-p", "--configfile", str(PROJECT / "config.yaml"), str(more)),
        *study_of(tmp_path, participants),
        timeout=600,
    )
    assert plan.returncode == 0, plan.stderr
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    program.write_text(COUNTER.format(python=sys.executable))
    program.chmod(0o755)
    lines = re.findall(r"^Shell command: (.*)$", plan.stdout + plan.stderr, re.MULTILINE)
    assert len(lines) > 20 * participants
    for line in lines:
        assert len(re.sub(r"@<\(.*?\)", "", line)) < 6000, (
            "a list that grows: hand it over by printf"
        )
    for rule, each in GATHERING.items():
        line = re.search(rf"(python \S*/{rule}\.py .*)$", plan.stdout + plan.stderr, re.MULTILINE)
        assert line, rule
        log = tmp_path / re.search(r" > (\S+) 2>&1  # sources ", line[1])[1]
        log.parent.mkdir(parents=True, exist_ok=True)
        # The limit for a program's arguments is a quarter of the stack: here 32 KB.
        script = tmp_path / f"{rule}.sh"
        script.write_text(f"set -euo pipefail\nulimit -s 128\n{line[1]}\n")
        done = processes.run(
            ["bash", str(script)],
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": f"{program.parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(PROJECT / "workflow" / "scripts"),
            },
            seconds=60,
        )
        assert done.returncode == 0, f"{rule}: {done.stderr}"
        given, read = map(int, log.read_text().split())
        assert given < 60, rule
        assert read - given >= each * participants - 10, rule
