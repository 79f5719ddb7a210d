"""Make the simulated film, its annotations and the truth about it."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import replacing, write_table
from stim2bold.runtime.command import progress, run
from stim2bold.simulation.film.annotations import annotate_sound, annotate_video
from stim2bold.simulation.film.filmmaking import mix_sound, write_script
from stim2bold.simulation.film.settings import FilmSettings
from stim2bold.simulation.film.shooting import draw_frames, write_film
from stim2bold.simulation.film.truth import describe
from stim2bold.simulation.film.watcher import Watcher


def main() -> None:
    """Read the options, make the film, write it and what is known of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, required=True, help="folder")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--settings", type=json.loads, required=True, help="section simulation")
    options = parser.parse_args()

    keys = FilmSettings.__dataclass_fields__
    film = write_script(FilmSettings(**{key: options.settings[key] for key in keys}))
    sound = mix_sound(film)
    watcher = Watcher(shot.first for shot in film.shots)
    frames = progress(draw_frames(film), "frames", total=film.settings.n_frames)
    with replacing(options.film) as path:
        write_film(path, watcher.watch(frames), sound)

    for concept, table in annotate_video(film).items():
        write_table(options.annotations / "video" / f"video_annotation_{concept}.tsv", table)
    for name, table in annotate_sound(film).items():
        write_table(options.annotations / "sound" / f"sound_annotation_{name}.tsv", table)
    write_array(options.truth, describe(film, watcher.features(), sound))


if __name__ == "__main__":
    run(main)
