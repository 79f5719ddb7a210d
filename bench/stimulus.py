"""Measured claims about the stimulus: clock, I3D, spectrograms, annotations."""

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from shipped import shipped
from torch import Tensor
from torch.nn import functional as F

PROJECT = Path(__file__).resolve().parents[1]
SCRIPTS = PROJECT / "workflow" / "scripts"
REAL = PROJECT.parent / "shared" / "real" / "film.mp4"
SIMULATED = PROJECT / "results" / "simulated" / "film.mp4"
sys.path[:0] = [str(SCRIPTS), str(PROJECT / "tests" / "support"), str(PROJECT / "bench")]

import librosa  # noqa: E402
from claims import peak_memory, row  # noqa: E402
from reference_i3d import forward, random_tree  # noqa: E402

from stim2bold.io.feature_rows import write_rows  # noqa: E402
from stim2bold.networks import i3d_checkpoints, i3d_weights  # noqa: E402
from stim2bold.networks.i3d import I3D  # noqa: E402
from stim2bold.networks.i3d_features import (  # noqa: E402
    I3DSettings,
    dense,
    describe,
    extract,
    feature_rows,
    prepare,
    windowed,
)
from stim2bold.networks.i3d_layers import BATCH_NORM_EPS  # noqa: E402
from stim2bold.stimulus.annotations import AnnotationSettings, read_folder, tabulate  # noqa: E402
from stim2bold.stimulus.audio import read_sound  # noqa: E402
from stim2bold.stimulus.feature_tables import at_volumes  # noqa: E402
from stim2bold.stimulus.film import probe, sample  # noqa: E402
from stim2bold.stimulus.film_streams import StreamSettings  # noqa: E402
from stim2bold.stimulus.lowlevel import sound_features, video_features  # noqa: E402
from stim2bold.stimulus.resampling import merge_at_volumes  # noqa: E402
from stim2bold.stimulus.spectrogram import SpectrogramSettings, log_mel  # noqa: E402
from stim2bold.stimulus.timing import Timing, sample_times  # noqa: E402

TR = 0.608


def film() -> Path:
    """Find the film to measure on: the real one where it is, else the simulated one."""
    return REAL if REAL.exists() else SIMULATED


def network() -> I3D:
    """Load I3D with the Kinetics-400 weights."""
    path = PROJECT / "results" / "weights" / "i3d_rgb.safetensors"
    if path.exists():
        return i3d_weights.load_network(path)[0]
    content, about = i3d_weights.obtain(None)
    return i3d_weights.build(content, about["source"])


def pictures(seconds: float, *, path: Path | None = None, start: float = 0.0) -> list[np.ndarray]:
    """Decode an excerpt at 25 pictures per second."""
    path = path or film()
    times = start + sample_times(seconds, 25.0)
    return list(sample(path, times, zero=probe(path, shipped(StreamSettings))[1]["zero"]))


