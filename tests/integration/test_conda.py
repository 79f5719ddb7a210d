"""Steps of the tiny study in their own conda environments, by a stand-in for conda.

tests/conda/README.md says what this proves and what it does not.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml
from project_copy import copy_project

PROJECT = Path(__file__).parents[2]
CONDA = PROJECT / "tests" / "conda"
#: The steps from a user's data to the folds, with one output of each.
STEPS = {
    "validate_inputs": "results/inputs.json",
    "probe_film": "results/stimulus/film.json",
    "extract_spectrogram": "results/stimulus/mel.nc",
    "resample_spectrogram": "results/features/mel.nc",
    "extract_lowlevel": "results/stimulus/lowlevel_picture.nc",
    "resample_lowlevel": "results/features/lowlevel.nc",
    "gather_blocks": "results/stimulus/blocks.tsv",
    "tabulate_annotations": "results/features/annotations.nc",
    "make_folds": "results/folds.json",
}
#: Name on the package index of what conda-forge calls otherwise.
INDEX_NAMES = {"opencv": "opencv-contrib-python-headless", "soxr-python": "soxr"}


def names(rule: str) -> set[str]:
    """What the rule's environment asks for, as the package index calls it, but for Python."""
    content = yaml.safe_load((PROJECT / "envs" / f"{rule}.yaml").read_text())
    found = {item.partition("=")[0] for item in content["dependencies"]} - {"python"}
    return {INDEX_NAMES.get(name, name) for name in found}


@pytest.fixture(scope="module")
def conda(tmp_path_factory):
    """The environment of a machine with the stand-in for conda, and its channel."""
    root = tmp_path_factory.mktemp("conda")
    venv.create(root / "tools", with_pip=True)
    tools = root / "tools" / "bin" / "python"
    subprocess.run(
        [
            *(str(tools), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("-r", str(CONDA / "requirements.txt")),
        ],
        check=True,
        timeout=300,
    )
    site = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
    subprocess.run(
        [
            *(str(tools), str(CONDA / "channel.py"), str(root / "channels" / "conda-forge")),
            *("--site-packages", str(site), "--python", sys.base_prefix),
            *("--packages", *sorted(set().union(*map(names, STEPS)))),
        ],
        check=True,
        timeout=600,
    )
    home = root / "home"
    (home / "bin").mkdir(parents=True)
    for name in ("conda_stand_in.py", "witness.py"):
        shutil.copy2(CONDA / name, home / name)
    shutil.copy2(CONDA / "bin" / "activate", home / "bin" / "activate")
    (home / "bin" / "conda").write_text(
        f'#!/bin/sh\nexec {tools} -I {home / "conda_stand_in.py"} "$@"\n'
    )
    (home / "bin" / "conda").chmod(0o755)
    (root / "witnesses").mkdir()
    return {
        **os.environ,
        "PATH": f"{home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "STAND_IN_CHANNELS": (root / "channels").as_uri(),
        "STAND_IN_PACKAGES": str(root / "packages"),
        "STAND_IN_WITNESSES": str(root / "witnesses"),
    }


def snakemake(root: Path, environment: dict, *options: str, profile: str = "conda") -> str:
    """Run Snakemake with a shipped profile as far as the folds; return what it said."""
    run = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("snakemake")), "--profile", f"profiles/{profile}"),
            *("--cores", "2", "--configfile", "config.yaml", "own.yaml", *options),
            *("--", *STEPS.values()),
        ],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    text = run.stdout + run.stderr
    assert run.returncode == 0, text[-6000:]
    return text


def own_data(root: Path, data: Path) -> Path:
    """A copy of the project whose configuration names a user's film and data set."""
    copy_project(root)
    film, bids = data / "film.mp4", data / "bids"
    (root / "own.yaml").write_text(yaml.safe_dump({"film": str(film), "bids_dir": str(bids)}))
    return root


