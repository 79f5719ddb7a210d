"""What ran, with which versions and at what cost."""

import platform
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

#: Packages whose version changes results, told on the page.
PACKAGES = ("torch", "numpy", "scipy", "nibabel", "nilearn", "librosa", "antspyx", "himalaya")

#: What the methods paragraph names.
REFERENCES = (
    "Avants et al. (2008). Symmetric diffeomorphic image registration. Medical Image Analysis "
    "12:26.",
    "Baker & Matthews (2004). Lucas–Kanade 20 years on. International Journal of Computer Vision "
    "56:221.",
    "Benjamini & Hochberg (1995). Controlling the false discovery rate. Journal of the Royal "
    "Statistical Society B 57:289.",
    "Carreira & Zisserman (2017). Quo vadis, action recognition? CVPR.",
    "Dupré la Tour et al. (2022). Feature-space selection with banded ridge regression. NeuroImage "
    "264:119728.",
    "Kubichek (1993). Mel-cepstral distance measure for objective speech quality assessment. IEEE "
    "PacRim.",
    "Perraudin, Balazs & Søndergaard (2013). A fast Griffin–Lim algorithm. WASPAA.",
    "Prichard & Theiler (1994). Generating surrogate data for time series. Physical Review Letters "
    "73:951.",
    "Smith (2002). Fast robust automated brain extraction. Human Brain Mapping 17:143.",
    "Taal et al. (2011). An algorithm for intelligibility prediction of time–frequency weighted "
    "noisy speech. IEEE TASLP 19:2125.",
    "Tustison et al. (2010). N4ITK: improved N3 bias correction. IEEE TMI 29:1310.",
    "Yadav et al. (2020). Speech prediction in silent videos using variational autoencoders. "
    "arXiv 2011.07340.",
)


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
