from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from reference_i3d import forward, random_tree
from shipped import shipped

from stim2bold.networks.i3d import I3D, grid_of_time, load_weights, stream
from stim2bold.networks.i3d_checkpoints import convert_jax
from stim2bold.networks.i3d_features import I3DSettings, dense, extract, pooled, prepare, windowed
from stim2bold.stimulus.feature_spaces import I3D_STAGES

ENDPOINTS = ["Conv3d_1a_7x7", "Conv3d_2c_3x3", "Mixed_3c", "MaxPool3d_4a_3x3", "Mixed_4f"]


@pytest.fixture(scope="module")
def tree():
    return random_tree()


@pytest.fixture(scope="module")
def network(tree):
    network = I3D(n_classes=7)
    load_weights(network, convert_jax(tree))
    return network.eval().requires_grad_(False)


def as_tensor(clip):
    return torch.from_numpy(np.asarray(clip, np.float32)).permute(3, 0, 1, 2)[None]


@pytest.mark.parametrize("shape", [(16, 32, 32), (8, 40, 36)])
def test_agrees_with_an_independent_forward_pass(tree, network, shape):
    clip = np.random.default_rng(1).uniform(-1, 1, (*shape, 3))
    expected = forward(tree, clip)
    for endpoint in [*ENDPOINTS, "MaxPool3d_5a_2x2", "Mixed_5c"]:
        got = network(as_tensor(clip), endpoint)[0].permute(1, 2, 3, 0).numpy()
        scale = np.abs(expected[endpoint]).max()
        np.testing.assert_allclose(got / scale, expected[endpoint] / scale, atol=1e-5)
    got = network.classify(as_tensor(clip))[0].numpy()
    np.testing.assert_allclose(got, expected["logits"], atol=1e-4)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("sizes", [[48], [8] * 6, [1] * 48, [5, 3, 20, 14, 6], [2, 46]])
def test_a_stream_has_no_seams(network, endpoint, sizes):
    clip = torch.rand(1, 3, 48, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    whole = network(clip, endpoint)
    joined = torch.cat(list(stream(network, clip.split(sizes, dim=2), endpoint)), dim=2)
    assert joined.shape == whole.shape
    assert (joined - whole).abs().max() <= 1e-5 * whole.abs().max()


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    # Receptive fields by hand: 7; +4 and +4 +4 at stride 2; +4; five times +8 at stride 4; ...
    [
        ("Conv3d_1a_7x7", (2, -2, 7)),
        ("Mixed_3c", (2, -8, 19)),
        ("Mixed_4f", (4, -28, 63)),
        ("Mixed_5c", (8, -44, 99)),
    ],
)
def test_what_an_output_sees(network, endpoint, expected):
    assert grid_of_time(network, endpoint) == expected


@pytest.mark.parametrize("endpoint", ["Conv3d_1a_7x7", "Mixed_3c", "Mixed_4f"])
def test_what_an_output_sees_is_what_changes_it(network, endpoint):
    stride, first, extent = grid_of_time(network, endpoint)
    n_frames = 96
    output = n_frames // stride // 2
    clip = torch.rand(1, 3, n_frames, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before = network(clip, endpoint)[:, :, output]
    edge = output * stride + first
    for frame, seen in [
        (edge - 1, False),
        (edge, True),
        (edge + extent - 1, True),
        (edge + extent, False),
    ]:
        changed = clip.clone()
        changed[:, :, frame] *= -1
        differs = not torch.equal(network(changed, endpoint)[:, :, output], before)
        # Max-pooling may hide a change at the very rim, never show one beyond it.
        assert differs == seen or (seen and endpoint == "Mixed_4f"), frame


def film(n_frames, seed=0, size=16):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for _ in range(n_frames)]


def rows_of(generator):
    times, features = zip(*generator, strict=True)
    return np.concatenate(times), np.concatenate(features)


def test_group_size_changes_nothing(network):
    frames = film(53)
    rows = []
    for group in (7, 16, 200):
        settings = shipped(I3DSettings, endpoint="Mixed_4f", group=group, grid=1, device="cpu")
        rows.append(rows_of(dense(prepare(network, settings), frames, settings)))
    for times, features in rows[1:]:
        np.testing.assert_array_equal(times, rows[0][0])
        np.testing.assert_allclose(features, rows[0][1], atol=1e-4)
    # The 14th row would lie at frame 55.5 of 53.
    np.testing.assert_allclose(rows[0][0], (np.arange(13) * 4 + 3.5) / 25)


