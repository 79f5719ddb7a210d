"""Every file that the user gave and a rule reads is one whose change is seen, however it is dated.

Files are replaced by others of the same length and an older date, as cp -p, rsync -a or a download
leave them, and Snakemake says itself why a job would run again.
"""

import os
import re
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml
from finished import finish
from skeleton import write_skeleton

PROJECT = Path(__file__).parents[2]
#: Larger than what counts by its content.
LARGE = b"-" * 1_200_000
JOB = re.compile(r"^ *Job \d+: ", re.MULTILINE)


def replace(path: Path) -> None:
    """Put another content in place of a file, of the same length and dated 2001."""
    content = path.read_bytes()
    if path.suffix in (".json", ".tsv"):
        # What names the study stays.
        content = content.replace(b"none", b"nono").replace(b"30\tmusic", b"29\tmusic")
        content = content.replace(b"1.0\n", b"1.1\n").replace(b'"film"', b'"film" ')
    else:
        content = bytes([content[0] ^ 1]) + content[1:]
    path.write_bytes(content)
    os.utime(path, (1e9, 1e9))


@pytest.fixture
def study(snakemake, tmp_path):
    bids = tmp_path / "bids"
    write_skeleton(bids, participants=2)
    for kind in ("video", "sound"):
        folder = bids / "stimuli" / "annotations" / kind
        folder.mkdir(parents=True)
        (folder / f"{kind}_annotation_thing.tsv").write_text("onset\toffset\n0.0\t1.0\n")
    (bids / "participants.tsv").write_text("participant_id\nsub-0001\nnone\n")
    for name in ("film.mp4", "sound.wav", "i3d.safetensors", "flow.safetensors", "atlas.nii.gz"):
        (tmp_path / name).write_bytes(LARGE)
    for path in bids.rglob("*.nii.gz"):
        path.write_bytes(LARGE)
    (tmp_path / "vjepa2").mkdir()
    (tmp_path / "vjepa2" / "model.safetensors").write_bytes(LARGE)
    settings = {
        "bids_dir": str(bids),
        "film": str(tmp_path / "film.mp4"),
        "film_sound": str(tmp_path / "sound.wav"),
        "i3d": {"weights": str(tmp_path / "i3d.safetensors")},
        "flow": {"weights": str(tmp_path / "flow.safetensors")},
        "backbones": {"vjepa2": {"weights": str(tmp_path / "vjepa2")}},
        "sources": {"video": ["i3d_rgb", "i3d_flow", "vjepa2"]},
        "preprocessing": {"parcels": str(tmp_path / "atlas.nii.gz")},
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(settings))
    arguments = ["--configfile", str(PROJECT / "config.yaml"), str(tmp_path / "mine.yaml")]

    def run(*arguments: str) -> CompletedProcess:
        return snakemake(*arguments, timeout=600)

    finish(run, tmp_path, *arguments)

    def changed() -> set[str]:
        """Return the rules that would run because of what they, or those before them, read."""
        done = run("-n", "-p", "all", *arguments)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text
        why = ("Params have changed", "Input files updated by another job")
        jobs = [job for job in JOB.split(text) if any(reason in job for reason in why)]
        return {re.search(r"scripts/(\w+)[.]py", job)[1] for job in jobs}

    return tmp_path, changed


RUN = "bids/sub-0001/ses-mri3t/func/sub-0001_ses-mri3t_task-film_run-1"
#: Files that no rule reads together, and who reads each.
ROUNDS = [
    {
        "film.mp4": {"probe_film", "extract_i3d", "extract_video_network"},
        "i3d.safetensors": {"fetch_i3d_weights"},
        f"{RUN}_bold.nii.gz": {"preprocess_reference", "preprocess_motion", "preprocess_resample"},
        "atlas.nii.gz": {"extract_bold"},
        f"{RUN}_events.tsv": {"gather_blocks"},
        "bids/stimuli/annotations/video/video_annotation_thing.tsv": {"tabulate_annotations"},
        "bids/dataset_description.json": {"write_methods"},
        "flow.safetensors": {"adapt_flow_weights"},
        "bids/sub-0001/ses-mri3t/anat/sub-0001_ses-mri3t_run-1_T1w.nii.gz": {"preprocess_anatomy"},
    },
    {
        "sound.wav": {
            *("probe_film", "extract_spectrogram", "extract_lowlevel", "extract_modulation"),
            "invert_mel",
        },
        "vjepa2/model.safetensors": {"extract_video_network"},
        f"{RUN}_bold.json": {"preprocess_resample"},
        "bids/stimuli/annotations/sound/sound_annotation_thing.tsv": {"tabulate_annotations"},
    },
    {"bids/participants.tsv": {"validate_inputs"}},
]


def test_every_file_that_is_replaced_by_an_older_one_is_seen(study):
    root, changed = study
    assert changed() == set()
    for files in ROUNDS:
        kept = {root / name: (root / name).stat() for name in files}
        contents = {path: path.read_bytes() for path in kept}
        for path in kept:
            replace(path)
            assert path.read_bytes() != contents[path]
        found = changed()
        for path, was in kept.items():
            path.write_bytes(contents[path])
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
        expected = set.union(*files.values())
        assert expected <= found, expected - found
    # As it was: nothing is to be done, however often a file was looked at.
    assert changed() == set()


def test_a_table_added_to_the_annotations_is_seen(study):
    root, changed = study
    folder = root / "bids" / "stimuli" / "annotations" / "video"
    dates = os.stat(folder)
    (folder / "video_annotation_face.tsv").write_text("onset\toffset\n3.0\t4.0\n")
    os.utime(folder, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert {"tabulate_annotations", "draw_stimulus", "render_report"} <= changed()
