"""Runs of several echoes: which series belong together, and at which times they were read."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, few, note, warning
from stim2bold.study.bids_names import entities, stem
from stim2bold.study.sidecars import read_sidecars


@dataclass(frozen=True)
class Echo:
    """One echo of a run.

    Attributes
    ----------
    bold : Path
        Its series.
    sidecars : tuple of Path
        JSON files that apply to it, nearest last.
    """

    bold: Path
    sidecars: tuple[Path, ...]


def run_stem(series: Path) -> str:
    """Return the entities of a series' run, which are those of the series without its echo."""
    return "_".join(part for part in stem(series).split("_") if not part.startswith("echo-"))


def gather_echoes(
    series: Iterable[Path], root: Path
) -> tuple[list[tuple[Path, ...]], list[Problem]]:
    """Put the echoes of each run together.

    Parameters
    ----------
    series : iterable of Path
        Below the data set's root.
    root : Path
        For messages.

    Returns
    -------
    runs : list of tuple of Path
        The series of each run, in the order of their echoes.
    problems : list of Problem
        A run that is there both as echoes and as one series, which is not among the runs; a run
        with a single echo.
    """
    found: dict[tuple, list[tuple[str, Path]]] = {}
    for path in series:
        own = entities(stem(path))
        echo = own.pop("echo", "")
        found.setdefault(tuple(sorted(own.items())), []).append((echo, path))
    runs, problems = [], []
    for echoes in found.values():
        # Numbers without their zeros: by length, then by digits.
        echoes.sort(key=lambda one: (len(one[0]), one[0]))
        paths = tuple(path for _, path in echoes)
        if len(paths) > 1 and not echoes[0][0]:
            problems.append(
                error(
                    root / paths[0],
                    f"is there as one series and as echoes: {few([path.name for path in paths])}",
                    "list in .bidsignore what is not to be used",
                )
            )
            continue
        if len(paths) == 1 and echoes[0][0]:
            problems.append(
                warning(
                    root / paths[0],
                    "is the only echo of its run and is used alone",
                    "add the others, if there are any",
                )
            )
        runs.append(paths)
    return runs, problems


def combined_only(series: list[Path], root: Path) -> tuple[list[bool], list[Problem]]:
    """Tell which preprocessed series are no single echoes, and name those that are."""
    single = ["echo" in entities(stem(path)) for path in series]
    left = [path.name for path, one in zip(series, single, strict=True) if one]
    problems = []
    if left and all(single):
        what = f"holds single echoes only, which cannot be combined any more: {few(left)}"
        fix = "give the raw data set alone, or derivatives with the combined series"
        problems.append(error(root, what, fix))
    elif left:
        what = f"{len(left)} series of single echoes are passed over: {few(left)}"
        problems.append(note(root, what, "nothing need be done: the combined series is used"))
    return [not one for one in single], problems


def echo_times(echoes: Iterable[Echo]) -> list[float]:
    """Return the times at which the echoes of a run were read, in seconds.

    Raises
    ------
    InputError
        When one is missing, is no time in seconds or does not follow the one before.
    """
    times: list[float] = []
    for echo in echoes:
        file = echo.sidecars[-1] if echo.sidecars else echo.bold
        time = read_sidecars(echo.sidecars).get("EchoTime")
        if not isinstance(time, int | float) or isinstance(time, bool) or not time > 0:
            what = "has no EchoTime" if time is None else f"EchoTime {time!r} is no time"
            raise InputError(file, what, "add EchoTime in seconds, which combining echoes needs")
        if time >= 1:
            fix = "if it is in milliseconds, divide it by 1000"
            raise InputError(file, f"EchoTime {time:g} s is longer than any echo's", fix)
        if times and time <= times[-1]:
            what = f"EchoTime {time:g} s does not follow that of the echo before, {times[-1]:g} s"
            raise InputError(file, what, "correct EchoTime or the names of the echoes")
        times.append(float(time))
    return times
