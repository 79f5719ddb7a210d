"""Files of a public data set, from an archive that speaks S3: in parallel, resumed, each checked.

A file comes under a name of its own beside the data set and takes its place when its length and md5
are those of the manifest. What was interrupted goes on where it stopped.
"""

import csv
import hashlib
import logging
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import boto3
import tenacity
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from botocore.exceptions import ConnectionError as S3ConnectionError
from tqdm import tqdm

from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error

log = logging.getLogger(__name__)

PARTIAL = ".partial"
CHUNK = 1 << 20
# What may be different a moment later.
TRANSIENT = (S3ConnectionError, HTTPClientError, IncompleteReadError, ConnectionResetError)
BUSY = {
    "SlowDown",
    "Throttling",
    "RequestLimitExceeded",
    "InternalError",
    "500",
    "502",
    "503",
    "504",
}


@dataclass(frozen=True)
class Item:
    """One file of a data set.

    Attributes
    ----------
    path : str
        Below the data set's folder.
    n_bytes : int
    md5 : str
        Of its content, hexadecimal.
    """

    path: str
    n_bytes: int
    md5: str


@dataclass(frozen=True)
class Source:
    """Where files come from, and how.

    Attributes
    ----------
    bucket, prefix : str
        Bucket, and what stands before each path in it.
    endpoint : str or None
        Address of the server; None for Amazon's.
    workers : int
        Files at a time.
    attempts : int
        How often a file is tried.
    longest_wait : float
        Seconds between attempts at most.
    """

    bucket: str
    prefix: str
    endpoint: str | None = None
    workers: int = 8
    attempts: int = 8
    longest_wait: float = 60.0


class Busy(Exception):
    """The server asks to come back later."""


class Different(Exception):
    """The archive's file has another length than the manifest's."""


def read_manifest(path: str | Path) -> list[Item]:
    """Read a table with the columns path, bytes and md5."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [Item(row["path"], int(row["bytes"]), row["md5"]) for row in rows]


def md5_of(path: Path) -> str:
    """Return the md5 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def is_whole(path: Path, item: Item) -> bool:
    """Tell whether a file is there with the length and md5 it should have."""
    return path.is_file() and path.stat().st_size == item.n_bytes and md5_of(path) == item.md5


def connect(source: Source):
    """Return a client that needs no account."""
    return boto3.client(
        "s3",
        endpoint_url=source.endpoint,
        region_name="us-east-1",
        config=Config(
            signature_version=UNSIGNED,
            max_pool_connections=source.workers,
            connect_timeout=20,
            read_timeout=60,
            # The back-off is ours: one for the request and for what breaks off while it is read.
            retries={"total_max_attempts": 1},
        ),
    )


def append(client, source: Source, item: Item, partial: Path) -> None:
    """Fetch what a partial file lacks.

    Raises
    ------
    Busy
        When the server is overloaded.
    Different
        When its file is of another length.
    ClientError
        When it refuses for good.
    """
    have = partial.stat().st_size if partial.exists() else 0
    if have >= item.n_bytes and partial.exists():
        return
    wanted = {"Range": f"bytes={have}-"} if have else {}
    try:
        answer = client.get_object(Bucket=source.bucket, Key=source.prefix + item.path, **wanted)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] in BUSY:
            raise Busy(str(refusal)) from None
        raise
    total = have + answer["ContentLength"]
    if total != item.n_bytes:
        raise Different(f"{total} bytes")
    with partial.open("ab") as file:
        for chunk in answer["Body"].iter_chunks(CHUNK):
            file.write(chunk)


def fetch_item(client, source: Source, item: Item, folder: Path) -> list[Problem]:
    """Fetch one file, and say what is wrong where it cannot be had.

    Raises
    ------
    OSError
        When it cannot be written.
    """
    target, partial = folder / item.path, folder / PARTIAL / item.path
    for path in (target, partial):
        path.parent.mkdir(parents=True, exist_ok=True)
    if is_whole(target, item):
        return []
    if target.exists():
        log.warning("%s: not as it should be, removed", target)
        target.unlink()
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((*TRANSIENT, Busy)),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=source.longest_wait),
        stop=tenacity.stop_after_attempt(source.attempts),
        before_sleep=tenacity.before_sleep_log(log, logging.INFO),
        reraise=True,
    )
    found = ""
    # A second time from nothing, for what was there may have been another version's.
    for resumed in (partial.exists(), False):
        try:
            retrying(append, client, source, item, partial)
        except Different as other:
            partial.unlink(missing_ok=True)
            found = str(other)
            break
        except ClientError as refusal:
            said = refusal.response["Error"]
            return [
                error(
                    item.path,
                    f"the archive does not give it ({said['Code']}: {said.get('Message', '')})",
                    f"look whether {source.prefix} is still in bucket {source.bucket}",
                )
            ]
        except (*TRANSIENT, Busy) as fault:
            return [
                error(
                    item.path,
                    f"gave up after {source.attempts} attempts ({fault})",
                    "run the same command again: it goes on where it stopped",
                )
            ]
        if is_whole(partial, item):
            partial.rename(target)
            return []
        found = f"{partial.stat().st_size} bytes of md5 {md5_of(partial)}"
        partial.unlink()
        if not resumed:
            break
    return [
        error(
            item.path,
            f"the archive gave {found}, not {item.n_bytes} bytes of md5 {item.md5}; removed",
            "run the same command again; if it stays, the archive has another version",
        )
    ]


def fetch(items: Iterable[Item], folder: str | Path, source: Source) -> list[Problem]:
    """Fetch files into a folder, several at a time.

    Parameters
    ----------
    items : iterable of Item
        What is wanted. What is there and whole is left as it is.
    folder : str or Path
        Where the data set is to lie.
    source : Source
        Where it comes from.

    Returns
    -------
    list of Problem
        One for each file that could not be had.

    Raises
    ------
    InputError
        When the disk is too small.
    """
    folder = Path(folder)
    (folder / PARTIAL).mkdir(parents=True, exist_ok=True)
    # The longest first, so that none is left over at the end.
    items = sorted(items, key=lambda item: -item.n_bytes)
    missing = sum(item.n_bytes for item in items if not (folder / item.path).is_file())
    free = shutil.disk_usage(folder).free
    if missing > free:
        raise InputError(
            folder,
            f"{missing / 1000000000.0:.1f} GB are wanted and {free / 1000000000.0:.1f} GB are free",
            "give another folder by ds003688.folder",
        )
    client = connect(source)
    problems = []
    bar = tqdm(
        total=sum(item.n_bytes for item in items),
        desc="fetched",
        unit="B",
        unit_scale=True,
        mininterval=5,
        ascii=True,
    )
    with bar, ThreadPoolExecutor(source.workers) as pool:
        waiting = {pool.submit(fetch_item, client, source, item, folder): item for item in items}
        try:
            for done in as_completed(waiting):
                problems += done.result()
                bar.update(waiting[done].n_bytes)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if not problems:
        shutil.rmtree(folder / PARTIAL)
    return problems
