"""Modulations are found where they were put, in time, frequency and direction."""

import numpy as np
import pytest

from stim2bold.stimulus.modulation import FILTERS, LOWEST, STEP, hop_of, modulation

RATE = 16000


def ripple(seconds, rate, scale, direction, *, low=0.0, high=5.5):
    """Tones whose strength is a wave over time and log frequency that travels up or down."""
    time = np.arange(int(seconds * RATE)) / RATE
    rng, sound = np.random.default_rng(0), np.zeros(int(seconds * RATE))
    places = np.linspace(low, high, 100)
    for place in places:
        strength = 1 + 0.9 * np.sin(2 * np.pi * (rate * time - direction * scale * place))
        tone = 2 * np.pi * LOWEST * 2**place * 1.05 * time
        sound += strength * np.sin(tone + rng.uniform(0, 2 * np.pi)) / len(places)
    return sound


def strengths(table):
    """Mean over time: of each filter (row) in each octave (column)."""
    return table.values[8:-8].mean(axis=0).reshape(len(FILTERS), -1)


@pytest.mark.parametrize(("rate", "scale", "direction"), [(4, 1, 1), (2, 2, -1), (8, 0.5, -1)])
def test_a_ripple_is_heard_by_its_own_filter(rate, scale, direction):
    found = strengths(modulation(ripple(5, rate, scale, direction), rate=RATE, floor=1e-4))
    best = FILTERS[found.mean(axis=1).argmax()]
    assert (best.rate, best.scale, best.direction) == (rate, scale, direction)
    mirror = next(
        i
        for i, one in enumerate(FILTERS)
        if (one.rate, one.scale, one.direction) == (rate, scale, -direction)
    )
    assert found.mean(axis=1).max() > 4 * found[mirror].mean()


def test_a_ripple_is_heard_in_its_own_octaves():
    found = strengths(modulation(ripple(5, 4, 1, 1, low=0.1, high=1.9), rate=RATE, floor=1e-3))
    own = found[[one.rate == 4 and one.scale == 1 and one.direction == 1 for one in FILTERS]][0]
    assert min(own[:2]) > 3 * max(own[3:])


def test_rows_stand_where_the_sound_changes_whatever_chunk_they_lie_in(monkeypatch):
    sound = np.concatenate([np.zeros(7 * RATE), ripple(6, 8, 1, 1), np.zeros(3 * RATE)])
    whole = modulation(sound, rate=RATE, floor=1e-4)
    monkeypatch.setattr("stim2bold.stimulus.modulation.CHUNK", 6.0)
    parts = modulation(sound, rate=RATE, floor=1e-4)
    np.testing.assert_allclose(parts["time"], whole["time"])
    # Filters of 1 Hz ring for a second: what leads in and out of a chunk is enough for them.
    scale = whole.values.max()
    assert np.abs(parts.values - whole.values).max() < 0.02 * scale
    own = [
        name.startswith("sound/modulation 8 Hz, 1 ") and ", up" in name
        for name in whole.feature.values
    ]
    course = whole.values[:, own].mean(axis=1)
    above = whole["time"].values[course > course.max() / 2]
    assert abs(above[0] - 7) < 0.25 and abs(above[-1] - 13) < 0.25
    assert np.isclose(np.diff(whole["time"].values[:5]), STEP * hop_of(RATE) / RATE).all()


def test_silence_has_no_modulation():
    found = modulation(np.zeros(3 * RATE), rate=RATE, floor=1e-4)
    assert np.abs(found.values).max() < 1e-6
