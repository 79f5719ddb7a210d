"""A machine with the stand-in for conda, and a channel with all that the rules ask for."""

import os
import shutil
import sys
from pathlib import Path

import yaml
from processes import succeed

PROJECT = Path(__file__).parents[2]
CONDA = PROJECT / "tests" / "conda"
#: Name on the package index of what conda-forge calls otherwise.
INDEX_NAMES = {
    "opencv": "opencv-contrib-python-headless",
    "pysoundfile": "soundfile",
    "pytorch": "torch",
    "soxr-python": "soxr",
}


def asked_for(rule: str) -> dict[str, str]:
    """What the rule's environment asks of conda: version by name."""
    content = yaml.safe_load((PROJECT / "envs" / f"{rule}.yaml").read_text())
    items = [item for item in content["dependencies"] if isinstance(item, str)]
    return dict(item.split("=") for item in items)


def witnesses_of(root: Path) -> Path:
    """Return the folder in which the jobs of a study testify."""
    return root.parent / f"{root.name} witnesses"


class Conda:
    """The stand-in for conda with its channel, in a folder.

    Parameters
    ----------
    root : Path
        For its programs, packages and channel; made anew.
    """

    def __init__(self, root: Path):
        self.root = root
        tools = root / "tools" / "bin" / "python"
        pip = [tools, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        succeed([sys.executable, "-m", "venv", root / "tools"], seconds=120)
        succeed([*pip, "-r", CONDA / "requirements.txt"], seconds=300)
        rules = [path.stem for path in (PROJECT / "envs").glob("*.yaml")]
        wanted = dict(sorted(pair for rule in rules for pair in asked_for(rule).items()))
        # The virtual environment has the pip that came with its interpreter.
        extra = [f"pip=={wanted['pip']}", "--no-deps", "--target", root / "extra"]
        succeed([*pip, *extra], seconds=120)
        site = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
        names = [INDEX_NAMES.get(name, name) for name in wanted if name != "python"]
        succeed(
            [
                *(tools, CONDA / "channel.py", root / "channels" / "conda-forge"),
                *("--site-packages", root / "extra", site, "--python", sys.base_prefix),
                *("--packages", *names),
            ],
            seconds=900,
        )
        self.home = root / "home"
        (self.home / "bin").mkdir(parents=True)
        for name in ("conda_stand_in.py", "witness.py"):
            shutil.copy2(CONDA / name, self.home / name)
        self.write("conda", f'#!/bin/sh\nexec {tools} -I {self.home}/conda_stand_in.py "$@"\n')
        self.write("activate", (CONDA / "bin" / "activate").read_text())

    def write(self, name: str, text: str) -> None:
        """Write one of its programs."""
        path = self.home / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def snakemake(self, root: Path, profile: str, *arguments: str, seconds: float) -> str:
        """Run Snakemake in a copy of the project by a shipped profile; return what it said.

        Its jobs testify in a folder beside it, see `witnesses_of`.
        """
        return succeed(
            [
                *(Path(sys.executable).with_name("snakemake"), "--profile", f"profiles/{profile}"),
                *("--cores", "2", "--configfile", "config.yaml", *arguments),
            ],
            cwd=root,
            env=self.environment(witnesses_of(root)),
            seconds=seconds,
        )

    def environment(self, witnesses: Path) -> dict[str, str]:
        """The environment of a shell that has it on its PATH."""
        witnesses.mkdir(exist_ok=True)
        return {
            **os.environ,
            "PATH": f"{self.home / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "STAND_IN_CHANNELS": (self.root / "channels").as_uri(),
            "STAND_IN_PACKAGES": str(self.root / "packages"),
            "STAND_IN_WITNESSES": str(witnesses),
        }
