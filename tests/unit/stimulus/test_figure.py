import numpy as np
import pandas as pd
import pytest
from PIL import Image
from shipped import shipped

from stim2bold.stimulus.feature_tables import at_volumes
from stim2bold.stimulus.figure import (
    border_times,
    draw,
    leading_components,
    linear_similarity,
    save,
)
from stim2bold.stimulus.spectrogram import SpectrogramSettings, spectrogram
from stim2bold.stimulus.timing import Timing


def test_similarity_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 5)), rng.normal(size=(40, 7))
    ca, cb = a - a.mean(0), b - b.mean(0)
    expected = np.linalg.norm(ca.T @ cb) ** 2 / (
        np.linalg.norm(ca.T @ ca) * np.linalg.norm(cb.T @ cb)
    )
    assert linear_similarity(a, b) == pytest.approx(expected)
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    assert linear_similarity(a, 3 * a @ rotation + 1) == pytest.approx(1)
    assert linear_similarity(a, np.ones((40, 2))) == 0


def test_components_are_uncorrelated_and_leave_constants_out():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6))
    table[:, 2] = 7
    found = leading_components(table, 3)
    np.testing.assert_allclose(found.T @ found / 50, np.eye(3), atol=1e-9)
    assert leading_components(np.ones((10, 1)) * np.arange(10)[:, None], 3).shape == (10, 1)


def test_borders_lie_in_the_film():
    blocks = pd.DataFrame({"onset": [2.0, 12.0, 22.0], "trial_type": ["a", "b", "a"]})
    found = border_times(blocks, 2.0, 20.2)
    assert found["time"].tolist() == [0.5, 9.5, 10.5, 19.5]
    assert found["label"][1].startswith("before b")


@pytest.mark.parametrize("name", ["speech", "a$b$ \\frac{ $(x)^ <script>", "été & 🎬"])
def test_a_sheet_is_drawn(tmp_path, name):
    mel = spectrogram(
        np.random.default_rng(0).normal(0, 0.1, 20 * 16000), shipped(SpectrogramSettings)
    )
    timing = Timing(TR=1.0)
    space = at_volumes(mel.rename(mel="feature"), timing=timing, duration=20.0)
    blocks = pd.DataFrame(
        {"onset": [0.0, 10.0], "offset": [10.0, 20.0], "trial_type": ["music", name]}
    )
    words = pd.DataFrame({"onset": [11.0], "offset": [11.4], "item": [f"aarbei {name}"]})
    for spoken in (words, None):
        figure = draw(
            [np.zeros((8, 8, 3), np.uint8)] * 3,
            ["x"] * 3,
            mel=mel,
            blocks=blocks,
            film_onset=0.0,
            words=spoken,
            spaces={"mel": space, "again": space},
            title=name,
        )
        texts = {text.get_text() for axes in figure.axes for text in axes.texts}
        assert {"music", name} <= texts
        assert (f"aarbei {name}" in texts) == (spoken is not None)
        save(figure, tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert min(image.size) > 500
