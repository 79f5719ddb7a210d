"""A conda channel made of the interpreter and the packages of a virtual environment.

``python channel.py CHANNEL --site-packages FOLDER ... --python PREFIX --packages NAME ...`` packs
the named packages and all that they require, at the versions that are installed.
"""

import argparse
import asyncio
import hashlib
import io
import json
import os
import subprocess
import tarfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import rattler.index
from conda_package_streaming.create import conda_builder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SUBDIR = "linux-64"
#: Stands for the prefix in text files, and is replaced when they are installed.
PLACEHOLDER = "/opt/" + "placeholder_" * 12
#: By these Debian's interpreter has pip install nothing, and reports crashes: an environment has
#: pip's packages and a `sitecustomize` of its own.
DEBIANS = ("EXTERNALLY-MANAGED", "sitecustomize.py")
#: What conda-forge calls otherwise.
CONDA_NAMES = {
    "torch": "pytorch",
    "soundfile": "pysoundfile",
    "soxr": "soxr-python",
    "opencv-contrib-python-headless": "opencv",
}


def write_package(
    channel: Path,
    *,
    name: str,
    version: str,
    depends: list[str],
    files: dict[str, Path],
    links: dict[str, str] | None = None,
    prefix: str | None = None,
) -> None:
    """Write one package; where a text file holds `prefix`, the place of installation goes there."""
    links = links or {}
    index = {"name": name, "version": version, "build": "0", "build_number": 0}
    index |= {"subdir": SUBDIR, "arch": "x86_64", "platform": "linux", "depends": depends}
    paths = [{"_path": path, "path_type": "softlink"} for path in links]
    with conda_builder(
        f"{name}-{version}-0", channel / SUBDIR, compression_level=1, compression_threads=2
    ) as archive:
        for path, source in files.items():
            data = source.read_bytes()
            entry = {"_path": path, "path_type": "hardlink"}
            if prefix and data.startswith(b"\x7fELF"):
                # The library is looked for beside the program, not where it was built.
                old = f"{prefix}/lib\0".encode()
                new = f"$ORIGIN/{os.path.relpath('lib', os.path.dirname(path))}\0".encode()
                data = data.replace(old, new.ljust(len(old), b"\0"))
            elif prefix and prefix.encode() in data and b"\0" not in data:
                data = data.replace(prefix.encode(), PLACEHOLDER.encode())
                entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
            entry |= {"sha256": hashlib.sha256(data).hexdigest(), "size_in_bytes": len(data)}
            paths.append(entry)
            member = tarfile.TarInfo(path)
            member.mode = 0o755 if os.access(source, os.X_OK) else 0o644
            # What is compiled is good for a source of this time; to compile it all in each
            # environment would take longer than the jobs.
            member.mtime = int(source.stat().st_mtime)
            add(archive, member, data)
        for path, target in links.items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
        information = {
            "info/index.json": json.dumps(index),
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}),
            "info/files": "".join(f"{entry['_path']}\n" for entry in paths),
            "info/about.json": json.dumps({"summary": "packed for the tests"}),
        }
        for path, text in information.items():
            add(archive, tarfile.TarInfo(path), text.encode())


def add(archive: tarfile.TarFile, member: tarfile.TarInfo, data: bytes) -> None:
    """Add a file to an archive."""
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def pack_python(channel: Path, prefix: Path) -> str:
    """Pack an interpreter with its library; return its version without the patch level."""
    ask = "import platform; print(platform.python_version())"
    version = subprocess.check_output([prefix / "bin" / "python3", "-Ic", ask], text=True).strip()
    short = version.rpartition(".")[0]
    left_out = {"site-packages", "test", "idlelib", "ensurepip", "tkinter"}
    library = prefix / "lib" / f"python{short}"
    files = {f"bin/python{short}": (prefix / "bin" / f"python{short}").resolve()}
    for folder, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in left_out]
        for name in names:
            if not name.endswith((".a", ".o")) and name not in DEBIANS:
                path = Path(folder) / name
                files[str(path.relative_to(prefix))] = path
    # Debian's looks for packages in a folder of its own, which is none of another's.
    pth = channel / "site-packages.pth"
    pth.write_text(f"../../python{short}/site-packages\n", encoding="ascii")
    files["lib/python3/dist-packages/site-packages.pth"] = pth
    links = {"bin/python": f"python{short}", "bin/python3": f"python{short}"}
    for path in (prefix / "lib").glob(f"libpython{short}.so.*"):
        files[f"lib/{path.name}"] = path
    write_package(
        channel,
        name="python",
        version=version,
        depends=[],
        files=files,
        links=links,
        prefix=str(prefix),
    )
    return short


def requirements(package: Distribution) -> list[str]:
    """Return the names of what a package requires on this machine."""
    found = [Requirement(text) for text in package.requires or []]
    wanted = [r for r in found if r.marker is None or r.marker.evaluate({"extra": ""})]
    return [canonicalize_name(r.name) for r in wanted]


def main() -> None:
    """Pack the interpreter, then the packages and what they require."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("channel", type=Path)
    parser.add_argument(
        "--site-packages", type=Path, nargs="+", required=True, help="the first that has it counts"
    )
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--packages", nargs="+", required=True, help="as the index calls them")
    arguments = parser.parse_args()
    (arguments.channel / SUBDIR).mkdir(parents=True)
    (arguments.channel / "noarch").mkdir()
    short = pack_python(arguments.channel, arguments.python)
    installed = {
        canonicalize_name(package.metadata["Name"]): package
        for folder in reversed(arguments.site_packages)
        for package in distributions(path=[str(folder)])
    }
    waiting, packed = [canonicalize_name(name) for name in arguments.packages], set()
    while waiting:
        name = waiting.pop()
        if name in packed:
            continue
        packed.add(name)
        package = installed[name]
        needs = [need for need in requirements(package) if need in installed]
        waiting += needs
        files = {
            f"lib/python{short}/site-packages/{path}": Path(path.locate())
            for path in package.files
            if not str(path).startswith("..") and path.locate().is_file()
        }
        write_package(
            arguments.channel,
            name=CONDA_NAMES.get(name, name),
            version=package.version.partition("+")[0],
            depends=[f"python {short}.*", *(CONDA_NAMES.get(need, need) for need in needs)],
            files=files,
        )
    asyncio.run(rattler.index.index_fs(arguments.channel, write_shards=False, force=True))


if __name__ == "__main__":
    main()
    # The threads of rattler can abort an interpreter that ends in the usual way.
    os._exit(0)