def test_the_ends_of_a_still_film_look_like_its_middle(network):
    settings = shipped(I3DSettings, endpoint="Mixed_4f", grid=1, device="cpu")
    _, features = rows_of(dense(prepare(network, settings), film(1) * 100, settings))
    assert len(features) == 25
    np.testing.assert_allclose(features, features[[12]].repeat(25, axis=0), atol=1e-4)


def test_dense_equals_windowed_where_a_window_covers_what_is_seen(network):
    frames = film(160)
    settings = shipped(I3DSettings, endpoint="Mixed_4f", window=128, grid=2, device="cpu")
    network = prepare(network, settings)
    times, features = rows_of(dense(network, frames, settings))
    clip = torch.from_numpy(np.stack(frames[16:144])).permute(3, 0, 1, 2)[None]
    window = pooled(network(clip / 127.5 - 1, "Mixed_4f"), 2)
    # Outputs 7 to 23 of the window see none of the zeros beyond its ends.
    own = 16 / 25 + (np.arange(32) * 4 + 3.5) / 25
    for index in range(7, 24):
        (match,) = np.flatnonzero(np.isclose(times, own[index]))
        np.testing.assert_allclose(window[index], features[match], atol=1e-4)
    (match,) = np.flatnonzero(np.isclose(times, own[0]))
    assert np.abs(window[0] - features[match]).max() > 1e-2


def test_windows_are_cut_where_their_times_say(network):
    frames = film(100)
    settings = shipped(
        I3DSettings, mode="windowed", endpoint="Mixed_3c", window=16, grid=1, device="cpu"
    )
    centres = np.array([0.1, 1.0, 1.013, 2.5, 3.95])
    network = prepare(network, settings)
    times, features = rows_of(windowed(network, frames, settings, centres))
    assert np.abs(times - centres).max() <= 0.02 + 1e-9
    for time, row in zip(times, features, strict=True):
        first = round(time * 25 - 8)
        index = np.clip(np.arange(first, first + 16), 0, 99)
        clip = torch.from_numpy(np.stack([frames[i] for i in index])).permute(3, 0, 1, 2)[None]
        expected = network(clip / 127.5 - 1, "Mixed_3c").mean(dim=(2, 3, 4))[0]
        np.testing.assert_allclose(row, expected, atol=1e-4)


@pytest.mark.parametrize("mode", ["dense", "windowed"])
def test_features_are_named_and_timed(network, mode):
    settings = shipped(
        I3DSettings, mode=mode, endpoint="Mixed_3c", grid=2, window=16, step=0.5, device="cpu"
    )
    features = extract(network, iter(film(50)), settings, duration=2.0)
    assert features.dims == ("time", "feature")
    assert features.sizes["feature"] == 480 * 4
    step = {"dense": 2 / 25, "windowed": 0.5}[mode]
    assert features.attrs["step_seconds"] == step
    np.testing.assert_allclose(np.diff(features["time"]), step, atol=0.041)


def test_bfloat16_is_close(network):
    frames = film(16, size=32)
    rows = {}
    for precision in ("float32", "bfloat16"):
        settings = shipped(
            I3DSettings, endpoint="Mixed_4f", grid=1, precision=precision, device="cpu"
        )
        copy = I3D(n_classes=7)
        copy.load_state_dict(network.state_dict())
        rows[precision] = rows_of(dense(prepare(copy.eval(), settings), frames, settings))[1]
    correlation = np.corrcoef(rows["float32"].ravel(), rows["bfloat16"].ravel())[0, 1]
    assert correlation > 0.999


def test_unusable_requests_are_refused(network):
    with pytest.raises(ValueError, match="no endpoint"):
        network.stages("Mixed_9z")
    with pytest.raises(ValueError, match="not a multiple of 8"):
        network(torch.zeros(1, 3, 12, 16, 16))
    with pytest.raises(ValueError, match="not a multiple of 8"):
        list(stream(network, [torch.zeros(1, 3, 12, 16, 16)], "Conv3d_1a_7x7"))
    for wrong in ({"mode": "sparse"}, {"window": 12}, {"precision": "float8"}, {"grid": 0}):
        with pytest.raises(ValueError):
            shipped(I3DSettings, **wrong)


def test_the_layers_that_can_be_named_are_those_of_the_network():
    names = [name for name, _ in I3D().named_children() if name != "logits"]
    assert list(I3D_STAGES) == names
    schema = Path(__file__).parents[3] / "workflow" / "config.schema.yaml"
    keys = yaml.safe_load(schema.read_text())["properties"]["i3d"]["properties"]
    assert keys["endpoint"]["enum"] == names
