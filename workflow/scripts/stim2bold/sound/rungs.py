"""The rungs of the listening ladder: their names, what they are and their order."""

from collections.abc import Iterable

ORIGINAL, OWN_MEL = "original", "griffinlim"
#: The rungs that are no model's prediction from the direction's own source, from the top down.
RUNGS = {
    ORIGINAL: "the film's sound",
    OWN_MEL: "its own spectrogram, inverted",
    "latent": "its own spectrogram through the latents of the VAE, inverted",
    "video": "predicted from the film by the VAE",
}
#: The rung at the bottom: from the source at the wrong moments.
SHUFFLED = "shuffled"


def in_order(rungs: Iterable[str]) -> list[str]:
    """Return rungs from the top of the ladder down: those named here, models, the shuffled one."""
    found = set(rungs)
    models = sorted(found - set(RUNGS) - {SHUFFLED})
    return [
        *(rung for rung in RUNGS if rung in found),
        *models,
        *([SHUFFLED] if SHUFFLED in found else []),
    ]
