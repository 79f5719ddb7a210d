"""What goes to those who are asked for help: logs and settings, without names and paths."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stim2bold.runtime.failed_jobs import failures

#: Snakemake's own logs that are looked at, the newest.
NEWEST = 3
PARTICIPANT = re.compile(r"sub-([A-Za-z0-9]+)")
# Anything that begins at the root of the file system; what ends a path in a message ends it here.
ABSOLUTE = re.compile(r"(?<![\w.~<-])/(?:[^\s\"'<>|:;,()\[\]{}]+)")


class Names:
    """What must not be seen, and what stands in its place.

    Parameters
    ----------
    labels : iterable of str
        Of participants, without ``sub-``.
    known : mapping of str to str
        Other texts, such as the path of the film, and what they are called.
    """

    def __init__(self, labels: Iterable[str], known: Mapping[str, str]) -> None:
        self.labels: dict[str, str] = {}
        for label in labels:
            self._label(label)
        # A path that begins with another one is taken first.
        self.known = sorted(known.items(), key=lambda item: -len(item[0]))

    def _label(self, label: str) -> str:
        return self.labels.setdefault(label, f"p{len(self.labels) + 1:03d}")

    def without(self, text: str) -> str:
        """Return a text without names and paths."""
        for name, instead in self.known:
            text = text.replace(name, instead)
        text = PARTICIPANT.sub(lambda match: f"sub-{self._label(match[1])}", text)
        text = ABSOLUTE.sub("<path>", text)
        for label, instead in self.labels.items():
            # Alone, as in lists of JSON and "participant 01: ...".
            text = re.sub(rf"(?<=[\"'])(?:{re.escape(label)})(?=[\"'])", instead, text)
            text = re.sub(rf"(?<=participant ){re.escape(label)}\b", instead, text)
        return text


def paths_in(settings: Any, name: str = "") -> dict[str, str]:
    """Return the texts in settings that name files or folders, by what the settings call them."""
    if isinstance(settings, Mapping):
        found = {}
        for key, value in settings.items():
            found |= paths_in(value, f"{name}.{key}" if name else str(key))
        return found
    if isinstance(settings, str) and ("/" in settings or Path(settings).suffix):
        return {settings: f"<{name}>"}
    return {}


def logs_of(folder: Path) -> list[Path]:
    """Return the newest logs of Snakemake, and those of the steps that failed in them.

    Parameters
    ----------
    folder : Path
        Where the workflow ran.
    """
    own = sorted((folder / ".snakemake" / "log").glob("*.log"))[-NEWEST:]
    text = "".join(path.read_text(encoding="utf-8", errors="replace") for path in own)
    steps = [folder / step.log for step in failures(text, folder=folder)]
    return [*own, *(path for path in dict.fromkeys(steps) if path.is_file())]


def bundle(folder: Path, *, about: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a bundle by name, without names and paths.

    Parameters
    ----------
    folder : Path
        Where the workflow ran.
    about : mapping
        What is known of the machine and the installation.
    known : mapping of str to str
        Texts that must not be seen, beside those of the settings, and what stands in their place.
    """
    results = folder / "results"
    written = [results / name for name in ("inputs.json", "failures.json", "methods.json")]
    files = [path for path in [*written, *logs_of(folder)] if path.is_file()]
    texts = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in files
    }
    labels: list[str] = []
    settings: Any = {}
    if "results/inputs.json" in texts:
        inputs = json.loads(texts["results/inputs.json"])
        labels = [*inputs["participants"], *(row["participant"] for row in inputs["missing"])]
    if "results/methods.json" in texts:
        methods = json.loads(texts["results/methods.json"])
        settings = methods.get("configuration", {})
        known = {**known, methods["study"]: "<study>"}
    names = Names(labels, {**known, **paths_in(settings)})
    texts["about.json"] = json.dumps(about, indent=2)
    return {names.without(name): names.without(text) for name, text in texts.items()}
