import pytest
import torch
from torch.nn import functional as F

from stim2bold.networks import i3d_weights, packages
from stim2bold.networks.inflation import for_flow, inflate_googlenet, is_googlenet

BLOCKS = {
    "inception3a": (192, 64, 96, 128, 16, 32, 32),
    "inception3b": (256, 128, 128, 192, 32, 96, 64),
    "inception4a": (480, 192, 96, 208, 16, 48, 64),
    "inception4b": (512, 160, 112, 224, 24, 64, 64),
    "inception4c": (512, 128, 128, 256, 24, 64, 64),
    "inception4d": (512, 112, 144, 288, 32, 64, 64),
    "inception4e": (528, 256, 160, 320, 32, 128, 128),
    "inception5a": (832, 256, 160, 320, 32, 128, 128),
    "inception5b": (832, 384, 192, 384, 48, 128, 128),
}


@pytest.fixture(scope="module")
def state():
    """A GoogLeNet of torchvision's layout with random weights."""
    generator = torch.Generator().manual_seed(0)
    state = {"fc.weight": torch.randn(11, 1024, generator=generator) * 0.05}
    state["fc.bias"] = torch.randn(11, generator=generator)

    def unit(name, n_in, n_out, kernel):
        spread = (2 / (n_in * kernel**2)) ** 0.5
        shape = (n_out, n_in, kernel, kernel)
        state[f"{name}.conv.weight"] = torch.randn(shape, generator=generator) * spread
        state[f"{name}.bn.weight"] = torch.rand(n_out, generator=generator) + 0.5
        state[f"{name}.bn.bias"] = torch.randn(n_out, generator=generator) * 0.2
        state[f"{name}.bn.running_mean"] = torch.randn(n_out, generator=generator) * 0.1
        state[f"{name}.bn.running_var"] = torch.rand(n_out, generator=generator) + 0.5
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(1)

    unit("conv1", 3, 64, 7)
    unit("conv2", 64, 64, 1)
    unit("conv3", 64, 192, 3)
    for block, (n_in, w0, w1a, w1b, w2a, w2b, w3) in BLOCKS.items():
        unit(f"{block}.branch1", n_in, w0, 1)
        unit(f"{block}.branch2.0", n_in, w1a, 1)
        unit(f"{block}.branch2.1", w1a, w1b, 3)
        unit(f"{block}.branch3.0", n_in, w2a, 1)
        unit(f"{block}.branch3.1", w2a, w2b, 3)
        unit(f"{block}.branch4.1", n_in, w3, 1)
    return state


def image_network(state, x):
    """torchvision's GoogLeNet, in float64 and functions."""
    state = {name: value.double() for name, value in state.items()}

    def unit(x, name, stride=1):
        kernel = state[f"{name}.conv.weight"]
        x = F.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        parts = (state[f"{name}.bn.{part}"] for part in ("running_mean", "running_var"))
        scale, shift = state[f"{name}.bn.weight"], state[f"{name}.bn.bias"]
        return F.relu(F.batch_norm(x, *parts, scale, shift, eps=0.001))

    def block(x, name):
        return torch.cat(
            [
                unit(x, f"{name}.branch1"),
                unit(unit(x, f"{name}.branch2.0"), f"{name}.branch2.1"),
                unit(unit(x, f"{name}.branch3.0"), f"{name}.branch3.1"),
                unit(F.max_pool2d(x, 3, 1, 1, ceil_mode=True), f"{name}.branch4.1"),
            ],
            dim=1,
        )

    x = F.max_pool2d(unit(x.double(), "conv1", 2), 3, 2, ceil_mode=True)
    x = F.max_pool2d(unit(unit(x, "conv2"), "conv3"), 3, 2, ceil_mode=True)
    x = block(block(x, "inception3a"), "inception3b")
    x = F.max_pool2d(x, 3, 2, ceil_mode=True)
    for name in list(BLOCKS)[2:7]:
        x = block(x, name)
    four = x
    x = F.max_pool2d(x, 2, 2, ceil_mode=True)
    x = block(block(x, "inception5a"), "inception5b")
    return four, x, F.linear(x.mean((2, 3)), state["fc.weight"], state["fc.bias"])


def test_a_boring_video_is_its_picture(state):
    assert is_googlenet(state)
    network = i3d_weights.build(inflate_googlenet(state), "googlenet", stem="symmetric")
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    four, five, _ = image_network(state, picture)
    video = picture[:, :, None].expand(-1, -1, 128, -1, -1)
    for endpoint, expected, stride, reach in (("Mixed_4f", four, 4, 8), ("Mixed_5c", five, 8, 7)):
        out = network(video, endpoint)
        inner = out[:, :, reach:-reach]
        assert inner.shape[2] >= 2
        scale = expected.abs().max()
        difference = (inner - expected[:, :, None]).abs().max() / scale
        assert difference < 1e-5
        # At the film's ends zeros come in: there it cannot hold.
        assert ((out[:, :, 0] - expected).abs().max() / scale) > 1e-3
        assert out.shape[2] == 128 // stride


def test_usual_padding_would_not_do(state):
    network = i3d_weights.build(inflate_googlenet(state), "googlenet")
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    four, _, _ = image_network(state, picture)
    out = network(picture[:, :, None].expand(-1, -1, 72, -1, -1), "Mixed_4f")[:, :, 9]
    assert (out - four).abs().max() / four.abs().max() > 1e-3


def test_a_stem_for_flow_answers_to_grey_as_the_stem_for_colours(state):
    rgb = inflate_googlenet(state)
    flow = for_flow(rgb)
    assert flow["Conv3d_1a_7x7.weight"].shape == (64, 2, 7, 7, 7)
    grey = torch.rand(1, 1, 16, 24, 24) * 2 - 1
    colours = i3d_weights.build(rgb, "rgb")(grey.expand(-1, 3, -1, -1, -1), "Mixed_3b")
    flows = i3d_weights.build(flow, "flow")(grey.expand(-1, 2, -1, -1, -1), "Mixed_3b")
    torch.testing.assert_close(flows, colours, atol=1e-4, rtol=1e-4)


def test_another_googlenet_file_is_refused(state, tmp_path):
    torch.save(state, tmp_path / "googlenet.pth")
    with pytest.raises(i3d_weights.InputError, match="nor torchvision's GoogLeNet"):
        i3d_weights.obtain(tmp_path / "googlenet.pth")


def test_flow_weights_say_what_they_are(state, tmp_path):
    rgb = tmp_path / "rgb.safetensors"
    about = {"network": "i3d", "source": "someone", "sha256": "0", "licence": "none"}
    packages.save_weights(rgb, inflate_googlenet(state), about)
    made, known = i3d_weights.obtain_flow(None, rgb)
    assert known["source"].startswith("NOT trained on flow: someone")
    assert known["n_channels"] == "2"
    assert made["Conv3d_1a_7x7.weight"].shape[1] == 2
    with pytest.raises(i3d_weights.InputError, match="is for 3 channels, flow has 2"):
        i3d_weights.obtain_flow(rgb, rgb)
