"""A disk of a size of our own, that only the programs of a test see; it goes when they have ended.

A mount namespace of a user namespace: no right of root is needed where the kernel lets users have
them, as most do.
"""

import os
import shutil
import subprocess
from pathlib import Path


def missing() -> str | None:
    """Say why there can be no such disk here; None where there can."""
    for program in ("unshare", "nsenter", "mount"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: util-linux, mount)"
    tried = subprocess.run(
        ["unshare", *SPACE, "mount", "-t", "tmpfs", "-o", "size=1m", "small", "/mnt"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return None if tried.returncode == 0 else f"no disk can be mounted here: {tried.stderr.strip()}"


#: A namespace in which we are root, and what we mount is seen by nobody else.
SPACE = ("--user", "--map-root-user", "--mount")
FILLER = ".filler"


class SmallDisk:
    """A disk in a folder, for the programs that `inside` starts.

    Parameters
    ----------
    folder : Path
        Where the disk is to be mounted. Outside it stays as it is.
    megabytes : float
        Its size.
    """

    def __init__(self, folder: Path, megabytes: float):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.holder = subprocess.Popen(
            ["unshare", *SPACE, "sh", "-c", 'echo ready; exec sleep "$0"', "1800"],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        self.holder.stdout.readline()
        self.outside = Path(f"/proc/{self.holder.pid}/root{folder}")
        self._mount(f"size={int(megabytes * 1024)}k", "-t", "tmpfs", "small")

    def _mount(self, options: str, *what: str) -> None:
        subprocess.run(
            self.inside("mount", "-o", options, *what, str(self.folder)), check=True, timeout=20
        )

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs `command` where the disk is seen."""
        return [
            *("nsenter", "--target", str(self.holder.pid), "--user", "--mount"),
            *("--preserve-credentials", f"--wdns={Path.cwd()}", *command),
        ]

    def resize(self, megabytes: float) -> None:
        """Give the disk another size; what is on it stays."""
        self._mount(f"remount,size={int(megabytes * 1024)}k")

    def fill(self, *, but: int) -> None:
        """Fill the disk up to so many bytes."""
        free = shutil.disk_usage(self.outside).free
        with (self.outside / FILLER).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - but)

    def free(self) -> None:
        """Give back what `fill` took."""
        (self.outside / FILLER).unlink()

    def protect(self) -> None:
        """Make the disk one that can only be read."""
        self._mount("remount,ro")

    def release(self) -> None:
        """Let the disk be written again."""
        self._mount("remount,rw")

    def close(self) -> None:
        """Let the disk go."""
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