def reencode(
    source: Path, target: Path, times: np.ndarray, *, duration: float, start: float
) -> None:
    """Write an excerpt whose frames are shown from `times` on, each with what was on then."""
    ends = np.append(times[1:], duration)
    # What a camera of that rate would have caught: the picture in the middle of its frame.
    shown = sample(source, start + (times + ends) / 2, zero=0.0, short_side=480, crop=480)
    ticks = 90_000
    with av.open(str(target), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "18"})
        stream.width = stream.height = 480
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, ticks)
        for index, image in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = round(times[index] * ticks), Fraction(1, ticks)
            frame.duration = round((ends[index] - times[index]) * ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def clock_reencoded(*, seconds: float = 24.32, start: float = 20.0) -> list[dict]:
    """Compare TR-level features of one excerpt at four frame rates, one of them variable."""
    model = network()
    settings = shipped(I3DSettings)
    rng = np.random.default_rng(0)
    uneven = np.cumsum(rng.choice([1 / 50, 1 / 25, 1 / 20, 1 / 15], size=2000))
    rates = {
        "24": np.arange(0, seconds, 1 / 24),
        "25": np.arange(0, seconds, 1 / 25),
        "29.97": np.arange(0, seconds, 1001 / 30000),
        "variable": np.append(0, uneven[uneven < seconds - 0.02]),
    }
    features = {}
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for name, times in rates.items():
            path = Path(folder) / f"{name}.mp4"
            reencode(film(), path, times, duration=seconds, start=start)
            _, clock = probe(path, shipped(StreamSettings))
            shown = sample(path, sample_times(clock["duration"], 25.0), zero=clock["zero"])
            table = extract(model, shown, settings, duration=clock["duration"])
            features[name] = at_volumes(
                table, timing=Timing(TR, n_volumes=int(seconds / TR)), duration=seconds
            ).to_numpy()
    rows = []
    base = features["25"]
    for name in ("24", "29.97", "variable"):
        # Correlations over time, feature by feature, where there is anything to correlate.
        a, b = base - base.mean(0), features[name] - features[name].mean(0)
        moving = a.std(0) > np.median(a.std(0))
        over_time = (a * b).sum(0) / np.sqrt((a**2).sum(0) * (b**2).sum(0) + 1e-12)
        rows.append(
            row(
                f"clock_reencoded_{name}",
                over_time[moving],
                unit="median r over time of the features that vary",
                goal=0.99,
                better="higher",
                statistic=np.median,
                seconds=time.perf_counter() - begun,
            )
        )
    return rows


def clock_flash_click(*, n: int = 20) -> list[dict]:
    """Find planted flashes and clicks in films of variable rate."""
    from planted_film import grey, write_film

    begun = time.perf_counter()
    rng = np.random.default_rng(0)
    flash_errors, click_errors, right = [], [], []
    settings = shipped(SpectrogramSettings)
    for _ in range(n):
        times = np.round(np.cumsum(rng.choice([0.02, 0.04, 0.05], size=200)), 3)
        flash = int(rng.integers(20, 180))
        click = float(rng.uniform(0.5, times[-1] - 0.5))
        sound = rng.normal(0, 1e-4, round(times[-1] * 16000))
        sound[round(click * 16000)] = 0.9
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "planted.mkv"
            shown = [grey(220 if index == flash else 40) for index in range(200)]
            write_film(path, times, shown, sounds=[sound], end=times[-1] + 0.04)
            frames, clock = probe(path, shipped(StreamSettings))
            at = (frames["time"] + frames["duration"] / 2).to_numpy()
            seen = video_features(sample(path, at, zero=clock["zero"], short_side=32, crop=32), at)
            heard = sound_features(
                read_sound(path, zero=clock["zero"], duration=clock["duration"], rate=16000),
                settings,
            )
        light = seen.sel(feature="video/luminance").to_numpy().astype(float)
        light -= np.median(light)
        middle = (times[flash] + times[flash + 1]) / 2
        found = (light * at)[light > 0.1].sum() / max(light[light > 0.1].sum(), 1e-9)
        energy = heard.sel(feature="sound/envelope").to_numpy().astype(float) ** 2
        energy[energy < energy.max() / 1e3] = 0
        when = (energy * heard["time"].to_numpy()).sum() / energy.sum()
        flash_errors.append(abs(found - middle))
        click_errors.append(abs(when - click))
        table = merge_at_volumes([heard], timing=Timing(TR), duration=clock["duration"])
        right.append(table.sel(feature="sound/envelope").to_numpy().argmax() == int(click / TR))
    seconds = time.perf_counter() - begun
    return [
        row(
            "clock_flash",
            flash_errors,
            unit="s, largest error (half a frame is 0.02)",
            goal=0.02,
            better="lower",
            statistic=np.max,
            seconds=seconds,
        ),
        row(
            "clock_click",
            click_errors,
            unit="s, largest error",
            goal=0.01,
            better="lower",
            statistic=np.max,
            seconds=seconds,
        ),
        row(
            "clock_click_tr",
            right,
            unit="share of clicks found in their own TR",
            goal=0.95,
            better="higher",
            seconds=seconds,
        ),
    ]


def i3d_reference() -> list[dict]:
    """Compare the network with the independent float64 one on random weights."""
    begun = time.perf_counter()
    tree = random_tree()
    model = i3d_weights.build(i3d_checkpoints.convert_jax(tree), "random")
    clip = np.random.default_rng(0).uniform(-1, 1, (16, 48, 48, 3))
    expected = forward(tree, clip)["Mixed_5c"]
    x = torch.from_numpy(clip.astype(np.float32)).permute(3, 0, 1, 2)[None]
    got = model(x)[0].permute(1, 2, 3, 0).numpy()
    return [
        row(
            "i3d_reference",
            np.abs(got - expected),
            unit="largest difference from an independent float64 pass (Mixed_5c)",
            goal=1e-4,
            better="lower",
            statistic=np.max,
            seconds=time.perf_counter() - begun,
        )
    ]


def i3d_seams(*, seconds: float = 12.16) -> list[dict]:
    """Compare features from one group of frames and from many, with the real weights."""
    begun = time.perf_counter()
    shown = pictures(seconds)
    model = network()
    found = []
    for group in (8, 56, len(shown) + 200):
        settings = shipped(I3DSettings, group=group)
        parts = dense(prepare(model, settings), shown, settings)
        found.append(np.concatenate([features for _, features in parts]))
    return [
        row(
            "i3d_seams",
            [np.abs(one - found[-1]).max() for one in found[:-1]],
            unit="largest difference between one group of frames and many",
            goal=1e-4,
            better="lower",
            statistic=np.max,
            seconds=time.perf_counter() - begun,
        )
    ]


def i3d_windows(*, seconds: float = 24.0) -> list[dict]:
    """Compare dense with windowed features, by how much of what they see a window covers."""
    begun = time.perf_counter()
    shown = pictures(seconds)
    rows = []
    for endpoint in ("Mixed_4f", "Mixed_5c"):
        settings = shipped(I3DSettings, endpoint=endpoint, grid=1)
        model = prepare(network(), settings)
        parts = list(dense(model, shown, settings))
        times = np.concatenate([part[0] for part in parts])
        features = np.concatenate([part[1] for part in parts])
        centres = np.arange(3.0, seconds - 3.0, 1.0)
        alone = list(windowed(model, shown, settings, centres))
        within = np.stack(
            [features[np.abs(times - when[0]) < 32 / 25].mean(axis=0) for when, _ in alone]
        )
        windows = np.stack([values[0] for _, values in alone])
        within /= np.linalg.norm(within, axis=1, keepdims=True)
        windows = windows / np.linalg.norm(windows, axis=1, keepdims=True)
        alike = within @ windows.T
        others = ~np.eye(len(alike), dtype=bool)
        rows.append(
            row(
                f"i3d_windows_{endpoint}",
                np.diag(alike),
                unit="cosine of a 64-frame window with the dense rows in it; trivial: in another",
                trivial=float(alike[others].mean()),
                better="higher",
                seconds=time.perf_counter() - begun,
            )
        )
    return rows


class Plain:
    """I3D as it is usually written: float32, contiguous, batch norm by itself, torch pooling."""

    def __init__(self, content: dict[str, Tensor]) -> None:
        self.content = content

    def unit(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        """Convolution, batch norm, ReLU."""
        kernel = self.content[f"{name}.weight"]
        x = F.conv3d(F.pad(x, _same(x, kernel.shape[-1], (stride,) * 3)), kernel, stride=stride)
        mean, var, bias = (self.content[f"{name}.bn.{part}"] for part in ("mean", "var", "bias"))
        return F.relu(F.batch_norm(x, mean, var, bias=bias, eps=BATCH_NORM_EPS))

    def pool(self, x: Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> Tensor:
        """Max-pooling with 'SAME' padding."""
        return F.max_pool3d(F.pad(x, _same(x, kernel, stride)), kernel, stride)

    def mixed(self, x: Tensor, name: str) -> Tensor:
        """One inception module."""
        return torch.cat(
            [
                self.unit(x, f"{name}.b0"),
                self.unit(self.unit(x, f"{name}.b1a"), f"{name}.b1b"),
                self.unit(self.unit(x, f"{name}.b2a"), f"{name}.b2b"),
                self.unit(self.pool(x, (3, 3, 3), (1, 1, 1)), f"{name}.b3b"),
            ],
            dim=1,
        )

    def __call__(self, x: Tensor) -> Tensor:
        """Apply the network up to Mixed_4f."""
        x = self.pool(self.unit(x, "Conv3d_1a_7x7", 2), (1, 3, 3), (1, 2, 2))
        x = self.unit(self.unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3")
        x = self.pool(x, (1, 3, 3), (1, 2, 2))
        x = self.pool(self.mixed(self.mixed(x, "Mixed_3b"), "Mixed_3c"), (3, 3, 3), (2, 2, 2))
        for block in "bcdef":
            x = self.mixed(x, f"Mixed_4{block}")
        return x


def _same(x: Tensor, kernel: Any, stride: tuple[int, ...]) -> list[int]:
    kernel = (kernel,) * 3 if isinstance(kernel, int) else kernel
    padding: list[int] = []
    for size, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        padding += [total // 2, total - total // 2]
    return padding


def _windows(shown: list[np.ndarray], centres: np.ndarray) -> Iterator[Tensor]:
    for centre in centres:
        first = int(np.floor(centre * 25 - 32 + 0.5))
        index = np.clip(np.arange(first, first + 64), 0, len(shown) - 1)
        clip = torch.from_numpy(np.stack([shown[i] for i in index])).float() / 127.5 - 1
        yield clip.permute(3, 0, 1, 2)[None].contiguous()


def i3d_speed(*, seconds: float = 390.0, every: int = 10) -> list[dict]:
    """Time dense, windowed and plain windowed extraction of a film at one row a TR, in turns.

    Dense goes over the whole film. All windows cost the same: every tenth is computed, and its
    time counted for all. Time is that of the processor, and the ways take turns over pieces of the
    film, so that what else the machine does falls on all or on none.
    """
    path = film()
    zero = probe(path, shipped(StreamSettings))[1]["zero"]
    settings = shipped(I3DSettings, grid=1)
    half = shipped(I3DSettings, grid=1, precision="bfloat16")
    source = PROJECT / "results" / "weights" / "i3d_rgb.safetensors"
    content = (
        i3d_weights.read_weights(source)[0] if source.exists() else i3d_weights.obtain(None)[0]
    )
    plain = Plain(content)
    model = prepare(network(), settings)
    begun, clock = time.perf_counter(), time.process_time()
    shown = list(sample(path, sample_times(seconds, 25.0), zero=zero))
    decoding = time.process_time() - clock
    n_windows = int(seconds / TR)
    centres = (np.arange(0, n_windows, every) + 0.5) * TR
    # How many windows each computed one stands for: about `every`.
    each = n_windows / len(centres)
    spent = dict.fromkeys(("dense", "windowed", "plain"), 0.0)
    coming = dense(model, shown, settings)
    n_turns = max(1, len(shown) // 512)
    per_turn = -(-len(centres) // n_turns)
    with torch.inference_mode():
        for turn in range(n_turns + 1):
            start = time.process_time()
            for _ in islice(coming, 8 if turn < n_turns else None):
                pass
            spent["dense"] += time.process_time() - start
            mine = centres[turn * per_turn : (turn + 1) * per_turn]
            if not len(mine):
                continue
            start = time.process_time()
            for _ in windowed(model, _from(shown, mine), settings, _shifted(mine)):
                pass
            spent["windowed"] += each * (time.process_time() - start)
            start = time.process_time()
            for clip in _windows(shown, mine):
                plain(clip).mean(dim=(2, 3, 4))
            spent["plain"] += each * (time.process_time() - start)
    # Half precision is a matter of the processor: a minute of film tells.
    excerpt = shown[: round(60 * 25)]
    precision = {}
    for name, chosen in (("float32", settings), ("bfloat16", half)):
        network_then = prepare(network(), chosen)
        start = time.process_time()
        for _ in dense(network_then, excerpt, chosen):
            pass
        precision[name] = time.process_time() - start
    total = time.perf_counter() - begun
    # Each way needs the pictures once.
    dense_time = spent["dense"] + decoding
    what = f"{len(shown)} pictures, one row a TR"
    return [
        row(
            "i3d_speed_windowed",
            [(spent["windowed"] + decoding) / dense_time],
            unit=f"times faster than windowed ({what})",
            goal=4.0,
            better="higher",
            seconds=total,
        ),
        row(
            "i3d_speed_network",
            [spent["windowed"] / spent["dense"]],
            unit="times faster than windowed, without the decoding that both need",
            goal=4.0,
            better="higher",
            seconds=total,
        ),
        row(
            "i3d_speed_plain",
            [(spent["plain"] + decoding) / dense_time],
            unit=f"times faster than plain windowed ({what})",
            goal=5.0,
            better="higher",
            seconds=total,
        ),
        row(
            "i3d_speed_bfloat16",
            [precision["float32"] / precision["bfloat16"]],
            unit="times faster than float32, a minute of film",
            goal=1.0,
            better="higher",
            seconds=total,
        ),
    ]


def _first_of(centres: np.ndarray) -> int:
    return max(0, int(np.floor(centres[0] * 25 - 32 + 0.5)))


def _from(shown: list[np.ndarray], centres: np.ndarray) -> list[np.ndarray]:
    return shown[_first_of(centres) :]


def _shifted(centres: np.ndarray) -> np.ndarray:
    return centres - _first_of(centres) / 25


def i3d_memory(*, short: float = 60.0, long: float = 390.0, repeats: int = 3) -> list[dict]:
    """Compare the peak memory of extraction from a long film with that from a short one.

    The peak varies from run to run with how the allocator reuses what was freed, so the short film
    is repeated: a long film that needs no more than the short one's highest does not grow.
    """
    begun = time.perf_counter()
    peaks = []
    for seconds in (*[short] * repeats, long):
        code = (
            f"import sys; sys.path.insert(0, {str(PROJECT / 'bench')!r}); "
            f"import stimulus; stimulus.extract_in_this_process({seconds})"
        )
        out = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
        peaks.append(float(out.stdout.split()[-1]))
    options = {"better": "lower", "seconds": time.perf_counter() - begun}
    return [
        row(
            "i3d_memory",
            [peaks[-1] / max(peaks[:-1])],
            unit=f"peak memory of {long:.0f} s of film over the highest of {short:.0f} s",
            goal=1.1,
            **options,
        ),
        row("i3d_memory_short", peaks[:-1], unit=f"MB, {short:.0f} s", goal=2000, **options),
        row("i3d_memory_long", [peaks[-1]], unit=f"MB, {long:.0f} s", goal=2000, **options),
    ]


def extract_in_this_process(seconds: float) -> None:
    """Extract features and write this process's peak memory in MB to standard output."""
    path = film()
    shown = sample(
        path, sample_times(seconds, 25.0), zero=probe(path, shipped(StreamSettings))[1]["zero"]
    )
    model, settings = network(), shipped(I3DSettings)
    with tempfile.TemporaryDirectory() as folder:
        rows = feature_rows(model, shown, settings, duration=seconds)
        write_rows(Path(folder) / "features.nc", rows, describe(model, settings))
    sys.stdout.write(f"{peak_memory(Path('/proc/self/status').read_text())}\n")


def stimulus_mel() -> list[dict]:
    """Compare the log-mel spectrogram of the film with librosa's."""
    begun = time.perf_counter()
    settings = shipped(SpectrogramSettings)
    path = film()
    sound = read_sound(path, zero=0.0, duration=60.0, rate=settings.rate)
    expected = librosa.feature.melspectrogram(
        y=sound.astype(float),
        sr=settings.rate,
        n_fft=settings.n_fft,
        hop_length=settings.hop,
        power=1.0,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
        pad_mode="constant",
    )
    difference = np.abs(log_mel(sound, settings) - np.log(np.maximum(expected, settings.floor)).T)
    return [
        row(
            "stimulus_mel",
            difference,
            unit="largest difference from librosa, natural logarithm",
            goal=1e-4,
            better="lower",
            statistic=np.max,
            seconds=time.perf_counter() - begun,
        )
    ]


def stimulus_annotations() -> list[dict]:
    """Compare every annotation table's total with an independent count."""
    begun = time.perf_counter()
    folder = PROJECT.parent / "shared" / "ds003688" / "bids" / "stimuli" / "annotations"
    tables = read_folder(folder)
    found = tabulate(
        tables, shipped(AnnotationSettings), timing=Timing(TR, n_volumes=641), duration=390.0
    )
    errors = []
    for name, column in zip(found["feature"].values, found.to_numpy().T, strict=True):
        kind, _, rest = str(name).partition("/")
        covered = np.zeros(round(390 * 10_000), bool)
        with (folder / kind / f"{kind}_annotation_{rest}.tsv").open(newline="") as file:
            for event in csv.DictReader(file, delimiter="\t"):
                first, last = (round(float(event[key]) * 1e4) for key in ("onset", "offset"))
                covered[first:last] = True
        errors.append(abs(column.sum() * TR - covered[: round(641 * TR * 1e4)].sum() / 1e4))
    return [
        row(
            "stimulus_annotations",
            errors,
            unit="s, largest difference of a table's total from an independent count",
            goal=2e-3,
            better="lower",
            statistic=np.max,
            seconds=time.perf_counter() - begun,
        )
    ]


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    "clock_reencoded": clock_reencoded,
    "clock_flash_click": clock_flash_click,
    "i3d_reference": i3d_reference,
    "i3d_seams": i3d_seams,
    "i3d_windows": i3d_windows,
    "i3d_speed": i3d_speed,
    "i3d_memory": i3d_memory,
    "stimulus_mel": stimulus_mel,
    "stimulus_annotations": stimulus_annotations,
}
