"""The validation, on a healthy study in which one thing at a time is made wrong."""

import json
import shutil
from pathlib import Path

import av
import nibabel as nib
import numpy as np
import planted_study
import pytest
from planted_film import grey, write_film

from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import as_table, n_errors, refuse
from stim2bold.study import validate
from stim2bold.study.configuration import check_configuration, read_configuration

BOLD = "sub-02/func/sub-02_task-film_run-1_bold.nii.gz"
SIDECAR = "sub-02/func/sub-02_task-film_run-1_bold.json"
EVENTS = "sub-02/func/sub-02_task-film_run-1_events.tsv"
T1W = "sub-02/anat/sub-02_T1w.nii.gz"
VIDEO = "stimuli/annotations/video/video_annotation_thing.tsv"
SOUND = "stimuli/annotations/sound/sound_annotation_thing.tsv"
WORDS = "stimuli/annotations/sound/sound_annotation_words.tsv"
ANNEX = ".git/annex/objects/xX/1q/MD5E-s1--d4.nii.gz/MD5E-s1--d4.nii.gz"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    root = tmp_path_factory.mktemp("healthy")
    planted_study.write_study(root)
    return root


class Patient:
    """A copy of the healthy study, and its configuration."""

    def __init__(self, healthy: Path, root: Path):
        self.root = root / "study"
        shutil.copytree(healthy, self.root, symlinks=True)
        self.bids = self.root / "bids"
        self.film = self.root / "film.mkv"
        self.config = planted_study.configuration(bids_dir=str(self.bids), film=str(self.film))

    def write(self, name, text):
        (self.bids / name).write_text(text)

    def set_sidecar(self, **said):
        known = json.loads((self.bids / SIDECAR).read_text())
        self.write(SIDECAR, json.dumps({**known, **said}))

    def cut(self, name, n_bytes):
        path = self.bids / name
        path.write_bytes(path.read_bytes()[:-n_bytes])

    def change_image(self, name, change):
        """Read an image, let `change` return another, write it."""
        path = self.bids / name
        image = nib.load(path)
        image = nib.Nifti1Image(image.get_fdata(dtype="float32"), image.affine, image.header)
        change(image).to_filename(path)

    def link(self, name, target):
        (self.bids / name).unlink()
        (self.bids / name).symlink_to(target)


@pytest.fixture
def patient(healthy, tmp_path):
    return Patient(healthy, tmp_path)


def without_affine(image):
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    return image


def with_affine(matrix):
    def change(image):
        image.set_sform(matrix, 1)
        image.set_qform(None, 0)
        return image

    return change


def with_voxels(value, where):
    def change(image):
        data = image.get_fdata(dtype="float32")
        data[where] = value
        return nib.Nifti1Image(data, image.affine, image.header)

    return change


def with_TR(seconds):
    def change(image):
        image.header.set_zooms((4, 4, 4, seconds))
        return image

    return change


def of_dtype(dtype):
    def change(image):
        return nib.Nifti1Image(image.get_fdata().astype(dtype), image.affine)

    return change


def silent(patient):
    with av.open(str(patient.film), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(108):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), "uint8"), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def only_sound(patient):
    with av.open(str(patient.film), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 8000 * 108), "int16"), format="s16", layout="mono"
        )
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def film_of(seconds):
    return lambda p: planted_study.write_film_of(p.film, seconds)


def blocks(*rows):
    return lambda p: p.write(EVENTS, planted_study.events_text(list(rows)))


def everyones_blocks(rows):
    def plant(p):
        for label in ("01", "02"):
            p.write(EVENTS.replace("02", label), planted_study.events_text(rows))

    return plant


def rename(old, new):
    def plant(p):
        (p.bids / new).parent.mkdir(parents=True, exist_ok=True)
        (p.bids / old).rename(p.bids / new)

    return plant


