"""One clock: TR, and the instant that a volume stands for."""

import nibabel as nib
import numpy as np
import pytest

from stim2bold.preprocessing import scan_clock
from stim2bold.runtime.errors import InputError


def header(TR, unit="sec"):
    image = nib.Nifti1Image(np.zeros((2, 2, 2, 5), np.int16), np.eye(4))
    image.header.set_zooms((1, 1, 1, TR))
    image.header.set_xyzt_units("mm", unit)
    return image.header


@pytest.mark.parametrize(
    ("TR", "unit", "says"),
    [
        (1.0, "sec", None),
        (1000.0, "msec", None),
        (1e6, "usec", None),
        (1.0, "unknown", None),
        # Rounded to milliseconds, as some converters do.
        (1.0004, "sec", None),
        (0.0, "sec", "gives no TR"),
        (float("nan"), "sec", "gives no TR"),
        (float("inf"), "sec", "gives no TR"),
        (1000.0, "sec", "milliseconds that are called seconds"),
        (1.0, "msec", "TR = 0.001 s"),
        (2.0, "sec", "TR = 2 s, its JSON sidecar 1 s, which is taken"),
    ],
)
def test_what_a_header_says_beside_the_sidecar(TR, unit, says):
    doubt = scan_clock.header_doubt(header(TR, unit), 1.0)
    assert doubt is None if says is None else says in doubt


def test_a_header_whose_unit_does_not_exist_counts_as_seconds():
    odd = header(1.5)
    odd["xyzt_units"] = 255
    assert scan_clock.header_TR(odd) == 1.5


@pytest.mark.parametrize("TR", [None, "2.0", True, [2.0], 0, -1, 2000, float("nan"), float("inf")])
def test_a_sidecar_without_a_possible_TR_is_refused(TR):
    with pytest.raises(InputError, match=r"x\.json: .*; give the TR"):
        scan_clock.sidecar_TR({} if TR is None else {"RepetitionTime": TR}, "x.json")
    assert scan_clock.sidecar_TR({"RepetitionTime": 2}, "x.json") == 2.0


@pytest.mark.parametrize(
    ("sidecar", "instant"),
    [
        ({}, 1.0),
        ({"SliceTimingCorrected": True, "StartTime": 0}, 0.0),
        ({"SliceTimingCorrected": True, "StartTime": 0.975}, 0.975),
        ({"StartTime": 0.0}, 0.0),
        ({"StartTime": 2.0}, 2.0),
        ({"SliceTimingCorrected": True}, 1.0),
        ({"SliceTimingCorrected": False, "StartTime": 0.0}, 1.0),
        # Sparse sampling: 0.5 s of acquisition, 1.5 s of silence.
        ({"DelayTime": 1.5}, 0.25),
        ({"DelayTime": 1.5, "SliceTimingCorrected": True, "StartTime": 0.0}, 0.0),
    ],
)
def test_the_instant_of_a_derivative(sidecar, instant):
    found = scan_clock.reference_time(sidecar, TR=2.0, derived=True, name="x")
    assert found == instant
    # Volume k of a film that began 6 s into the scan stands for k TR + instant - 6 of the film.
    onset = scan_clock.row_onset(6.0, TR=2.0, reference=found)
    times = scan_clock.row_middles(np.arange(4), TR=2.0, film_onset=onset)
    np.testing.assert_allclose(times, np.array([0, 2, 4, 6]) + instant - 6, atol=1e-12)
    np.testing.assert_allclose(
        scan_clock.row_positions(times, TR=2.0, film_onset=onset), [0, 1, 2, 3], atol=1e-12
    )


def test_a_raw_series_stands_for_its_middle_with_and_without_slice_times():
    for sidecar in ({}, {"SliceTiming": [0.0, 1.0]}, {"StartTime": 0}):
        found = scan_clock.reference_time(sidecar, TR=2.0, derived=False, name="x")
        assert found == 1.0
    # To the last bit, or every study's rows would move by it.
    assert scan_clock.row_onset(0.1, TR=0.608, reference=0.304) == 0.1


@pytest.mark.parametrize("start", [975, -0.5, "0", True, float("nan"), [0]])
def test_an_impossible_instant_is_refused(start):
    with pytest.raises(InputError, match="StartTime is .*within the TR of 2 s"):
        scan_clock.reference_time({"StartTime": start}, TR=2.0, derived=True, name="x")


def test_what_is_odd_about_an_instant_is_said():
    assert "not to which instant" in scan_clock.reference_doubt({"SliceTimingCorrected": True})
    said = scan_clock.reference_doubt({"SliceTimingCorrected": False, "StartTime": 0})
    assert "not shifted" in said
    for usual in ({}, {"SliceTimingCorrected": True, "StartTime": 0}, {"StartTime": 0}):
        assert scan_clock.reference_doubt(usual) is None


def test_runs_share_a_TR_until_the_last_volume_moves():
    assert scan_clock.same_TR(1.00001, 1.0, 108)
    assert scan_clock.same_TR(0.60801, 0.608, 641)
    assert not scan_clock.same_TR(0.6082, 0.608, 641)
    assert not scan_clock.same_TR(1.01, 1.0, 108)
