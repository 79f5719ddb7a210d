"""docs/outputs.md, held against what the workflow plans to write."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FOLDER = r"sub-[^/]+(?:/ses-[^/]+)?"
TEXT = (PROJECT / "docs" / "outputs.md").read_text(encoding="utf-8")


def pattern(path):
    """What a path of the page stands for: words in capitals for names, a folder for all in it."""
    whole = re.escape(path.rstrip("/")).replace(r"\*", ".*").replace("FOLDER", FOLDER)
    whole = re.sub(r"(?<![A-Za-z])[A-Z]{3,}", "[^/]+", whole)
    return whole + ("(?:/.*)?" if path.endswith("/") else "")


def described():
    """Patterns of everything that the tables describe."""
    found = []
    for line in TEXT.split("MODEL is")[0].splitlines():
        spans = re.findall(r"`([^`]+)`", line) if line.startswith("| `") else []
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


def test_every_output_that_is_planned_is_described(snakemake, tmp_path):
    more = tmp_path / "more.yaml"
    more.write_text("simulation: {participants: 4}\ngroup: {train: true}\n")
    plan = snakemake("-n", "--summary", "--configfile", str(PROJECT / "config.yaml"), str(more))
    assert plan.returncode == 0, plan.stdout + plan.stderr
    outputs = [line.split("\t")[0] for line in plan.stdout.splitlines()]
    outputs = [one.removeprefix("results/") for one in outputs if one.startswith("results/")]
    assert len(outputs) > 300
    patterns = described()
    assert [one for one in outputs if not is_described(one, patterns)] == []


def test_what_is_described_is_not_just_anything():
    patterns = described()
    for other in ("models/x.npy", "maps/video2bold/sub-01/vae_z.nii.gz", "bold/sub-01.tsv", "a.nc"):
        assert not is_described(other, patterns), other
