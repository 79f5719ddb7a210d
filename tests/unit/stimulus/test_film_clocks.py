"""Films whose stamps, matrices or parts are not those of a plain file."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from shipped import shipped

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film import probe, sample
from stim2bold.stimulus.film_frames import displayed
from stim2bold.stimulus.film_streams import StreamSettings
from stim2bold.study.check_film import check_film

STREAMS = {"video": 0, "audio": 0, "channels": None}


def write(path, n_frames, *, first=0, format=None, codec="libx264", offset=None, **options):
    """Write frames at 25 a second, frame k of grey 20 + 7 k mod 210, with B-frames."""
    more = {} if offset is None else {"output_ts_offset": str(offset)}
    with av.open(str(path), "w", format=format, options=more) as container:
        video = container.add_stream(codec, rate=25, options={"bf": "2", **options})
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, 25)
        for k in range(n_frames):
            level = 20 + (first + k) * 7 % 210
            picture = np.full((64, 64, 3), level, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def shown(path, n_frames):
    """Return the number, modulo 30, of the frame on screen in the middle of each 1/25 s."""
    _, film = probe(path, shipped(StreamSettings))
    times = film["video"]["start"] + (np.arange(n_frames) + 0.5) / 25
    pictures = sample(path, times, zero=film["zero"], short_side=32, crop=32)
    return [round((picture.mean() - 20) / 7) % 30 for picture in pictures], film


def test_h264_with_b_frames_in_avi_has_every_frame_in_its_place(tmp_path):
    path = write(tmp_path / "film.avi", 60, crf="4")
    found, film = shown(path, 60)
    assert found == [k % 30 for k in range(60)]
    assert film["video"]["frames"] == 60 and film["video"]["gaps"] == 0


@pytest.mark.parametrize("container", ["mpegts", "dvd"])
def test_parts_of_mpeg_streams_joined_by_cat_are_refused_with_a_command(tmp_path, container):
    parts = [
        write(tmp_path / name, n, format=container, codec="mpeg2video")
        for name, n in (("1", 50), ("2", 100))
    ]
    path = tmp_path / "joined film.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    for look in (
        lambda: probe(path, shipped(StreamSettings)),
        lambda: said(check_film(path, STREAMS)[1]),
    ):
        with pytest.raises(InputError, match=r"stamps go back .*ffmpeg -i '.*joined film.ts'"):
            look()


def said(problems):
    raise InputError("validation", "; ".join(problem.message for problem in problems), "see there")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi"])
def test_parts_of_which_only_the_first_would_be_seen_are_refused(tmp_path, suffix):
    content = write(tmp_path / f"1.{suffix}", 10).read_bytes()
    path = tmp_path / f"joined.{suffix}"
    path.write_bytes(content * 2)
    with pytest.raises(InputError, match=f"2 films .*second begins at byte {len(content)}"):
        probe(path, shipped(StreamSettings))


def test_a_clock_that_leaps_on_isrefuse(tmp_path):
    kinds = {"format": "mpegts", "codec": "mpeg2video"}
    parts = [write(tmp_path / "1", 50, **kinds), write(tmp_path / "2", 50, offset=3600, **kinds)]
    path = tmp_path / "leap.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with pytest.raises(InputError, match=r"stamps go on from .* to 3(599|600)"):
        probe(path, shipped(StreamSettings))


@pytest.mark.parametrize("seconds_before", [1, 70])
def test_a_clock_that_wraps_is_read(tmp_path, seconds_before):
    offset = 2**33 / 90000 - seconds_before
    path = write(
        tmp_path / "wrap.ts", 50, format="mpegts", codec="mpeg2video", offset=offset, qmin="1"
    )
    _, film = probe(path, shipped(StreamSettings))
    assert film["duration"] == pytest.approx(2.0, abs=1e-3)
    duration, problems = check_film(path, STREAMS, needs_sound=False)
    assert duration == pytest.approx(2.0, abs=0.05)
    assert [problem.severity for problem in problems] == ["warning"]


def with_matrix(path, matrix):
    """Set the display matrix of an MP4 film: its track header, ISO/IEC 14496-12, 8.3.2."""
    content = bytearray(path.read_bytes())
    at = content.index(b"tkhd") + 4 + 40
    values = [round(value * 65536) for value in matrix]
    content[at : at + 36] = struct.pack(">9i", *values[:8], 1 << 30)
    path.write_bytes(bytes(content))


#: What each EXIF-like orientation makes of a picture, by the plainest words of NumPy.
ORIENTATIONS = {
    (1, 0, 0, 1): lambda a: a,
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): lambda a: np.rot90(a, 2),
    (0, 1, -1, 0): lambda a: np.rot90(a, -1),
    (0, -1, 1, 0): np.rot90,
    (0, 1, 1, 0): lambda a: np.swapaxes(a, 0, 1),
    (0, -1, -1, 0): lambda a: np.swapaxes(np.rot90(a, 2), 0, 1),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_of_the_eight_orientations_is_applied(tmp_path, orientation):
    quarters = np.kron([[30, 90], [150, 220]], np.ones((32, 32)))
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        picture = np.repeat(quarters[..., np.newaxis], 3, axis=2).astype(np.uint8)
        container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
    a, b, c, d = orientation
    with_matrix(path, [a, b, 0, c, d, 0, 64 * (a + c < 0), 64 * (b + d < 0), 1])
    (seen,) = sample(path, [0.01], zero=0.0, short_side=64, crop=64)
    expected = ORIENTATIONS[orientation](quarters)
    places = np.ix_([16, 48], [16, 48])
    np.testing.assert_allclose(seen[..., 0][places], expected[places], atol=4)


def test_a_matrix_between_the_orientations_isrefuse(tmp_path):
    path = write(tmp_path / "film.mp4", 3)
    with_matrix(path, [0.7071, 0.7071, 0, -0.7071, 0.7071, 0, 0, 0, 1])
    with pytest.raises(InputError, match="display matrix turns or shears"):
        probe(path, shipped(StreamSettings))


def test_a_picture_is_never_copied_to_be_turned():
    picture = np.zeros((4, 6, 3), np.uint8)
    assert np.shares_memory(displayed(picture, np.array([[0, 1], [-1, 0]])), picture)


def test_a_raw_stream_without_a_rate_isrefuse(tmp_path):
    path = write(tmp_path / "film.h264", 20, format="h264")
    assert probe(path, shipped(StreamSettings))[1]["duration"] == pytest.approx(0.8)
    silent = [warning.message for warning in check_film(path, STREAMS, needs_sound=False)[1]]
    assert len(silent) == 1 and "sound are left out" in silent[0]
