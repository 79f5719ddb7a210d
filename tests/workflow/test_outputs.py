"""docs/outputs.md, held against what the workflow plans to write."""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
FOLDER = r"sub-[^/]+(?:/ses-[^/]+)?"
TEXT = (PROJECT / "docs" / "outputs.md").read_text(encoding="utf-8")


def pattern(path):
    """What a path of the page stands for: words in capitals for names, a folder for all in it."""
    whole = re.escape(path.rstrip("/")).replace(r"\*", ".*").replace("FOLDER", FOLDER)
    whole = re.sub(r"(?<![A-Za-z])[A-Z]{3,}", "[^/]+", whole)
    return whole + ("(?:/.*)?" if path.endswith("/") else "")


def rows():
    """Lines of the tables that describe files."""
    return [line for line in TEXT.split("MODEL is")[0].splitlines() if line.startswith("| `")]


def described(lines):
    """Patterns of everything that lines of the tables describe."""
    found = []
    for line in lines:
        spans = re.findall(r"`([^`]+)`", line)
        paths = [span for span in spans if re.match(r"[a-z0-9]+(/|\.)", span)]
        found += [pattern(path) for path in paths]
        # An ending is that of another file of the same image or run.
        for ending in (span for span in spans if span.startswith("_") and paths):
            stem = re.match(r".*?/(?:ANAT|RUN)(?:_space-SPACE)?", paths[0])
            found.append(pattern(stem[0] if stem else paths[0]) + re.escape(ending) + ".*")
    return found


def is_described(output, patterns):
    # A sidecar goes with its image or table.
    names = [output] + [output.removesuffix(".json") + end for end in (".nii.gz", ".tsv")]
    return any(re.fullmatch(one, name) for one in patterns for name in names)


@pytest.fixture
def planned(snakemake, tmp_path):
    """The rule of every file below results that a large study makes."""
    more = tmp_path / "more.yaml"
    more.write_text("simulation: {participants: 4}\ngroup: {train: true}\n")
    plan = snakemake("-n", "--summary", "--configfile", str(PROJECT / "config.yaml"), str(more))
    assert plan.returncode == 0, plan.stdout + plan.stderr
    fields = [line.split("\t") for line in plan.stdout.splitlines()]
    found = {line[0]: line[2] for line in fields if line[0].startswith("results/")}
    assert len(found) > 300
    return {name.removeprefix("results/"): rule for name, rule in found.items()}


def test_every_output_that_is_planned_is_described(planned):
    patterns = described(rows())
    assert [one for one in planned if not is_described(one, patterns)] == []


def test_each_row_names_the_rules_that_make_its_files(planned):
    written = "".join(path.read_text() for path in (PROJECT / "workflow/rules").glob("*.smk"))
    wrong, told = {}, set()
    for line in rows():
        rules = set(re.findall(r"`(\w+)`", line.split(" | ")[-1]))
        made = {
            rule for name, rule in planned.items() if is_described(name, described([line]))
        } or rules
        told |= rules
        if rules != made:
            wrong[line[:60]] = rules ^ made
    assert wrong == {}
    assert set(planned.values()) <= told
    assert [rule for rule in told if f"rule {rule}:" not in written] == []


def test_what_is_described_is_not_just_anything():
    patterns = described(rows())
    for other in ("models/x.npy", "maps/film2bold/sub-01/vae_z.nii.gz", "bold/sub-01.tsv", "a.nc"):
        assert not is_described(other, patterns), other
