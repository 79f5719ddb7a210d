import numpy as np
import pandas as pd
import pytest
import xarray as xr

from stim2bold.report.latent_courses import dimension_data, moment

TR = 0.5
FILM = {
    "blocks": [
        {"start": 0.0, "end": 30.0, "label": "music"},
        {"start": 30.0, "end": 60.0, "label": "speech"},
    ],
    "words": [
        {"word": "before", "start": 30.0, "end": 31.0},
        {"word": "there", "start": 34.5, "end": 35.5},
        {"word": "too", "start": 39.0, "end": 41.0},
    ],
}


@pytest.fixture
def course():
    """One minute of which 40 to 45 s are high and the first 5 s higher; the film is 5 s earlier."""
    time = (np.arange(120) + 0.5) * TR
    values = np.where((time > 40) & (time < 45), 1.0, 0.1)
    values[:10] = 9
    coords = {"time": time, "fold": ("time", np.arange(120) // 60), "dimension": 1, "share": 0.5}
    return xr.DataArray(values, dims="time", coords=coords, attrs={"delay": 5.0})


def test_moments_are_those_of_the_film(course):
    data = dimension_data(course, FILM, None, tr=TR, seconds=5.0)
    first = data["kinds"]["Highest"][0]
    assert (first["start"], first["end"], first["mean"]) == (35.0, 40.0, 1.0)
    assert first["block"] == "speech" and first["words"] == ["there", "too"]
    assert data["share"] == 0.5
    # What was high before the film could be answered to is no moment of it.
    (line,) = data["chart"]["series"]
    assert line["points"][0] == [0.25, 0.1] and line["breaks"] == [50]
    # Nothing is below the mean.
    assert data["kinds"]["Lowest"] == []
    assert all(mark["high"] for mark in data["chart"]["marks"])


def test_labels_are_those_of_half_the_moment():
    rows = [(30 + i, 1.0, "face, hand" if i < 6 else "face") for i in range(12)]
    rows[11] = (41, 1.0, np.nan)
    labels = pd.DataFrame(rows, columns=["onset", "duration", "present"])
    assert moment(30.0, 40.0, 1.0, FILM, labels)["labels"] == ["face", "hand"]
    assert moment(34.0, 41.0, 1.0, FILM, labels)["labels"] == ["face"]
    named = labels.replace({"present": {"face": "sound/words, video/face"}})
    assert moment(34.0, 41.0, 1.0, FILM, named)["labels"] == ["face"]
    assert moment(70.0, 80.0, 1.0, FILM, labels)["labels"] == []
    assert moment(70.0, 80.0, 1.0, FILM, labels)["block"] == ""
