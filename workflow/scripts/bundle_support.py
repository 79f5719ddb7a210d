"""Put what is needed to help into one file: logs and settings, without names and paths."""

import argparse
import getpass
import logging
import os
import platform
import zipfile
from pathlib import Path

from stim2bold.io.files import replacing
from stim2bold.report.provenance import pinned_versions
from stim2bold.runtime.command import run
from stim2bold.runtime.support_bundle import bundle

logger = logging.getLogger("bundle_support")


def main() -> None:
    """Collect, take names and paths out, write the archive, say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the workflow ran")
    parser.add_argument("--requirements", type=Path, required=True, help="pinned versions")
    parser.add_argument("--out", type=Path, required=True, help="archive to write")
    options = parser.parse_args()
    folder = options.folder.resolve()
    about = {
        "versions": pinned_versions(options.requirements),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
    }
    known = {str(folder): ".", str(Path.home()): "<home>"}
    known |= {name: f"<{what}>" for name, what in ((platform.node(), "host"),) if name}
    user = getpass.getuser()
    # A short name, such as root, is part of words too.
    known |= {f"{before}{user}": f"{before}<user>" for before in ("/home/", "/Users/", "user ")}
    files = bundle(folder, about=about, known=known)
    with (
        replacing(options.out) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, text in files.items():
            archive.writestr(name, text)
    for name in files:
        print(name)
    print(
        f"{options.out}: names of participants, files and folders were taken out; look through it "
        "before you send it"
    )


if __name__ == "__main__":
    run(main)
