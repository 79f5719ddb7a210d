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
    series.to_filename(run.bold)
    nib.Nifti1Image(np.ones((8, 8, 8), "float32"), np.eye(4)).to_filename(run.t1w)
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
    run.bold.write_bytes(run.bold.read_bytes()[:400])
    (problem,) = inputs.check_series(run, TR=0.608)
    assert problem.severity == "error" and problem.file == str(run.bold)


def test_a_file_that_is_no_image_is_found(run):
    with gzip.open(run.t1w, "wb") as file:
        file.write(b"<html>not found</html>")
    (problem,) = inputs.check_anatomy(run)
    assert "cannot be read" in problem.what


def test_a_volume_in_place_of_a_series_is_found(run):
    nib.Nifti1Image(np.ones((4, 4, 4), "float32"), np.eye(4)).to_filename(run.bold)
    (problem,) = inputs.check_series(run, TR=0.608)
    assert "(4, 4, 4)" in problem.what


def test_disagreeing_TRs_are_found(run):
    run.sidecar.write_text('{"RepetitionTime": 2.0}')
    what = [problem.what for problem in inputs.check_series(run, TR=0.608)]
    assert len(what) == 2
    assert "0.608 s in its header and 2 s in its sidecar" in what[0]
    assert "study's first run has 0.608 s" in what[1]


def test_events_without_blocks_are_found(run):
    run.events.write_text("onset\tduration\n0.0\t6.0\n")
    (problem,) = inputs.check_events(run.events)
    assert "trial_type" in problem.what


def test_a_participant_with_other_blocks_is_found(run, tmp_path):
    other = bids.simulated_runs(tmp_path / "other", n_participants=1)[0]
    other.events.parent.mkdir(parents=True)
    other.events.write_text(EVENTS)
    assert inputs.check_same_blocks([run, other]) == []
    other.events.write_text(EVENTS.replace("6.0\tspeech", "7.0\tspeech"))
    (problem,) = inputs.check_same_blocks([run, other])
    assert problem.file == str(other.events)


def test_every_problem_is_told_at_once(run, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"")
    run.bold.unlink()
    run.t1w.unlink()
    found = inputs.check_study([run], TR=0.608, film=film)
    assert {problem.file for problem in found} == {str(film), str(run.bold), str(run.t1w)}


def test_a_film_without_sound_is_found(tmp_path):
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), "uint8"), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    (problem,) = inputs.check_film(path)
    assert "no audio stream" in problem.what
