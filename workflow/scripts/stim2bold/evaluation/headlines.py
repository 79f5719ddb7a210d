"""By what the models of a direction are compared, and which of them are none but oracles."""

from stim2bold.models.catalogue import MODELS

#: By which score models are compared, by what is predicted. The label of the block *names* music
#: and speech: of sound, only what is told within blocks of one kind says anything.
HEADLINES = {"bold": "r", "audio": "r_within"}
#: Models that are told what they should find out, by what is predicted: no baselines.
ORACLES: dict[str, tuple[str, ...]] = {"bold": (), "audio": ("blocks",)}


def role(model: str, target: str) -> str:
    """Return what a model is to a target: ``model``, ``baseline`` or ``oracle``."""
    if model in ORACLES[target]:
        return "oracle"
    return MODELS[model].role if model in MODELS else "baseline"


#: Below it a p, or a q where many are tested, counts as significant.
SIGNIFICANT = 0.05
