"""Names of BIDS files: their entities, and when two names mean the same."""

from pathlib import Path

#: Entities that are numbers: run-01 is run-1.
INDICES = {"run", "echo", "flip", "inv", "split", "chunk"}


def stem(path: Path) -> str:
    """Return the entities of a BIDS file name, without its suffix and extension."""
    return path.name.split(".", 1)[0].rsplit("_", 1)[0]


def entities(name: str) -> dict[str, str]:
    """Return the entities of a name as they are compared.

    Numbers go without their zeros, and ``part-mag`` goes: a magnitude image is what an image is
    where nothing else is said.
    """
    pairs = dict(part.split("-", 1) for part in name.split("_") if "-" in part)
    pairs = {
        key: str(int(value)) if key in INDICES and value.isascii() and value.isdigit() else value
        for key, value in pairs.items()
    }
    if pairs.get("part") == "mag":
        del pairs["part"]
    return pairs


def named(key: str) -> dict[str, str]:
    """Return the entities of a participant or run as a user names it: 02, sub-02, 02_run-1."""
    first, *rest = key.split("_")
    return entities("_".join([first if "-" in first else f"sub-{first}", *rest]))
