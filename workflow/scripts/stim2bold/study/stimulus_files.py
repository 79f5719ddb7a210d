"""The film, its sound and its annotations, as the configuration names them."""

from pathlib import Path

from stim2bold.io.presence import check_present
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import refuse


def film_path(film: str | None, *, drawn: bool) -> Path | None:
    """Return the film: the user's, the one that the simulation draws, or None without either.

    Parameters
    ----------
    film : str or None
        Of the configuration.
    drawn : bool
        Whether the simulation draws one where the user gives none.

    Raises
    ------
    InputError
        When the film is not there.
    """
    if film is None:
        return Path("results/simulated/film.mp4") if drawn else None
    if Path(film).is_symlink():
        refuse(check_present(Path(film)))
    if not Path(film).is_file():
        raise InputError(film, "the film is not there", "set film to the file that was watched")
    return Path(film)


def film_sound_path(film_sound: str | None) -> list[str]:
    """Return the file that holds the film's sound; none where it is in the film.

    Raises
    ------
    InputError
        When it is not there.
    """
    if film_sound is None:
        return []
    if not Path(film_sound).is_file():
        raise InputError(
            film_sound,
            "the film's sound is not there",
            "set film_sound to the file that holds it, or to null where it is in the film",
        )
    return [film_sound]


def annotations_path(annotations_dir: str | None, *, bids_dir: str, expected: bool) -> Path | None:
    """Return the folder of the film's annotations, ``stimuli/annotations`` unless it is given.

    Parameters
    ----------
    annotations_dir : str or None
        As the configuration gives it.
    bids_dir : str
        The data set.
    expected : bool
        Whether the data set will have annotations that are not there yet.

    Returns
    -------
    Path or None
        None where the data set has no annotations.

    Raises
    ------
    InputError
        When a folder that is given is not there.
    """
    own = Path(bids_dir) / "stimuli" / "annotations"
    if annotations_dir is None:
        return own if expected or own.is_dir() else None
    if not Path(annotations_dir).is_dir():
        raise InputError(
            annotations_dir,
            "no such folder",
            "set annotations_dir to the folder with the sub-folders video and sound",
        )
    return Path(annotations_dir)
