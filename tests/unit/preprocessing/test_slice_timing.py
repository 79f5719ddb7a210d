"""Slice timing: when it applies, and against a known wave."""

import nibabel as nib
import numpy as np
import pytest

from stim2bold.preprocessing import scan_clock, slice_timing
from stim2bold.runtime.errors import InputError


def test_it_applies_only_where_slices_have_times():
    times = [0.0, 0.3]
    sidecar = {"RepetitionTime": 0.608, "SliceTiming": times}
    np.testing.assert_array_equal(scan_clock.slice_times(sidecar, "x"), times)
    assert scan_clock.slice_times({"RepetitionTime": 0.608}, "x") is None
    assert scan_clock.slice_times({**sidecar, "MRAcquisitionType": "3D"}, "x") is None
    with pytest.raises(InputError, match="milliseconds"):
        scan_clock.slice_times({**sidecar, "SliceTiming": [0, 300]}, "x")


@pytest.mark.parametrize("reverse", [False, True])
def test_a_wave_is_moved_to_the_middle_of_its_volume(reverse):
    TR, n_slices, n_volumes = 2.0, 5, 60
    times = np.array([0.0, 0.8, 1.6, 0.4, 1.2])
    place = times[::-1] if reverse else times
    seen = np.arange(n_volumes)[None] * TR + place[:, None]
    data = np.broadcast_to(np.sin(2 * np.pi * seen / 20), (3, 4, n_slices, n_volumes)).copy()
    slice_timing.correct_slice_timing(data, times, axis=2, reverse=reverse, TR=TR, reference=TR / 2)
    wanted = np.sin(2 * np.pi * (np.arange(n_volumes) + 0.5) * TR / 20)
    np.testing.assert_allclose(data[1, 2][:, 2:-2], np.tile(wanted, (5, 1))[:, 2:-2], atol=0.01)


def test_a_wave_is_moved_to_any_instant_that_is_asked_for():
    TR, times = 2.0, np.array([0.0, 0.8, 0.4])
    seen = np.arange(60)[None] * TR + times[:, None]
    for reference in (0.0, 0.25, 1.5):
        data = np.broadcast_to(np.sin(2 * np.pi * seen / 20), (2, 2, 3, 60)).copy()
        slice_timing.correct_slice_timing(
            data, times, axis=2, reverse=False, TR=TR, reference=reference
        )
        wanted = np.sin(2 * np.pi * (np.arange(60) * TR + reference) / 20)
        np.testing.assert_allclose(data[1, 1][:, 2:-2], np.tile(wanted, (3, 1))[:, 2:-2], atol=0.01)


@pytest.mark.parametrize("said", [None, [], [0.0], [0.3, 0.3, 0.3]])
def test_times_that_say_nothing_shift_nothing(said):
    assert scan_clock.slice_times({"RepetitionTime": 2.0, "SliceTiming": said}, "x") is None


def test_slices_are_counted_along_the_stored_axis():
    # Stored as posterior-to-anterior, superior-to-inferior, left-to-right.
    affine = nib.orientations.inv_ornt_aff(
        nib.orientations.axcodes2ornt(("A", "I", "R")), (10, 11, 12)
    )
    affine = np.linalg.inv(affine)
    codes = nib.aff2axcodes(affine)
    axis, reverse = slice_timing.slice_axis({"SliceEncodingDirection": "j"}, affine)
    assert axis == {"R": 0, "L": 0, "A": 1, "P": 1, "S": 2, "I": 2}[codes[1]]
    assert reverse == (codes[1] in "LPI")
    assert slice_timing.slice_axis({"SliceEncodingDirection": "j-"}, affine) == (axis, not reverse)


def test_wrong_number_of_slices_is_refused():
    with pytest.raises(InputError, match="names 4 slices where the image has 5"):
        slice_timing.correct_slice_timing(
            np.zeros((3, 3, 5, 30)), np.arange(4) / 4, axis=2, reverse=False, TR=2.0, reference=1.0
        )
