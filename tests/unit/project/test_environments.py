"""Each rule's conda environment holds what its script imports, at the versions of the .venv."""

import re
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from conda_machine import INDEX_NAMES
from imports import imported_names

PROJECT = Path(__file__).parents[3]
SCRIPTS = PROJECT / "workflow" / "scripts"
#: Name on conda-forge of what an import is called otherwise.
CONDA_NAMES = {
    "PIL": "pillow",
    "ants": "antspyx",
    "cv2": "opencv",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "soundfile": "pysoundfile",
    "soxr": "soxr-python",
    "torch": "pytorch",
    "yaml": "pyyaml",
}
RULES = sorted(path.stem for path in (PROJECT / "envs").glob("*.yaml"))


def pinned() -> dict[str, str]:
    """Versions of what make installs, by lower-case name."""
    names = ("requirements.txt", "requirements-no-deps.txt", "requirements-compiled.txt")
    lines = [line for name in names for line in (PROJECT / name).read_text().splitlines()]
    pairs = (line.partition(";")[0].split("==") for line in lines if "==" in line)
    return {name.lower().replace("_", "-"): number for name, number in pairs}


def dependencies(rule: str) -> list[str]:
    """What the rule's yaml asks for, conda's and pip's, in one list."""
    content = yaml.safe_load((PROJECT / "envs" / f"{rule}.yaml").read_text())
    flat = []
    for item in content["dependencies"]:
        flat += item["pip"] if isinstance(item, dict) else [item]
    return flat


@cache
def foreign_imports(path: Path) -> frozenset[str]:
    """Top-level packages that a file and the project's modules it imports need, at import time."""
    found = set()
    for name in imported_names(path):
        own = SCRIPTS.joinpath(*name.split(".")).with_suffix(".py")
        if own.is_file():
            found |= foreign_imports(own)
        elif name.split(".")[0] != "stim2bold":
            found.add(name.split(".")[0])
    return frozenset(found - sys.stdlib_module_names)


def test_every_script_has_an_environment_and_no_more():
    scripts = {path.stem for path in SCRIPTS.glob("*.py")}
    used = set()
    for path in (PROJECT / "workflow" / "rules").glob("*.smk"):
        text = path.read_text()
        used |= set(re.findall(r"envs/(\w+)\.yaml", text))
    assert set(RULES) == used
    assert used <= scripts


@pytest.mark.parametrize("rule", RULES)
def test_environment_is_complete_and_exact(rule):
    wanted = {}
    for item in dependencies(rule):
        name, _, number = item.partition("==" if "==" in item else "=")
        wanted[name] = number
    assert all(wanted.values()), f"envs/{rule}.yaml: every version is exact"
    imports = foreign_imports(SCRIPTS / f"{rule}.py")
    missing = {CONDA_NAMES.get(name, name.replace("_", "-")) for name in imports} - set(wanted)
    assert not missing, f"envs/{rule}.yaml lacks {sorted(missing)}"


def test_the_environment_that_plans_holds_what_a_plan_imports(tmp_path):
    # graph_rules has Snakemake read the rules, and the user's data set with them.
    common = (PROJECT / "workflow" / "rules" / "common.smk").read_text()
    lines = re.findall(r"^from stim2bold.*", common, re.MULTILINE)
    source = tmp_path / "common.py"
    source.write_text("\n".join(lines))
    imports = foreign_imports(source)
    assert "bids2table" in imports
    wanted = {item.partition("=")[0] for item in dependencies("graph_rules")}
    assert {CONDA_NAMES.get(name, name.replace("_", "-")) for name in imports} <= wanted


@pytest.mark.parametrize("rule", RULES)
def test_environment_agrees_with_requirements(rule):
    versions = pinned()
    for item in dependencies(rule):
        name, _, number = item.partition("==" if "==" in item else "=")
        if name in ("python", "pip", "setuptools"):
            continue
        index_name = INDEX_NAMES.get(name, name)
        assert versions[index_name] == number or versions[index_name].startswith(f"{number}.")


@pytest.mark.parametrize("rule", RULES)
def test_environment_has_the_backend_of_netcdf(rule):
    # h5netcdf imports it when a file is opened, and does not require it.
    wanted = {item.partition("=")[0] for item in dependencies(rule)}
    assert "h5py" in wanted or "h5netcdf" not in wanted


@pytest.mark.parametrize("rule", RULES)
def test_environment_has_its_own_python(rule):
    # Without one, a job runs in Snakemake's, and nobody notices.
    assert "python=3.11" in dependencies(rule)


@pytest.mark.parametrize("rule", RULES)
def test_environment_takes_one_channel(rule):
    content = yaml.safe_load((PROJECT / "envs" / f"{rule}.yaml").read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]


def test_the_profiles_for_conda_turn_conda_on():
    for name in ("conda", "slurm", "generic-cluster"):
        profile = yaml.safe_load((PROJECT / "profiles" / name / "config.yaml").read_text())
        assert profile["software-deployment-method"] == ["conda"], name


def test_no_rule_has_a_directive_that_mixes_environments():
    for path in [PROJECT / "Snakefile", *(PROJECT / "workflow" / "rules").glob("*.smk")]:
        mixing = r"^\s+(script|run|notebook|wrapper|template_engine|cwl):"
        assert re.findall(mixing, path.read_text(), re.MULTILINE) == [], path


def test_no_environment_is_pinned_by_a_file_that_fails_silently():
    assert not list((PROJECT / "envs").glob("*.pin.txt"))
