"""Measured claims about a GPU: the same results as on the processor, repeatable, and how fast.

Where there is no GPU nothing is measured; the rows of an earlier measurement stay.
"""

import logging
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from claims import row
from models import score, study, to_bold
from shipped import shipped
from stimulus import network

from stim2bold.networks.i3d_features import I3DSettings, dense, prepare
from stim2bold.vae import settings as vae_settings
from stim2bold.vae import training

log = logging.getLogger(__name__)
SEED = 3


def moving_pictures(n: int) -> list[np.ndarray]:
    """Draw a smooth random picture that moves by two pixels a frame, cut every 40 frames."""
    rng = np.random.default_rng(SEED)
    pictures = []
    for index in range(n):
        if index % 40 == 0:
            coarse = rng.integers(0, 256, (28, 28, 3)).astype(np.uint8)
            scene = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
        pictures.append(np.roll(scene, 2 * index, axis=1))
    return pictures


def timed(model: torch.nn.Module, shown: list[np.ndarray], settings: I3DSettings):
    """Return dense features, and the seconds that they took on the wall clock."""
    begun = time.perf_counter()
    features = np.concatenate([part for _, part in dense(model, shown, settings)])
    return features, time.perf_counter() - begun


def card() -> str:
    """Name the GPU."""
    return torch.cuda.get_device_name().removeprefix("NVIDIA ")


def device_i3d(*, few: int = 128, many: int = 2048, repeats: int = 3) -> list[dict]:
    """Compare I3D's features on the GPU with the processor's, and the pictures a second."""
    begun = time.perf_counter()
    shown = moving_pictures(many)
    of = {
        "cpu": shipped(I3DSettings, grid=1, device="cpu"),
        "float32": shipped(I3DSettings, grid=1, device="cuda"),
        "bfloat16": shipped(I3DSettings, grid=1, device="cuda", precision="bfloat16"),
    }
    features, rate = {}, {}
    for name, settings in of.items():
        model = prepare(network(), settings)
        # The first pass also chooses kernels and fills the allocator.
        features[name] = timed(model, shown[:few], settings)[0]
        n = few if name == "cpu" else many
        rate[name] = [n / timed(model, shown[:n], settings)[1] for _ in range(repeats)]
    whole = features["cpu"]
    a, b = features["bfloat16"].astype(float), features["float32"].astype(float)
    cosine = (a * b).sum(1) / np.sqrt((a**2).sum(1) * (b**2).sum(1))
    options = {"seconds": time.perf_counter() - begun}
    threads = f"{torch.get_num_threads()} processor cores"
    return [
        row(
            "device_i3d_difference",
            np.abs(features["float32"] - whole).max(axis=1) / np.abs(whole).max(),
            unit=f"largest difference of {card()} from the processor, of the largest feature",
            goal=1e-3,
            better="lower",
            statistic=np.max,
            **options,
        ),
        row(
            "device_i3d_bfloat16_cosine",
            cosine,
            unit="smallest cosine of a row in bfloat16 with the same in float32",
            goal=0.99,
            better="higher",
            statistic=np.min,
            **options,
        ),
        *(
            row(
                f"device_i3d_rate_{name}",
                rate[name],
                unit=f"pictures a second, {threads if name == 'cpu' else card()}",
                goal=25.0 if name == "cpu" else float(np.mean(rate["cpu"])),
                better="higher",
                **options,
            )
            for name in of
        ),
    ]


def killed_after(n: int) -> Callable[[Iterable], Iterator]:
    """Return a wrapper of training steps that ends the training at step `n`."""

    def wrap(steps: Iterable) -> Iterator:
        for step in steps:
            if step == n:
                raise KeyboardInterrupt
            yield step

    return wrap


def device_vae(*, silent: int = 19_700) -> list[dict]:
    """Compare a VAE trained on the GPU with the processor's, and time a whole participant."""
    begun = time.perf_counter()
    settings = {name: shipped(vae_settings.VAESettings, device=name) for name in ("cpu", "cuda")}
    features, (table,), mask, splits, content = study(SEED)
    problem = to_bold(features, table, content)
    first, second, cpu = (
        training.fit(problem, splits, settings[name]).fitted for name in ("cuda", "cuda", "cpu")
    )
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "unit"
        try:
            training.fit(
                problem, splits, settings["cuda"], progress=killed_after(15), checkpoints=stem
            )
        except KeyboardInterrupt:
            log.info("killed at step 15; goes on")
        resumed = training.fit(problem, splits, settings["cuda"], checkpoints=stem).fitted
    spread = cpu.values.std()
    r = {name: score(problem, fitted, mask) for name, fitted in (("cpu", cpu), ("cuda", first))}

    features, (table,), _, splits, content = study(SEED, silent=silent)
    large = to_bold(features, table, content)
    seconds = {}
    for name in ("cuda", "cpu"):
        start = time.perf_counter()
        training.fit(large, splits, settings[name])
        seconds[name] = time.perf_counter() - start
    options = {"better": "lower", "seconds": time.perf_counter() - begun}
    n_voxels = table.shape[1]
    threads = f"{torch.get_num_threads()} processor cores"
    return [
        row(
            "device_vae_difference",
            np.abs(first.values - cpu.values).max(axis=1) / spread,
            unit=f"largest difference of {card()} from the processor, of the predictions' sd",
            goal=1e-2,
            statistic=np.max,
            **options,
        ),
        row(
            "device_vae_r_difference",
            [abs(r["cuda"] - r["cpu"])],
            unit="difference of the mean r of planted voxels",
            goal=1e-3,
            **options,
        ),
        row(
            "device_vae_repeat",
            np.abs(first.values - second.values),
            unit="largest difference of two trainings on the GPU",
            goal=0.0,
            statistic=np.max,
            **options,
        ),
        row(
            "device_vae_resumed",
            np.abs(first.values - resumed.values),
            unit="largest difference of a killed training that went on",
            goal=0.0,
            statistic=np.max,
            **options,
        ),
        row(
            "device_vae_seconds_cuda",
            [seconds["cuda"]],
            unit=f"s, one participant of {n_voxels} voxels, {card()}",
            goal=seconds["cpu"],
            **options,
        ),
        row(
            "device_vae_seconds_cpu",
            [seconds["cpu"]],
            unit=f"s, one participant of {n_voxels} voxels, {threads}",
            goal=3600.0,
            **options,
        ),
    ]


def on_a_gpu(measure: Callable[[], list[dict]]) -> Callable[[], list[dict]]:
    """Measure where there is a GPU; elsewhere say that one is needed."""

    def measured() -> list[dict]:
        if torch.cuda.is_available():
            return measure()
        log.warning("%s needs a GPU; its rows stay as they are", measure.__name__)
        return []

    return measured


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    claim.__name__: on_a_gpu(claim) for claim in (device_i3d, device_vae)
}