def copy(old, new):
    def plant(p):
        (p.bids / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(p.bids / old, p.bids / new)

    return plant


def setting(**settings):
    def plant(p):
        for key, value in settings.items():
            known = p.config[key]
            merge = isinstance(known, dict) and key != "exclude"
            p.config[key] = known | value if merge else value

    return plant


def remove(name):
    return lambda p: (p.bids / name).unlink()


def image(name, change):
    return lambda p: p.change_image(name, change)


def echo_name(number, kind="bold.nii.gz"):
    return f"sub-02/func/sub-02_task-film_run-1_echo-{number}_{kind}"


def multi_echo(*times, change=lambda p: None):
    """Return a change: the second run as echoes of these times, and one change more."""

    def make(p):
        for number, time in enumerate(times, 1):
            copy(BOLD, echo_name(number))(p)
            p.change_image(
                echo_name(number),
                lambda image, number=number: nib.Nifti1Image(
                    image.get_fdata() * (1 - number / 10), image.affine, image.header
                ),
            )
            said = json.loads((p.bids / BOLD.replace("nii.gz", "json")).read_text())
            said |= {} if time is None else {"EchoTime": time}
            (p.bids / echo_name(number, "bold.json")).write_text(json.dumps(said))
        for kind in ("bold.nii.gz", "bold.json"):
            remove(BOLD.replace("bold.nii.gz", kind))(p)
        change(p)

    return make


def sheared():
    matrix = np.diag([4.0, 4, 4, 1])
    matrix[0, 1] = 2
    return matrix


def far_away():
    matrix = np.eye(4)
    matrix[:3, 3] = 500
    return matrix


ALIKE = [(12.0 * k, 12.0, "film") for k in range(9)]
OVERLAPPING = [(12.0 * k, 20.0, ("music", "speech")[k % 2]) for k in range(9)]

#: What is planted, how bad it is, the end of the name of the file that is blamed, and words.
FAULTS = {
    "no such data set": (setting(bids_dir="/no/such"), "error", "/no/such", "no such folder"),
    "not a data set": (remove("dataset_description.json"), "error", "bids", "no dataset_desc"),
    "broken description": (
        lambda p: p.write("dataset_description.json", "{"),
        *("warning", "dataset_description.json", "not a JSON object"),
    ),
    "derivatives as raw": (
        lambda p: p.write("dataset_description.json", '{"DatasetType": "derivative"}'),
        *("error", "bids", "holds derivatives"),
    ),
    "no film named": (setting(film=None), "warning", "config.yaml", "there is no film file"),
    "no such film": (setting(film="/no/film.mp4"), "error", "/no/film.mp4", "not there"),
    "a film that is a link to nothing": (
        lambda p: (p.film.unlink(), p.film.symlink_to("gone.mkv")),
        *("error", "film.mkv", "a link to gone.mkv"),
    ),
    "a film that is text": (
        lambda p: p.film.write_text("<html>"),
        *("error", "film.mkv", "cannot be read as a film"),
    ),
    "an empty film": (lambda p: p.film.write_bytes(b""), "error", "film.mkv", "is empty"),
    "a silent film": (silent, "error", "film.mkv", "no audio stream"),
    "a film without picture": (only_sound, "error", "film.mkv", "no video stream"),
    "no such sound stream": (
        setting(streams={"audio": 3}),
        *("error", "film.mkv", "none with number 3"),
    ),
    "a film too short": (film_of(100), "warning", EVENTS.replace("02", "01"), "blocks end at 108"),
    "a film too long": (film_of(150), "warning", "bold.nii.gz", "108 of the film's 150 s"),
    "a scan far longer": (
        lambda p: planted_study.write_run(p.bids, "sub-02_task-film_run-1", seed=2, n_volumes=200),
        *("warning", BOLD, "92 s after the film's end"),
    ),
    "no such annotations": (
        setting(annotations_dir="/no/such"),
        *("error", "/no/such", "no such folder"),
    ),
    "a sound of annotations that are not there": (
        lambda p: [
            shutil.rmtree(p.bids / "stimuli" / "annotations"),
            setting(sounds={"models": ["vae", "annotations"]})(p),
        ],
        *("error", "config.yaml", "sounds.models names annotations, and the film has none"),
    ),
    "annotations without a table": (
        lambda p: [remove(name)(p) for name in (VIDEO, SOUND, WORDS)],
        *("error", "annotations", "holds no annotation"),
    ),
    "an annotation without offset": (
        lambda p: p.write(VIDEO, "onset\n1\n"),
        *("error", VIDEO, "no column offset"),
    ),
    "an annotation with another column": (
        lambda p: p.write(VIDEO, "onset\toffset\tx\n1\t2\t3\n"),
        *("error", VIDEO, "unknown column"),
    ),
    "an annotation that ends before it begins": (
        lambda p: p.write(SOUND, "item\tonset\toffset\na\t2\t1\n"),
        *("error", SOUND, "before it begins"),
    ),
    "an annotation that is no number": (
        lambda p: p.write(VIDEO, "onset\toffset\nnow\t2\n"),
        *("error", VIDEO, "'now', not a number"),
    ),
    "an empty annotation": (lambda p: p.write(VIDEO, ""), "error", VIDEO, "not a tab-separated"),
    "an annotation of another film": (
        lambda p: p.write(VIDEO, "onset\toffset\n500\t502\n"),
        *("warning", VIDEO, "after the film's end"),
    ),
    "a participant who is not there": (
        setting(participants=["02", "77"]),
        *("error", "bids", "participant 77"),
    ),
    "an excluded participant who is not there": (
        setting(exclude={"77": "asleep"}),
        *("warning", "config.yaml", "exclude names participant 77"),
    ),
    "nobody left": (setting(exclude=["01", "02"]), "error", "bids", "matches the configuration"),
    "no such task": (
        setting(selection={"task": "movie"}),
        *("error", "bids", "no BOLD run of task movie (there is: film)"),
    ),
    "no such session": (
        setting(selection={"session": "a"}),
        *("error", "bids", "no BOLD run of session a (there is: none)"),
    ),
    "no such run": (
        setting(selection={"run": "7"}),
        *("error", "bids", "no BOLD run of run 7 (there is: 1)"),
    ),
    "no sidecar": (remove(SIDECAR), "error", BOLD, "no JSON sidecar"),
    "a broken sidecar": (
        lambda p: p.write(SIDECAR, '{"RepetitionTime": 1.0,'),
        *("error", SIDECAR, "not a JSON object"),
    ),
    "a sidecar in another encoding": (
        lambda p: (p.bids / SIDECAR).write_bytes(b'{"TaskName": "\xe9t\xe9"}'),
        *("error", SIDECAR, "is not UTF-8"),
    ),
    "no TR": (lambda p: p.write(SIDECAR, "{}"), "error", SIDECAR, "gives no RepetitionTime"),
    "a TR that is text": (
        lambda p: p.set_sidecar(RepetitionTime="1.0"),
        *("error", SIDECAR, "RepetitionTime is '1.0'"),
    ),
    "a TR in milliseconds": (
        lambda p: p.set_sidecar(RepetitionTime=1000),
        *("error", SIDECAR, "RepetitionTime is 1000"),
    ),
    "header and sidecar disagree": (
        image(BOLD, with_TR(2.0)),
        *("warning", BOLD, "the header says TR = 2 s, its JSON sidecar 1 s, which is taken"),
    ),
    "milliseconds that are called seconds": (
        image(BOLD, with_TR(1000.0)),
        *("warning", BOLD, "milliseconds that are called seconds"),
    ),
    "slice times without any": (
        lambda p: p.set_sidecar(SliceTiming=[]),
        *("warning", SIDECAR, "SliceTiming is empty"),
    ),
    "a delay longer than the TR": (
        lambda p: p.set_sidecar(DelayTime=800),
        *("error", SIDECAR, "DelayTime is 800"),
    ),
    "a header without TR": (image(BOLD, with_TR(0.0)), "warning", BOLD, "header gives no TR"),
    "a run of another TR": (
        lambda p: (p.set_sidecar(RepetitionTime=2.0), p.change_image(BOLD, with_TR(2.0))),
        *("error", SIDECAR, "TR 2 s where the study's first run has 1 s"),
    ),
    "slice times in milliseconds": (
        lambda p: p.set_sidecar(SliceTiming=[0, 200, 400, 600, 800]),
        *("error", SIDECAR, "SliceTiming is not a list of seconds"),
    ),
    "slice times of another image": (
        lambda p: p.set_sidecar(SliceTiming=[0.0, 0.5]),
        *("error", SIDECAR, "names 2 slices where the image has 5"),
    ),
    "no events": (remove(EVENTS), "error", BOLD, "no events.tsv"),
    "events without trial_type": (
        lambda p: p.write(EVENTS, "onset\tduration\n0\t6\n"),
        *("error", EVENTS, "no column trial_type"),
    ),
    "events without a number": (
        lambda p: p.write(EVENTS, "onset\tduration\ttrial_type\n0\tn/a\tmusic\n"),
        *("error", EVENTS, "'n/a', not a number"),
    ),
    "a block without length": (
        blocks((0, 12, "music"), (12, 0, "speech")),
        *("error", EVENTS, "lasts 0 s"),
    ),
    "events without a row": (blocks(), "error", EVENTS, "holds no event"),
    "events that are no text": (
        lambda p: (p.bids / EVENTS).write_bytes(b"\xff\xfe\x00\x01"),
        *("error", EVENTS, "is UTF-16, not UTF-8; save it as UTF-8"),
    ),
    "blocks of other kinds than configured": (
        setting(blocks={"kinds": ["dialogue"]}),
        *("error", EVENTS, "no event of the kinds dialogue (there is: music, speech)"),
    ),
    "another film's blocks": (
        blocks(*((12.0 * k, 12.0, ("speech", "music")[k % 2]) for k in range(9))),
        *("error", EVENTS, "differs from the first participant's"),
    ),
    "a film that began later": (
        blocks(*((12.0 * k + 4, 12.0, ("music", "speech")[k % 2]) for k in range(9))),
        *("error", EVENTS, "differs from the first participant's"),
    ),
    "one kind of block": (
        everyones_blocks(ALIKE),
        *("warning", EVENTS.replace("02", "01"), "one kind of block alone"),
    ),
    "blocks that overlap": (
        everyones_blocks(OVERLAPPING),
        *("warning", EVENTS.replace("02", "01"), "blocks that overlap"),
    ),
    "too few blocks": (
        everyones_blocks([(0, 54, "music"), (54, 54, "speech")]),
        *("error", EVENTS.replace("02", "01"), "cross-validation needs three"),
    ),
    "a gap that leaves nothing": (
        setting(folds={"gap": 60.0}),
        *("error", EVENTS.replace("02", "01"), "nothing is left to fit"),
    ),
    "stretches too long": (
        setting(blocks={"seconds": 50.0}),
        *("error", "config.yaml", "cross-validation needs three"),
    ),
    "a filter that takes the blocks": (
        lambda p: p.config["preprocessing"]["cleaning"].update(high_pass=0.05),
        *("error", "config.yaml", "would remove the very effect"),
    ),
    "onsets without the run": (
        setting(timing={"film_onset": {"run-2": 0.0}}),
        *("error", EVENTS, "no entry for sub-02_task-film_run-1"),
    ),
    "onsets that events do not tell": (
        setting(timing={"film_onset": "events"}),
        *("error", EVENTS, "no event has an onset and a film_time"),
    ),
    "a series of git-annex": (lambda p: p.link(BOLD, ANNEX), "error", BOLD, "content is absent"),
    "an unlocked series of git-annex": (
        lambda p: (p.bids / BOLD).write_text("/annex/objects/MD5E-s1--d4.nii.gz\n"),
        *("error", BOLD, "content is absent"),
    ),
    "a series that is a link to nothing": (
        lambda p: p.link(BOLD, "gone.nii.gz"),
        *("error", BOLD, "a link to gone.nii.gz"),
    ),
    "an empty series": (lambda p: p.write(BOLD, ""), "error", BOLD, "not a NIfTI image"),
    "a page in place of a series": (
        lambda p: p.write(BOLD, "<html>not found</html>"),
        *("error", BOLD, "not a NIfTI image"),
    ),
    "a truncated series": (lambda p: p.cut(BOLD, 400), "error", BOLD, "truncated"),
    "a truncated series, not compressed": (
        lambda p: (
            planted_study.write_run(p.bids, "sub-02_task-film_run-1", seed=2, ending=".nii"),
            remove(BOLD)(p),
            p.cut(BOLD.removesuffix(".gz"), 400),
        ),
        *("error", BOLD.removesuffix(".gz"), "truncated"),
    ),
    "one volume of a series": (
        image(BOLD, lambda series: series.slicer[..., 0]),
        *("error", BOLD, "3 dimensions"),
    ),
    "too few volumes": (
        image(BOLD, lambda series: series.slicer[..., :9]),
        *("error", BOLD, "only 9 volumes"),
    ),
    "no place in the world": (image(BOLD, without_affine), "error", BOLD, "neither sform"),
    "a singular affine": (
        image(BOLD, with_affine(np.diag([4.0, 0, 4, 1]))),
        *("error", BOLD, "singular"),
    ),
    "a sheared affine": (image(BOLD, with_affine(sheared())), "error", BOLD, "sheared"),
    "not a number": (image(BOLD, with_voxels(np.nan, 2)), "error", BOLD, "volume 0 holds NaN"),
    "nothing but zeros": (image(BOLD, with_voxels(0, ...)), "error", BOLD, "volume 0 is 0"),
    "complex voxels": (image(BOLD, of_dtype("complex64")), "error", BOLD, "complex64, not numbers"),
    "voxels of another size": (
        lambda p: planted_study.save_series(
            p.bids / BOLD, np.random.default_rng(5).normal(9, 1, (5, 5, 5, 108)), voxel=3.0
        ),
        *("error", BOLD, "3 x 3 x 3 mm where most runs have 4 x 4 x 4 mm"),
    ),
    "voxels in metres": (
        lambda p: planted_study.save_series(
            p.bids / BOLD, np.random.default_rng(5).normal(9, 1, (5, 5, 5, 108)), voxel=0.004
        ),
        *("error", BOLD, "no scanner makes"),
    ),
    "the same images twice": (
        copy(BOLD.replace("02", "01"), BOLD),
        *("warning", BOLD, "holds the very images of"),
    ),
    "a run compressed and not": (
        lambda p: planted_study.write_run(p.bids, "sub-02_task-film_run-1", seed=2, ending=".nii"),
        *("error", BOLD, "is there twice"),
    ),
    "echoes without a time": (
        multi_echo(0.01, None),
        *("error", echo_name(2, "bold.json"), "has no EchoTime"),
    ),
    "an echo time in milliseconds": (
        multi_echo(0.01, 28.0),
        *("error", echo_name(2, "bold.json"), "divide it by 1000"),
    ),
    "an echo time in words": (
        multi_echo("0.01", 0.028),
        *("error", echo_name(1, "bold.json"), "is no time"),
    ),
    "echoes in another order than their times": (
        multi_echo(0.028, 0.01),
        *("error", echo_name(2, "bold.json"), "does not follow"),
    ),
    "an echo of another grid": (
        multi_echo(
            0.01,
            0.028,
            change=lambda p: p.change_image(echo_name(2), lambda image: image.slicer[..., :-1]),
        ),
        *("error", echo_name(2), "another grid or number of volumes"),
    ),
    "an echo twice": (
        multi_echo(0.01, 0.028, change=copy(echo_name(1), echo_name(2))),
        *("error", echo_name(2), "holds the same volumes"),
    ),
    "a run in another's folder": (
        rename(BOLD, "sub-01/func/sub-02_task-film_run-1_bold.nii.gz"),
        *("error", "sub-01/func/sub-02_task-film_run-1_bold.nii.gz", "in another's folder"),
    ),
    "no T1w": (remove(T1W), "warning", BOLD, "no T1w image"),
    "a T1w of git-annex": (lambda p: p.link(T1W, ANNEX), "error", T1W, "content is absent"),
    "a T1w that is no image": (
        lambda p: p.write(T1W, "no image"),
        *("error", T1W, "not a NIfTI image"),
    ),
    "a truncated T1w": (lambda p: p.cut(T1W, 400), "error", T1W, "truncated"),
    "a T1w of several volumes": (copy(BOLD, T1W), "error", T1W, "4 dimensions"),
    "a T1w of another place": (
        image(T1W, with_affine(far_away())),
        *("error", T1W, "0 % of its field of view"),
    ),
    "a participant without a row": (
        lambda p: p.write("participants.tsv", "participant_id\nsub-01\n"),
        *("warning", "participants.tsv", "no row for participant 02"),
    ),
    "no such atlas": (
        setting(preprocessing={"parcels": "/no/atlas.nii.gz"}),
        *("error", "/no/atlas.nii.gz", "preprocessing.parcels names is not there"),
    ),
    "an atlas that is no image": (
        lambda p: setting(preprocessing={"parcels": str(p.bids / "participants.tsv")})(p),
        *("error", "participants.tsv", "not a NIfTI image"),
    ),
    "no such head": (
        lambda p: p.config["simulation"]["images"].update(head="/no/head.nii"),
        *("error", "/no/head.nii", "simulation.images.head names is not there"),
    ),
    "no such derivatives": (
        setting(preprocessing={"derivatives": "/no/such"}),
        *("error", "/no/such", "no such folder"),
    ),
}


def test_a_healthy_study_raises_nothing(patient):
    findings = validate.examine(patient.config)
    assert findings.problems == []
    assert as_table(findings.problems, width=80) == "Nothing is wrong."
    assert [run.participant for run in findings.runs] == ["01", "02"]
    assert findings.TR == 1.0


def inherited(p):
    """One sidecar at the top in place of everybody's own."""
    text = (p.bids / SIDECAR).read_text()
    for label in ("01", "02"):
        remove(SIDECAR.replace("02", label))(p)
    p.write("task-film_bold.json", text)


def in_a_session(p):
    for name in (BOLD, SIDECAR, EVENTS, T1W):
        new = name.replace("sub-02/", "sub-02/ses-a/").replace("sub-02_", "sub-02_ses-a_")
        rename(name, new)(p)


def uncompressed(p):
    nib.load(p.bids / BOLD).to_filename(p.bids / BOLD.removesuffix(".gz"))
    remove(BOLD)(p)


@pytest.mark.parametrize(
    "change",
    [
        remove("participants.tsv"),
        inherited,
        in_a_session,
        uncompressed,
        rename(SIDECAR, SIDECAR.replace("_run-1", "")),
    ],
    ids=["no participants.tsv", "sidecar at the top", "a session", "nii", "sidecar for all runs"],
)
def test_what_bids_allows_raises_nothing(patient, change):
    change(patient)
    findings = validate.examine(patient.config)
    assert findings.problems == []
    assert [run.participant for run in findings.runs] == ["01", "02"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_name(patient, fault):
    plant, severity, file, words = FAULTS[fault]
    plant(patient)
    found = validate.examine(patient.config).problems
    blamed = [
        problem
        for problem in found
        if problem.severity == severity
        and problem.file.endswith(file)
        and words in f"{problem.what}; {problem.fix}"
    ]
    assert blamed, "\n".join(problem.message for problem in found)
    assert all(problem.fix and "\n" not in problem.message for problem in found)
    if severity == "warning":
        assert n_errors(found) == 0
    else:
        with pytest.raises(InputError):
            refuse(found)


def test_every_fault_is_told_at_once(patient):
    for fault in ("no TR", "a truncated T1w", "an empty film", "an empty annotation"):
        FAULTS[fault][0](patient)
    table = as_table(validate.examine(patient.config).problems, width=80)
    for fault in ("no TR", "a truncated T1w", "an empty film", "an empty annotation"):
        _, _, file, words = FAULTS[fault]
        assert file in table and words in " ".join(table.split())


@pytest.mark.parametrize("name", [BOLD, SIDECAR, EVENTS, T1W, VIDEO, "participants.tsv"])
@pytest.mark.parametrize("seed", range(6))
def test_damage_of_any_kind_does_not_kill_the_validation(patient, name, seed):
    path = patient.bids / name
    rng = np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    if name.endswith(".gz") and seed % 2:
        # Damage behind the compression: the header's own numbers.
        content = bytearray(nib.load(path).to_bytes())
        path = path.with_suffix("")
        (patient.bids / name).unlink()
        where = rng.integers(0, 352, size=40)
    else:
        where = rng.integers(0, len(content), size=max(3, len(content) // 20))
    content[:] = bytes(content)
    for place in where:
        content[place] = rng.integers(0, 256)
    path.write_bytes(content)
    for problem in validate.examine(patient.config).problems:
        assert problem.file and problem.what and problem.fix


def test_everybody_unlike_the_first_is_named(patient):
    patient.config["participants"] = ["01", "02"]
    pictures = [grey(9), grey(99), grey(9)]
    write_film(patient.film, [0.0, 54.0, 107.96], pictures, sounds=[np.zeros(16000 * 108)], end=108)
    blocks((0, 12, "music"), (12, 12, "silence"))(patient)
    (problem,) = [p for p in validate.examine(patient.config).problems if p.severity == "error"]
    assert "no silence from 12 to 24 s" in problem.what


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["seeds=3"], "'seeds' was unexpected"),
        (["vae={preset: magic}"], "vae.preset: 'magic' is not one of"),
        (["seed=-1", "device=abacus"], "seed: -1 is less than the minimum"),
        (["timing={film_onset: soon}"], "timing.film_onset"),
    ],
)
def test_faults_of_the_configuration_are_named(settings, words):
    project = planted_study.PROJECT
    config = read_configuration([project / "config.yaml"], settings)
    found = check_configuration(config, project / "workflow" / "config.schema.yaml")
    assert len(found) == len(settings)
    assert any(words in problem.what for problem in found), found


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        (["fim=x.mp4"], "did you mean film?"),
        (["vae={sedes: 3}"], "did you mean seeds?"),
        (["selection={qqq: 1}"], "known here are session, task, run"),
        (["seed=-1"], "give: "),
    ],
)
def test_the_key_that_was_meant_is_named(settings, fix):
    project = planted_study.PROJECT
    config = read_configuration([project / "config.yaml"], settings)
    (problem,) = check_configuration(config, project / "workflow" / "config.schema.yaml")
    assert problem.fix.startswith(fix)


def test_the_shipped_configuration_is_sound():
    project = planted_study.PROJECT
    config = read_configuration([project / "config.yaml"], ["film=[a] film: x.mp4"])
    assert config["film"] == "[a] film: x.mp4"
    assert check_configuration(config, project / "workflow" / "config.schema.yaml") == []


def test_a_configuration_that_is_no_yaml_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    for text in ("a: [", "- a\n- b\n"):
        path.write_text(text)
        with pytest.raises(InputError, match="mine.yaml"):
            read_configuration([path], [])
