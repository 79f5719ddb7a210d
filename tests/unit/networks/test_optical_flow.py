import cv2
import numpy as np
import pytest
from shipped import shipped

from stim2bold.networks.optical_flow import FlowSettings, flow_between


def texture(seed=0, size=96):
    noise = np.random.default_rng(seed).uniform(0, 255, (size, size)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 3)
    noise = (noise - noise.min()) / np.ptp(noise) * 255
    return np.repeat(noise[..., np.newaxis], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize(("right", "down"), [(2, 0), (0, -3), (4, 2)])
def test_a_known_shift_is_found(right, down):
    frame = texture()
    moved = np.roll(frame, (down, right), axis=(0, 1))
    settings = shipped(FlowSettings, side=96, limit=10.0)
    (flow,) = flow_between([frame, moved], settings)
    assert flow.shape == (96, 96, 2) and flow.dtype == np.float32
    inner = flow[20:-20, 20:-20].mean(axis=(0, 1)) * 10
    np.testing.assert_allclose(inner, [right, down], atol=0.25)


def test_half_the_side_gives_the_same_displacement():
    frame = texture()
    moved = np.roll(frame, 4, axis=1)
    (flow,) = flow_between([frame, moved], shipped(FlowSettings, side=48, limit=20.0))
    assert flow[20:-20, 20:-20, 0].mean() * 20 == pytest.approx(4, abs=0.5)


def test_still_pictures_do_not_move_and_large_shifts_are_clipped():
    frame = texture()
    still, moving = flow_between(
        [frame, frame, np.roll(frame, 6, axis=1)], shipped(FlowSettings, side=96, limit=3.0)
    )
    assert np.abs(still).max() == 0
    assert moving[30:-30, 30:-30, 0].mean() == pytest.approx(1.0, abs=0.05)
    assert np.abs(moving).max() <= 1


def test_impossible_settings_are_refused():
    with pytest.raises(ValueError):
        shipped(FlowSettings, limit=0)
    with pytest.raises(TypeError):
        shipped(FlowSettings, sides=3)
