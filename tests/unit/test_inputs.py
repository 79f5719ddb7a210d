import dataclasses
import gzip
import json

import av
import nibabel as nib
import numpy as np
import pytest

from stim2bold import bids, inputs

EVENTS = "onset\tduration\ttrial_type\n0.0\t6.0\tmusic\n6.0\t6.0\tspeech\n"


@pytest.fixture
def run(tmp_path):
    """One healthy run."""
    run = bids.simulated_runs(tmp_path, n_participants=1)[0]
    for path in (run.bold, run.t1w):
        path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).normal(size=(4, 4, 4, 25))
    series = nib.Nifti1Image(noise.astype("float32"), np.diag([4, 4, 4, 1]))
    series.header.set_zooms((4, 4, 4, 0.608))
    series.header.set_xyzt_units("mm", "sec")
    series.to_filename(run.bold)
    volume = np.arange(4096, dtype="float32").reshape(16, 16, 16)
    nib.Nifti1Image(volume, np.eye(4)).to_filename(run.t1w)
    run.sidecar.write_text(json.dumps({"RepetitionTime": 0.608}))
    run.events.write_text(EVENTS)
    return run


def problems_of(run, TR=0.608):
    return (
        inputs.check_series(run, TR=TR)
        + inputs.check_anatomy(run)
        + inputs.check_events(run.events)
    )


def test_a_healthy_run_raises_nothing(run):
    assert problems_of(run) == []


def test_a_truncated_series_is_found(run):
    run.bold.write_bytes(run.bold.read_bytes()[:-400])
    problem = inputs.check_series(run, TR=0.608)[0]
    assert problem.severity == "error"
    assert problem.message.startswith(f"{run.bold}: truncated")


def test_a_series_that_is_not_a_number_somewhere_is_found(run):
    image = nib.load(run.bold)
    data = image.get_fdata(dtype="float32")
    data[1, 1, 1, 20] = np.nan
    nib.Nifti1Image(data, image.affine, image.header).to_filename(run.bold)
    (problem,) = inputs.check_series(run, TR=0.608)
    assert "volume 20 holds NaN" in problem.message


def test_a_t1w_that_is_no_image_is_found(run):
    with gzip.open(run.t1w, "wb") as file:
        file.write(b"<html>not found</html>")
    (problem,) = inputs.check_anatomy(run)
    assert "not a NIfTI image" in problem.message


def test_a_t1w_of_another_place_is_found(run):
    affine = np.eye(4)
    affine[:3, 3] = 500
    image = nib.load(run.t1w)
    nib.Nifti1Image(image.get_fdata(), affine).to_filename(run.t1w)
    (problem,) = inputs.check_anatomy(run)
    assert "0 % of its field of view" in problem.message


def test_a_head_without_a_t1w_is_a_warning(run):
    (problem,) = inputs.check_anatomy(dataclasses.replace(run, t1w=None))
    assert problem.severity == "warning" and "straight to the template" in problem.message


def test_disagreeing_TRs_are_found(run):
    run.sidecar.write_text('{"RepetitionTime": 2.0}')
    first, second = inputs.check_series(run, TR=0.608)
    assert "header says TR = 0.608 s, its JSON sidecar 2 s" in first.message
    assert "study's first run has 0.608 s" in second.message


def test_events_without_blocks_are_found(run):
    run.events.write_text("onset\tduration\n0.0\t6.0\n")
    (problem,) = inputs.check_events(run.events)
    assert "trial_type" in problem.message


def test_a_participant_with_other_blocks_is_found(run, tmp_path):
    other = bids.simulated_runs(tmp_path / "other", n_participants=1)[0]
    other.events.parent.mkdir(parents=True)
    other.events.write_text(EVENTS)
    assert inputs.check_same_blocks([run, other]) == []
    other.events.write_text(EVENTS.replace("6.0\tspeech", "7.0\tspeech"))
    (problem,) = inputs.check_same_blocks([run, other])
    assert problem.message.startswith(f"{other.events}: differs")


def test_every_problem_is_told_at_once(run, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"")
    run.bold.unlink()
    run.t1w.unlink()
    found = inputs.check_study([run], TR=0.608, film=film)
    named = {problem.message.split(": ")[0] for problem in found}
    assert named == {str(film), str(run.bold), str(run.t1w)}


def test_a_film_without_sound_is_found(tmp_path):
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), "uint8"), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (problem,) = inputs.check_film(path)
    assert "no audio stream" in problem.message
