"""Answers the calls to `conda` that Snakemake makes, by rattler: it solves and installs for real.

Each environment gets a witness (`witness.py`): a job that runs in it writes down its interpreter
and where its modules came from.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from rattler import Channel, ChannelConfig, Gateway, MatchSpec, VirtualPackage, install, solve

HOME = Path(__file__).resolve().parent
VERSION = "24.7.1"
CHANNELS = os.environ["STAND_IN_CHANNELS"]
PACKAGES = Path(os.environ["STAND_IN_PACKAGES"])


async def fill(prefix: Path, *, channels: list[str], specs: list[str]) -> None:
    """Solve for the packages and install them into a prefix."""
    config = ChannelConfig(channel_alias=CHANNELS.rstrip("/") + "/")
    records = await solve(
        sources=[Channel(name, config) for name in channels],
        specs=[MatchSpec(spec) for spec in specs],
        gateway=Gateway(cache_dir=PACKAGES / "cache", show_progress=False),
        platforms=["linux-64", "noarch"],
        virtual_packages=VirtualPackage.detect(),
        add_pip_as_python_dependency=False,
    )
    await install(records=records, target_prefix=prefix, cache_dir=PACKAGES, show_progress=False)
    (prefix / "conda-meta").mkdir(parents=True, exist_ok=True)
    (prefix / "conda-meta" / "history").touch()


def create(file: str, prefix: str) -> None:
    """Make the environment that a yaml describes, with its witness."""
    content = yaml.safe_load(Path(file).read_text())
    specs = [item for item in content["dependencies"] if isinstance(item, str)]
    pip = [
        line for item in content["dependencies"] if isinstance(item, dict) for line in item["pip"]
    ]
    channels = [name for name in content["channels"] if name != "nodefaults"]
    asyncio.run(fill(Path(prefix), channels=channels, specs=specs))
    if pip:
        listed = Path(prefix) / "pip-requirements.txt"
        listed.write_text("\n".join(pip) + "\n")
        command = [f"{prefix}/bin/python", "-m", "pip", "install", "--quiet", "-r", str(listed)]
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
        subprocess.run(command, check=True, env=clean)
    for packages in Path(prefix).glob("lib/python3.*/site-packages"):
        (packages / "sitecustomize.py").write_text((HOME / "witness.py").read_text())


def main(arguments: list[str]) -> None:
    """Answer one call."""
    parser = argparse.ArgumentParser()
    for option in ("--quiet", "--yes", "--no-default-packages"):
        parser.add_argument(option, action="store_true")
    parser.add_argument("--file")
    parser.add_argument("--prefix")
    match arguments:
        case ["--version"]:
            print("conda", VERSION)
        case ["info", *_]:
            facts = {"conda_prefix": str(HOME), "root_prefix": str(HOME), "platform": "linux-64"}
            facts |= {"conda_version": VERSION, "channels": [CHANNELS]}
            print(json.dumps(facts))
        case ["config", *_]:
            print(json.dumps({"get": {"channel_priority": "strict"}, "success": True}))
        case ["env", "create", *rest]:
            options = parser.parse_args(rest)
            create(options.file, options.prefix)
        case ["list", "--explicit", *rest]:
            print("@EXPLICIT")
            for path in sorted(Path(parser.parse_args(rest).prefix, "conda-meta").glob("*.json")):
                print(json.loads(path.read_text())["url"])
        case ["clean", *_]:
            pass
        case _:
            sys.exit(f"this stand-in for conda does not know: {arguments}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    # The threads of rattler can abort an interpreter that ends in the usual way.
    os._exit(code)
