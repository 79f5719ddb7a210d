"""Fetching from a real S3 server on the loopback, over a network with faults."""

import hashlib
import logging

import numpy as np
import pytest
from s3_server import make_bucket, s3_server

from stim2bold.io import s3_archive
from stim2bold.io.s3_archive import Item, Source

FILES = {
    "dataset_description.json": b"{}",
    "sub-04/ses-mri3t/func/sub-04_bold.nii.gz": np.random.default_rng(1).bytes(3_000_000),
    "sub-07/anat/sub-07_T1w.nii.gz": np.random.default_rng(2).bytes(700_000),
    "stimuli/annotations/video/video_annotation_facial expression.tsv": b"onset\toffset\n",
    "empty.txt": b"",
}
BIG = "sub-04_bold.nii.gz"


@pytest.fixture(scope="module")
def moto():
    with s3_server() as address:
        yield address


class Archive:
    """A bucket, the faulty way to it, and the manifest of what should be in it."""

    def __init__(self, moto):
        self.bucket = make_bucket("openneuro.org", *moto)
        self.way = self.bucket.way
        self.items = [
            Item(path, len(content), hashlib.md5(content).hexdigest())
            for path, content in FILES.items()
        ]
        for path, content in FILES.items():
            self.put(path, content)

    def put(self, path, content):
        self.bucket.put(f"ds1/{path}", content)

    def fetch(self, folder, **changes):
        settings = {"endpoint": self.way.address, "longest_wait": 0.05, "workers": 3, **changes}
        return s3_archive.fetch(self.items, folder, Source("openneuro.org", "ds1/", **settings))

    def ranges(self, end):
        return [wanted for path, wanted in self.way.asked if path.endswith(end)]


@pytest.fixture
def bucket(moto):
    made = Archive(moto)
    yield made
    made.way.stop()
    for path in FILES:
        made.bucket.client.delete_object(Bucket="openneuro.org", Key=f"ds1/{path}")
    made.bucket.client.delete_bucket(Bucket="openneuro.org")


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_everything_is_fetched_and_not_again(bucket, tmp_path):
    folder = tmp_path / "it's $(a) folder"
    assert bucket.fetch(folder) == []
    assert contents(folder) == FILES
    asked = len(bucket.way.asked)
    assert asked == len(FILES)
    assert bucket.fetch(folder) == []
    assert len(bucket.way.asked) == asked


def test_what_broke_off_goes_on_where_it_stopped(bucket, tmp_path):
    bucket.way.faults[BIG] = ["cut", "reset", "cut"]
    assert bucket.fetch(tmp_path) == []
    assert contents(tmp_path) == FILES
    wanted = bucket.ranges(BIG)
    assert wanted[0] is None and len(wanted) == 4
    starts = [int(text.removeprefix("bytes=").rstrip("-")) for text in wanted[1:]]
    assert starts == sorted(starts) and starts[0] > 1_000_000


def test_an_interrupted_run_goes_on_in_the_next(bucket, tmp_path):
    bucket.way.faults[BIG] = ["cut"] + ["reset"] * 9
    (problem,) = bucket.fetch(tmp_path, attempts=3)
    assert problem.file.endswith(BIG) and "gave up after 3 attempts" in problem.what
    have = (tmp_path / s3_archive.PARTIAL / problem.file).stat().st_size
    assert 1_000_000 < have < len(FILES[problem.file])
    assert not (tmp_path / problem.file).exists()
    bucket.way.faults.clear()
    bucket.way.asked.clear()
    assert bucket.fetch(tmp_path) == []
    assert contents(tmp_path) == FILES
    assert [wanted for _, wanted in bucket.way.asked] == [f"bytes={have}-"]


def test_a_busy_server_is_asked_again_later(bucket, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    bucket.way.faults = {path: ["slow", "slow"] for path in (BIG, "T1w.nii.gz")}
    assert bucket.fetch(tmp_path) == []
    assert contents(tmp_path) == FILES
    assert len(bucket.ranges(BIG)) == 3
    assert "SlowDown" in caplog.text


def test_a_server_that_stays_busy_is_given_up(bucket, tmp_path):
    bucket.way.faults = {BIG: ["slow"] * 20}
    (problem,) = bucket.fetch(tmp_path, attempts=4)
    assert "gave up after 4 attempts" in problem.what and len(bucket.ranges(BIG)) == 4
    assert len(contents(tmp_path)) == len(FILES) - 1


def test_wrong_content_is_removed_and_reported(bucket, tmp_path):
    path = next(path for path in FILES if path.endswith(BIG))
    bucket.put(path, bytes(len(FILES[path])))
    (problem,) = bucket.fetch(tmp_path)
    assert problem.file == path and "removed" in problem.what
    assert hashlib.md5(FILES[path]).hexdigest() in problem.what
    assert set(contents(tmp_path)) == set(FILES) - {path}


def test_a_file_of_another_length_is_reported(bucket, tmp_path):
    path = next(path for path in FILES if path.endswith("T1w.nii.gz"))
    bucket.put(path, FILES[path][:1000])
    (problem,) = bucket.fetch(tmp_path)
    assert problem.file == path and "1000 bytes" in problem.what
    assert set(contents(tmp_path)) == set(FILES) - {path}
    assert len(bucket.ranges("T1w.nii.gz")) == 1


def test_a_missing_key_is_named_and_not_asked_for_again(bucket, tmp_path):
    path = "stimuli/annotations/video/video_annotation_facial expression.tsv"
    bucket.bucket.client.delete_object(Bucket="openneuro.org", Key=f"ds1/{path}")
    (problem,) = bucket.fetch(tmp_path)
    assert problem.file == path and "NoSuchKey" in problem.what
    assert len(bucket.ranges("expression.tsv")) == 1


def test_a_part_of_another_version_is_thrown_away(bucket, tmp_path):
    path = next(path for path in FILES if path.endswith(BIG))
    partial = tmp_path / s3_archive.PARTIAL / path
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 1000)
    assert bucket.fetch(tmp_path) == []
    assert contents(tmp_path) == FILES
    assert bucket.ranges(BIG) == ["bytes=1000-", None]


def test_a_file_that_was_changed_here_is_fetched_again(bucket, tmp_path):
    bucket.fetch(tmp_path)
    (tmp_path / "dataset_description.json").write_bytes(b"[]")
    assert bucket.fetch(tmp_path) == []
    assert contents(tmp_path) == FILES


def test_a_disk_that_is_too_small_is_said_first(bucket, tmp_path):
    bucket.items.append(Item("huge", 10**18, "0" * 32))
    with pytest.raises(s3_archive.InputError, match="are free; give another folder"):
        bucket.fetch(tmp_path)
    assert bucket.way.asked == []


def test_the_public_archive_is_asked_without_an_account():
    client = s3_archive.connect(Source("openneuro.org", "ds003688/"))
    address = client.generate_presigned_url(
        "get_object", Params={"Bucket": "openneuro.org", "Key": "ds003688/README"}
    )
    assert address.startswith("https://s3.") and address.endswith("/openneuro.org/ds003688/README")
