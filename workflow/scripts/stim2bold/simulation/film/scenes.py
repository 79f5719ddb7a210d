"""The scenes of the film by name."""

from collections.abc import Callable

from stim2bold.simulation.film.displays import (
    aquarium,
    checkerboard,
    dancers,
    fireworks,
    grating,
)
from stim2bold.simulation.film.scenery import (
    Painter,
    Setting,
    clouds,
    forest,
    meadow,
    sea,
    storm,
    street,
    windmill,
)

SCENES: dict[str, tuple[Callable[[Setting], Painter], tuple[str, ...]]] = {
    "sea": (sea, ("water", "boat", "sky", "outdoors", "nature", "summer")),
    "forest": (forest, ("tree", "leaf", "outdoors", "nature")),
    "street": (street, ("house", "building", "window", "door", "road", "outdoors", "car")),
    "clouds": (clouds, ("sky", "bird", "animal", "outdoors", "nature")),
    "meadow": (meadow, ("horse", "animal", "grass", "field", "sky", "outdoors", "rural")),
    "grating": (grating, ("pattern", "stripes")),
    "checkerboard": (checkerboard, ("pattern",)),
    "storm": (storm, ("rain", "storm", "wet", "dark", "outdoors")),
    "fireworks": (fireworks, ("dark", "performance", "outdoors")),
    "aquarium": (aquarium, ("fish", "animal", "water", "indoors")),
    "dancers": (dancers, ("dance", "dancer", "person", "people", "group", "indoors")),
    "windmill": (windmill, ("building", "sky", "outdoors", "rural")),
}


def make_scene(name: str, setting: Setting) -> Painter:
    """Return the painter of a scene.

    Parameters
    ----------
    name : str
        One of `SCENES`.
    setting : Setting
        Its chance and its pace.

    Returns
    -------
    callable
        Seconds since the shot began -> frame.
    """
    return SCENES[name][0](setting)
