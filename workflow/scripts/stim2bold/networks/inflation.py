"""Video networks out of image networks.

A kernel repeated over time and divided by its length answers to a still video as the image network
does to the frame (Carreira & Zisserman, CVPR 2017, 'inflating 2D ConvNets into 3D'). The stem for
optical flow is made of the stem for colours by averaging over them (Wang et al., ECCV 2016,
'cross-modality pre-training').
"""

from collections.abc import Mapping

import torch
from torch import Tensor

# torchvision's GoogLeNet, which is Inception-V1 with batch normalisation.
UNITS = {"conv1": "Conv3d_1a_7x7", "conv2": "Conv3d_2b_1x1", "conv3": "Conv3d_2c_3x3"}
BLOCKS = dict(
    zip(
        ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"),
        ("3b", "3c", "4b", "4c", "4d", "4e", "4f", "5b", "5c"),
        strict=True,
    )
)
BRANCHES = {
    "branch1": "b0",
    "branch2.0": "b1a",
    "branch2.1": "b1b",
    "branch3.0": "b2a",
    "branch3.1": "b2b",
    "branch4.1": "b3b",
}
KINDS = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "var"}


def is_googlenet(state: Mapping[str, Tensor]) -> bool:
    """Tell whether a state dictionary is that of torchvision's GoogLeNet."""
    return {"conv1.conv.weight", "inception5b.branch1.conv.weight", "fc.weight"} <= set(state)


def inflate_googlenet(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Inflate torchvision's GoogLeNet to I3D.

    Its stem pads frames alike on all sides: the network must be built with
    ``stem='symmetric'``. It takes frames in [-1, 1], as I3D does.

    Parameters
    ----------
    state : mapping of str to Tensor
        ``conv1.conv.weight`` (out, in, height, width), ``conv1.bn.weight`` ...

    Returns
    -------
    dict of str to Tensor
        In the layout of `stim2bold.networks.i3d.load_weights`.
    """
    names = {f"{old}.": f"{new}." for old, new in UNITS.items()}
    for old_block, new_block in BLOCKS.items():
        for old, new in BRANCHES.items():
            names[f"inception{old_block}.{old}."] = f"Mixed_{new_block}.{new}."
    weights = {"logits.weight": state["fc.weight"], "logits.bias": state["fc.bias"]}
    for old, new in names.items():
        kernel = state[f"{old}conv.weight"]
        length = kernel.shape[-1]
        inflated = kernel.unsqueeze(2).repeat(1, 1, length, 1, 1) / length
        weights[f"{new}weight"] = inflated
        for kind, name in KINDS.items():
            weights[f"{new}bn.{name}"] = state[f"{old}bn.{kind}"]
    return {name: value.float().contiguous() for name, value in weights.items()}


def for_flow(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Make a stem for two channels of optical flow out of the stem for three colours.

    Parameters
    ----------
    weights : mapping of str to Tensor
        In the layout of `stim2bold.networks.i3d.load_weights`, for RGB.

    Returns
    -------
    dict of str to Tensor
        The same but for the stem, which is the mean over colours, scaled to keep the sum.
    """
    kernel = weights["Conv3d_1a_7x7.weight"]
    stem = kernel.mean(dim=1, keepdim=True) * (kernel.shape[1] / 2)
    stem = torch.cat([stem, stem], dim=1).contiguous()
    return {**weights, "Conv3d_1a_7x7.weight": stem}
