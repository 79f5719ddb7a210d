import hashlib
import json

import numpy as np
import pytest
import torch
from shipped import shipped
from torch.nn import functional as F
from transformers import (
    TimesformerConfig,
    TimesformerModel,
    VideoMAEConfig,
    VideoMAEModel,
    VJEPA2Config,
    VJEPA2Model,
)

from stim2bold.networks import r2plus1d, transformers
from stim2bold.networks.backbones import BackboneSettings, extract, rows
from stim2bold.networks.r2plus1d import R2Plus1D
from stim2bold.runtime.errors import InputError

NAMES = ["r2plus1d", *transformers.NAMES]


def load(name, folder):
    if name == "r2plus1d":
        return r2plus1d.load(folder)
    return transformers.load(name, folder)


SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 16,
}


def save(name, folder, seed=0):
    """Make a tiny network with random weights, as a user's folder would hold it."""
    torch.manual_seed(seed)
    folder.mkdir(exist_ok=True)
    if name == "r2plus1d":
        network = R2Plus1D(n_classes=5, widths=(8, 12, 16, 20))
        torch.save(network.state_dict(), folder / "file")
        digest = hashlib.sha256((folder / "file").read_bytes()).hexdigest()[:8]
        (folder / "file").rename(folder / f"r2plus1d_18-{digest}.pth")
        return network
    if name == "videomae":
        model = VideoMAEModel(VideoMAEConfig(image_size=32, num_frames=4, **SMALL))
    elif name == "timesformer":
        model = TimesformerModel(TimesformerConfig(image_size=32, num_frames=4, **SMALL))
    else:
        model = VJEPA2Model(
            VJEPA2Config(
                crop_size=32,
                frames_per_clip=4,
                pred_hidden_size=24,
                pred_num_attention_heads=2,
                pred_num_hidden_layers=1,
                **SMALL,
            )
        )
    model.save_pretrained(folder)
    return model


def film(n_frames, side):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(n_frames)]


@pytest.mark.parametrize("name", NAMES)
def test_every_backbone_gives_timed_rows(name, tmp_path):
    save(name, tmp_path / name)
    backbone = load(name, tmp_path / name)
    settings = shipped(BackboneSettings, window=0.5, step=0.25, device="cpu")
    rate = backbone.n_frames / settings.window
    features = extract(backbone, film(round(2 * rate), backbone.side), settings, duration=2.0)
    assert features.sizes["time"] == 8
    np.testing.assert_allclose(features["time"], 0.125 + 0.25 * np.arange(8), atol=0.5 / rate)
    assert np.isfinite(features.values).all()
    assert np.abs(np.diff(features.values, axis=0)).max() > 1e-4
    assert features.attrs["network"] == name


def test_weights_are_those_of_the_file(tmp_path):
    first, second = (save("videomae", tmp_path / str(seed), seed=seed) for seed in (1, 2))
    clip = torch.rand(1, 4, 3, 32, 32)
    for seed, model in ((1, first), (2, second)):
        backbone = load("videomae", tmp_path / str(seed))
        expected = model.eval()(pixel_values=clip).last_hidden_state.mean(dim=1)
        torch.testing.assert_close(backbone.features(clip), expected, atol=1e-5, rtol=1e-4)


def test_the_models_own_normalisation_is_used(tmp_path):
    save("timesformer", tmp_path / "t")
    text = json.dumps({"image_mean": [0.45] * 3, "image_std": [0.225] * 3})
    (tmp_path / "t" / "preprocessor_config.json").write_text(text)
    backbone = load("timesformer", tmp_path / "t")
    frame = np.full((32, 32, 3), 200, np.uint8)
    settings = shipped(BackboneSettings, window=0.4, step=1.0, device="cpu")
    ((_, got),) = rows(backbone, [frame] * 10, settings, np.array([0.5]))
    clip = torch.full((1, 4, 3, 32, 32), (200 / 255 - 0.45) / 0.225)
    tokens = backbone.module(pixel_values=clip).last_hidden_state[:, 1:]
    np.testing.assert_allclose(got, tokens.mean(dim=1), atol=1e-5)


def test_factorised_network_agrees_with_functions(tmp_path):
    network = save("r2plus1d", tmp_path / "r").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            torch.nn.init.uniform_(module.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    state = {name: value.double() for name, value in network.state_dict().items()}

    def norm(x, name):
        parts = (state[f"{name}.{part}"] for part in ("running_mean", "running_var"))
        return F.batch_norm(x, *parts, state[f"{name}.weight"], state[f"{name}.bias"])

    def factorised(x, name, stride):
        x = F.conv3d(x, state[f"{name}.0.weight"], stride=(1, stride, stride), padding=(0, 1, 1))
        x = F.relu(norm(x, f"{name}.1"))
        return F.conv3d(x, state[f"{name}.3.weight"], stride=(stride, 1, 1), padding=(1, 0, 0))

    clip = torch.rand(1, 3, 8, 32, 32, dtype=torch.float64) - 0.5
    x = F.conv3d(clip, state["stem.0.weight"], stride=(1, 2, 2), padding=(0, 3, 3))
    x = F.conv3d(F.relu(norm(x, "stem.1")), state["stem.3.weight"], padding=(1, 0, 0))
    x = F.relu(norm(x, "stem.4"))
    for layer in (1, 2, 3, 4):
        for block in (0, 1):
            name = f"layer{layer}.{block}"
            stride = 2 if layer > 1 and block == 0 else 1
            y = F.relu(norm(factorised(x, f"{name}.conv1.0", stride), f"{name}.conv1.1"))
            y = norm(factorised(y, f"{name}.conv2.0", 1), f"{name}.conv2.1")
            if f"{name}.downsample.0.weight" in state:
                x = norm(
                    F.conv3d(x, state[f"{name}.downsample.0.weight"], stride=stride),
                    f"{name}.downsample.1",
                )
            x = F.relu(x + y)
    got = network(clip.float())
    torch.testing.assert_close(got.double(), x.mean((2, 3, 4)), atol=1e-5, rtol=1e-4)


def test_the_published_size_of_the_factorised_network():
    # torchvision states 31,505,325 parameters for r2plus1d_18 with 400 classes.
    assert sum(p.numel() for p in R2Plus1D().parameters()) == 31_505_325


@pytest.mark.parametrize("name", NAMES)
def test_no_weights_no_features(name, tmp_path):
    with pytest.raises(InputError, match=f"has no weights; put .* 'backbones: {name}: weights'"):
        load(name, None)
    with pytest.raises(InputError, match="no such folder"):
        load(name, tmp_path / "none")
    with pytest.raises(InputError, match="holds no"):
        load(name, tmp_path)


def test_other_weights_are_refused(tmp_path):
    save("videomae", tmp_path / "mae")
    with pytest.raises(InputError, match="holds a videomae, not a timesformer"):
        load("timesformer", tmp_path / "mae")
    (tmp_path / "r").mkdir()
    torch.save({"a": torch.zeros(2)}, tmp_path / "r" / "r2plus1d_18-00000000.pth")
    with pytest.raises(InputError, match="checksum is not the one in its name"):
        load("r2plus1d", tmp_path / "r")


def test_a_file_that_lacks_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    save("videomae", tmp_path / "mae")
    path = tmp_path / "mae" / "model.safetensors"
    state = load_file(path)
    state.pop(sorted(name for name in state if name.endswith("dense.weight"))[0])
    save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match="lacks 1 weights"):
        load("videomae", tmp_path / "mae")
