"""Settings that contradict each other, found before anything runs.

The schema knows each value by itself. Here are those that only stand or fall together, judged by
the very classes that the rules build of them where those can be imported without their networks.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from stim2bold.models.catalogue import MODELS, directions_of
from stim2bold.models.folds import FoldSettings
from stim2bold.networks.i3d_settings import I3DSettings
from stim2bold.runtime.errors import SettingError
from stim2bold.runtime.issues import Problem, error, refusals, warning
from stim2bold.simulation.film.settings import FRAME_RATE, FilmSettings
from stim2bold.stimulus.feature_spaces import network_of
from stim2bold.stimulus.spectrogram_settings import SpectrogramSettings
from stim2bold.study.fmriprep_fit import is_fit_alone
from stim2bold.vae.settings import VAESettings, settings_of

FILE = "config.yaml"


def check_consistency(config: dict[str, Any]) -> list[Problem]:
    """Return every contradiction within a configuration that the schema has passed.

    Parameters
    ----------
    config : dict
        The whole configuration.
    """
    checks: list[Callable[[], object]] = [
        lambda: SpectrogramSettings(**config["spectrogram"]),
        lambda: I3DSettings(**config["i3d"], device=config["device"]),
        lambda: FoldSettings(**config["folds"]),
        lambda: vae_settings(config),
        lambda: check_latents(config),
        lambda: check_bands(config),
        lambda: check_segments(config),
    ]
    if config["bids_dir"] is None and config["preprocessing"]["derivatives"] is None:
        checks.append(lambda: check_simulation(config["simulation"], seed=config["seed"]))
    problems = [problem for check in checks for problem in refusals(FILE, check)]
    nonsense = refusals(FILE, lambda: directions_of(config))
    problems += nonsense or check_sound(config) + check_weights(config) + check_listening(config)
    problems += check_cleaning(config["preprocessing"])
    problems += check_group(config)
    if config["blocks"]["seconds"] is not None and config["blocks"]["kinds"] is not None:
        problems.append(
            warning(
                FILE,
                "blocks: seconds cuts the film evenly, and kinds is not used",
                "set blocks.kinds or blocks.seconds to null",
            )
        )
    return problems


def vae_settings(config: dict[str, Any]) -> VAESettings:
    """Return the settings of the VAE, as the rules give them."""
    shared = {key: config[key] for key in ("seed", "device")}
    return settings_of({**config["vae"], **shared})


def check_latents(config: dict[str, Any]) -> None:
    """Refuse a VAE with more latents than dimensions of the space they live in.

    Raises
    ------
    SettingError
        When it has.
    """
    settings = vae_settings(config)
    if settings.latents > settings.rank:
        raise SettingError(
            "vae",
            (
                f"latents {settings.latents} are more than the {settings.rank} dimensions that "
                "targets are rotated into"
            ),
            f"set vae.latents to {settings.rank} or less",
        )


def check_bands(config: dict[str, Any]) -> None:
    """Refuse bands of components that are out of order.

    Raises
    ------
    SettingError
        When they are. Those beyond the last component hold none, and do no harm.
    """
    bands = config["baselines"]["bands"]
    if list(bands) != sorted(set(bands)):
        raise SettingError(
            "baselines",
            f"bands {bands} do not rise, so that bands would be empty",
            f"set baselines.bands to {sorted(set(bands))}",
        )


def check_segments(config: dict[str, Any]) -> None:
    """Refuse lengths of segments of which two are the same.

    Raises
    ------
    SettingError
        When two measures would have one name.
    """
    lengths = [config["evaluation"]["segment"], *config["evaluation"]["other_segments"]]
    if len(set(lengths)) < len(lengths):
        raise SettingError(
            "evaluation",
            (
                f"segment and other_segments name a length twice ({lengths}), so that two "
                "measures would have one name"
            ),
            "take it out of evaluation.other_segments",
        )


def check_simulation(settings: dict[str, Any], *, seed: int) -> None:
    """Refuse a simulated film whose blocks are no whole number of frames.

    Raises
    ------
    SettingError
        When they are not.
    """
    try:
        FilmSettings(
            seed=seed, **{key: settings[key] for key in ("n_blocks", "block_seconds", "TR")}
        )
    except ValueError:
        seconds = max(2.0, round(settings["block_seconds"] * FRAME_RATE) / FRAME_RATE)
        raise SettingError(
            "simulation",
            (
                f"block_seconds {settings['block_seconds']:g} is no whole number of frames of "
                f"1/{FRAME_RATE} s"
            ),
            f"set simulation.block_seconds to {seconds:g}",
        ) from None


def check_sound(config: dict[str, Any]) -> list[Problem]:
    """Check that sound is read where it is predicted."""
    if config["streams"]["audio"] is not None:
        return []
    problems = []
    audible = [name for name, one in directions_of(config).items() if one.needs_sound]
    if audible:
        problems.append(
            error(
                FILE,
                f"streams.audio is null, and directions {', '.join(audible)} need the sound",
                "set streams.audio to 0, or take those directions out of 'directions'",
            )
        )
    if config["film_sound"] is not None:
        problems.append(
            error(
                FILE,
                "streams.audio is null, and film_sound names a file of sound",
                "set streams.audio to 0, or film_sound to null",
            )
        )
    return problems


def check_weights(config: dict[str, Any]) -> list[Problem]:
    """Check that networks whose features are asked for have their weights."""
    problems = []
    spaces = dict.fromkeys(s for one in directions_of(config).values() for s in one.spaces)
    for space in spaces:
        name = network_of(space)
        if name and config["backbones"][name]["weights"] is None:
            what = "file" if name == "word_vectors" else "folder"
            problems.append(
                error(
                    FILE,
                    f"sources names {space}, and backbones.{name}.weights is null",
                    f"set backbones.{name}.weights to the {what} with its weights, or take {space} "
                    "out of 'sources'",
                )
            )
    networks = ("i3d", "flow", "sound_networks")
    named = {f"{network}.weights": config[network]["weights"] for network in networks}
    named |= {
        f"backbones.{name}.weights": network["weights"]
        for name, network in config["backbones"].items()
    }
    return problems + [
        error(path, f"what {key} names is not there", f"correct {key}, or set it to null")
        for key, path in named.items()
        if path is not None and not Path(path).exists()
    ]


def check_cleaning(preprocessing: dict[str, Any]) -> list[Problem]:
    """Check that the strategy and the space are those of what is cleaned."""
    derivatives = preprocessing["derivatives"]
    if derivatives is not None and not is_fit_alone(derivatives):
        return []
    problems = []
    if preprocessing["cleaning"]["strategy"] == "ica_aroma":
        problems.append(
            error(
                FILE,
                "preprocessing.cleaning.strategy is ica_aroma, whose regressors our own "
                "preprocessing does not make",
                "set preprocessing.cleaning.strategy to simple, scrubbing or compcor",
            )
        )
    if derivatives is not None:
        return problems + [
            warning(
                FILE,
                f"preprocessing.{key} chooses among series, and preprocessing.derivatives has none",
                f"set preprocessing.{key} to null; voxels are as preprocessing.resolution says",
            )
            for key in ("cohort", "res")
            if preprocessing[key] is not None
        ]
    problems += [
        warning(
            FILE,
            f"preprocessing.{key} chooses among derivatives, and preprocessing.derivatives is null",
            f"set preprocessing.{key} to null, or preprocessing.derivatives to their folder",
        )
        for key in ("space", "res")
        if preprocessing[key] is not None
    ]
    return problems


def check_group(config: dict[str, Any]) -> list[Problem]:
    """Check that newcomers have a group to come to."""
    if config["group"]["newcomers"] and not config["group"]["train"]:
        return [
            error(
                FILE,
                "group.newcomers names participants, and group.train is false",
                "set group.train to true, or group.newcomers to []",
            )
        ]
    return []


#: Models whose predictions of sound can be made audible; the group's predict BOLD.
AUDIBLE = tuple(name for name in MODELS if name != "vae-group")


def check_listening(config: dict[str, Any]) -> list[Problem]:
    """Check that what is made audible is predicted."""
    unknown = [name for name in config["sounds"]["models"] if name not in AUDIBLE]
    if not unknown or not any(one.needs_sound for one in directions_of(config).values()):
        return []
    return [
        error(
            FILE,
            f"sounds.models names {', '.join(unknown)}, which predicts no sound",
            f"choose sounds.models among {', '.join(AUDIBLE)}",
        )
    ]