@pytest.fixture(scope="module")
def data(tiny_study, tmp_path_factory):
    """The simulated film and data set, as a user's own."""
    folder = tmp_path_factory.mktemp("data") / "simulated"
    shutil.copytree(tiny_study.results / "simulated", folder)
    return folder


@pytest.fixture(scope="module")
def study(data, conda, tmp_path_factory):
    """The steps, each run in its environment."""
    root = own_data(tmp_path_factory.mktemp("conda study") / "study", data)
    snakemake(root, conda)
    return root


def foreign(path: str, prefix: str) -> bool:
    """Whether a module is neither of the project nor of the environment."""
    return not path.startswith(prefix) and "/workflow/scripts/" not in path


def test_each_step_ran_in_its_own_environment(study, conda):
    witnesses = [
        json.loads(path.read_text()) for path in Path(conda["STAND_IN_WITNESSES"]).glob("*.json")
    ]
    assert {witness["script"] for witness in witnesses} == set(STEPS)
    for witness in witnesses:
        prefix = witness["prefix"]
        assert Path(prefix).parent == study / ".snakemake" / "conda", witness["script"]
        assert [path for path in witness["modules"] if foreign(path, prefix)] == []
    # As many environments as there are different ones.
    texts = {(PROJECT / "envs" / f"{rule}.yaml").read_text() for rule in STEPS}
    assert len({witness["prefix"] for witness in witnesses}) == len(texts)


def test_results_equal_those_without_conda(study, data, conda, tmp_path):
    plain = own_data(tmp_path / "study", data)
    snakemake(plain, conda, profile="default")
    for path in STEPS.values():
        assert (study / path).read_bytes() == (plain / path).read_bytes(), path


def planned(text: str) -> set[str]:
    """The rules that would run."""
    return set(re.findall(r"^(\w+) +\d+$", text, re.MULTILINE)) - {"total"}


def test_an_edit_of_one_environment_reruns_its_rules_and_what_follows(study, conda):
    path = study / "envs" / "extract_lowlevel.yaml"
    before = path.read_text()
    assert "Nothing to be done" in snakemake(study, conda, "-n")
    path.write_text(before + "  - six=1.17.0\n")
    plan = planned(snakemake(study, conda, "-n"))
    path.write_text(before)
    assert plan == {"extract_lowlevel", "resample_lowlevel"}


def test_leaving_conda_invalidates_all(study, conda):
    assert planned(snakemake(study, conda, "-n", profile="default")) == set(STEPS)


def test_a_failed_activation_does_not_go_unseen(study, conda, tmp_path):
    """The job succeeds with another Python; but then nobody testifies for its environment."""
    home = tmp_path / "home"
    shutil.copytree(Path(conda["PATH"].split(":")[0]).parent, home)
    for name in ("activate", "conda"):
        path = home / "bin" / name
        path.write_text(path.read_text().replace(conda["PATH"].split("/bin:")[0], str(home)))
    (home / "bin" / "activate").write_text("true\n")
    (tmp_path / "witnesses").mkdir()
    changed = {"PATH": f"{home / 'bin'}:{conda['PATH']}"}
    changed["STAND_IN_WITNESSES"] = str(tmp_path / "witnesses")
    snakemake(study, conda | changed, "--forcerun", "make_folds")
    assert list((tmp_path / "witnesses").glob("make_folds_*")) == []
    changed["PATH"] = conda["PATH"]
    snakemake(study, conda | changed, "--forcerun", "make_folds")
    assert len(list((tmp_path / "witnesses").glob("make_folds_*"))) == 1


def test_no_environment_is_pinned_by_a_file_that_fails_silently():
    assert not list((PROJECT / "envs").glob("*.pin.txt"))


def test_the_profiles_for_conda_turn_conda_on():
    for name in ("conda", "slurm", "generic-cluster"):
        profile = yaml.safe_load((PROJECT / "profiles" / name / "config.yaml").read_text())
        assert profile["software-deployment-method"] == ["conda"], name
