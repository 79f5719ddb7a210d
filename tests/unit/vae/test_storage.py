import json

import numpy as np
import pytest

from stim2bold.runtime.errors import InputError
from stim2bold.vae.storage import read_model, write_model


@pytest.fixture()
def stored(tmp_path):
    tensors = {"a/0": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(4, np.float32)}
    write_model(tmp_path / "m.safetensors", tensors, {"settings": {"seed": 1}})
    return tmp_path / "m.safetensors", tensors


def test_what_was_written_is_read(stored):
    path, tensors = stored
    again, record = read_model(path)
    assert record["settings"] == {"seed": 1}
    for name, value in tensors.items():
        np.testing.assert_array_equal(again[name], value)


@pytest.mark.parametrize(
    ("change", "message"), [({"format": 99}, "format 99"), ({"shapes": {"a/0": [3, 2]}}, "a/0, b")]
)
def test_other_formats_and_sizes_are_refused(stored, change, message):
    path, _ = stored
    record = json.loads(path.with_suffix(".json").read_text()) | change
    path.with_suffix(".json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=message):
        read_model(path)
