"""Measured claims of the validation of inputs and of fetching.

Reading headers is one thread's work, so that its processor time is what it takes on a machine that
does nothing else.
"""

import hashlib
import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests/support", "tests/unit/study")]

import planted_study  # noqa: E402
from claims import row  # noqa: E402
from s3_server import make_bucket, s3_server  # noqa: E402
from skeleton import write_skeleton  # noqa: E402
from test_validate import FAULTS, Patient  # noqa: E402

from stim2bold.io import s3_archive  # noqa: E402
from stim2bold.study import bids, validate  # noqa: E402
from stim2bold.study.bids_index import Choice  # noqa: E402


def spent(call) -> tuple[float, object]:
    """Return the processor time of a call in seconds, and what it returned."""
    began = time.process_time()
    result = call()
    return time.process_time() - began, result


def validate_index_1000() -> list[dict]:
    """Index a data set of 1,000 participants of the shape of ds003688."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        write_skeleton(Path(folder) / "bids", participants=1000)
        choice = Choice(selection={"task": "film"})
        values = []
        for _ in range(3):
            seconds, (runs, problems) = spent(
                lambda: bids.index_study(Path(folder) / "bids", choice)
            )
            if len(runs) != 1000 or problems:
                raise RuntimeError(f"{len(runs)} runs, {problems[:3]}")
            values.append(seconds)
    return [
        row(
            "validate_index_1000",
            values,
            unit="s of processor time",
            goal=10,
            better="lower",
            seconds=time.perf_counter() - start,
        )
    ]


def validate_30() -> list[dict]:
    """Examine 30 participants with volumes of the true size, 64 of them: time, false alarms."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        config = planted_study.write_study(root, participants=30)
        # What lies behind the first volume is not read, whether 64 or 641 of them.
        shape = (64, 64, 40, 64)
        for number in range(30):
            name = f"sub-{number + 1:02d}"
            series = np.full(shape, 100, dtype=np.int16)
            series[number, :, :, :] = 200
            planted_study.save_series(
                root / "bids" / name / "func" / f"{name}_task-film_run-1_bold.nii.gz",
                series,
                TR=6.08,
                dtype="int16",
            )
            sidecar = root / "bids" / name / "func" / f"{name}_task-film_run-1_bold.json"
            sidecar.write_text('{"RepetitionTime": 6.08, "TaskName": "film"}')
            events = [(30.0 * k, 30.0, ("music", "speech")[k % 2]) for k in range(13)]
            (sidecar.parent / f"{name}_task-film_run-1_events.tsv").write_text(
                planted_study.events_text(events)
            )
        planted_study.write_film_of(root / "film.mkv", 390)
        values = []
        for _ in range(3):
            seconds, findings = spent(lambda: validate.examine(config))
            values.append(seconds)
    took = time.perf_counter() - start
    for problem in findings.problems:
        logging.info("%s", problem.message)
    return [
        row(
            "validate_30", values, unit="s of processor time", goal=30, better="lower", seconds=took
        ),
        row(
            "validate_false_alarms",
            [len(findings.problems)],
            unit="problems told of a healthy data set of 30",
            goal=0,
            better="lower",
            seconds=took,
        ),
    ]


def validate_faults() -> list[dict]:
    """Plant one fault at a time: the share that is found by name."""
    start = time.perf_counter()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        healthy = Path(folder) / "healthy"
        planted_study.write_study(healthy)
        for number, (plant, severity, file, words) in enumerate(FAULTS.values()):
            patient = Patient(healthy, Path(folder) / str(number))
            plant(patient)
            problems = validate.examine(patient.config).problems
            found.append(
                any(
                    problem.severity == severity
                    and problem.file.endswith(file)
                    and words in f"{problem.what}; {problem.fix}"
                    for problem in problems
                )
            )
    return [
        row(
            "validate_faults",
            found,
            unit="share of planted faults found by name",
            goal=1,
            better="higher",
            seconds=time.perf_counter() - start,
        )
    ]


def fetch_faults() -> list[dict]:
    """Fetch over a network that cuts, resets and is busy: files that come whole, bytes sent."""
    start = time.perf_counter()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    rng = np.random.default_rng(1)
    contents = {
        f"sub-{n:02d}/func/sub-{n:02d}_bold.nii.gz": rng.bytes(2_000_000) for n in range(20)
    }
    items = []
    with s3_server() as address, tempfile.TemporaryDirectory() as folder:
        bucket = make_bucket("data", *address)
        for path, content in contents.items():
            bucket.put(path, content)
            items.append(s3_archive.Item(path, len(content), hashlib.md5(content).hexdigest()))
        kinds = ["cut", "slow", "reset"]
        bucket.way.faults = {path: list(rng.choice(kinds, size=3)) for path in contents}
        source = s3_archive.Source("data", "", endpoint=bucket.way.address, longest_wait=0.1)
        s3_archive.fetch(items, folder, source)
        whole = [s3_archive.is_whole(Path(folder) / item.path, item) for item in items]
        bucket.way.stop()
    return [
        row(
            "fetch_faults",
            whole,
            unit="share of files whole after three faults each",
            goal=1,
            better="higher",
            seconds=time.perf_counter() - start,
        )
    ]


CLAIMS = {
    function.__name__: function
    for function in (validate_index_1000, validate_30, validate_faults, fetch_faults)
}
