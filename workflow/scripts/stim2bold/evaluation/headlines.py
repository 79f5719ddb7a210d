"""By what the models of a direction are compared, and which of them are none but oracles."""

#: By which score models are compared, by what is predicted. The label of the block *names* music
#: and speech: of sound, only what is told within blocks of one kind says anything.
HEADLINES = {"bold": "r", "audio": "r_within"}
#: Models that are told what they should find out, by what is predicted: no baselines.
ORACLES: dict[str, tuple[str, ...]] = {"bold": (), "audio": ("blocks",)}


def target_of(direction: str) -> str:
    """Return what a direction predicts: the modality after the ``2`` of its name."""
    return direction.rpartition("2")[2]
