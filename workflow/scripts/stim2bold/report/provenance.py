"""What ran, with which versions and at what cost."""

import platform
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from stim2bold.preprocessing.derivatives import VERSION

#: Packages whose version changes results, told on the page.
PACKAGES = ("torch", "numpy", "scipy", "nibabel", "nilearn", "librosa", "antspyx", "himalaya")


def pinned_versions(requirements: str | Path) -> dict[str, str]:
    """Return the versions, pinned for every environment, of the packages that shape the results.

    Parameters
    ----------
    requirements : str or Path
        ``requirements.txt``; the rules' conda environments have the same versions.
    """
    lines = Path(requirements).read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==", 1) for line in lines if "==" in line)
    return {
        "stim2bold": VERSION,
        "Python": platform.python_version(),
        "snakemake": pinned["snakemake"],
        **{name: pinned[name] for name in PACKAGES},
    }


def environments(folder: str | Path) -> list[dict[str, Any]]:
    """Return what each rule's environment asks for: ``rule`` and ``packages``.

    Parameters
    ----------
    folder : str or Path
        ``envs``.
    """
    found = []
    for path in sorted(Path(folder).glob("*.yaml")):
        flat = []
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]:
            flat += item["pip"] if isinstance(item, dict) else [item]
        found.append({"rule": path.stem, "packages": flat})
    return found


def costs(folder: str | Path) -> list[dict[str, Any]]:
    """Add up time and memory over the jobs of each rule.

    Parameters
    ----------
    folder : str or Path
        ``results/benchmarks``: RULE.tsv or RULE/**/NAME.tsv, as Snakemake writes them.

    Returns
    -------
    list of dict
        ``rule``, ``jobs``, ``seconds`` (of all jobs), ``longest`` (s) and ``memory`` (largest
        resident set, MB; None where no job ran long enough to be measured), longest first.
    """
    folder = Path(folder)
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        table = pd.read_csv(path, sep="\t", na_values=["-"])
        for job in table.itertuples():
            rows.append((rule, job.s, job.max_rss))
    if not rows:
        return []
    table = pd.DataFrame(rows, columns=["rule", "seconds", "memory"])
    found = [
        {
            "rule": rule,
            "jobs": len(part),
            "seconds": float(part["seconds"].sum()),
            "longest": float(part["seconds"].max()),
            "memory": None if part["memory"].isna().all() else float(part["memory"].max()),
        }
        for rule, part in table.groupby("rule")
    ]
    return sorted(found, key=lambda row: -row["seconds"])
