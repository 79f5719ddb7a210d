"""Compare two runs: settings, versions, participants, scores and maps, as a page and a table."""

import argparse
import logging
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.map_figure import draw_rows
from stim2bold.evaluation.maps import grid
from stim2bold.evaluation.statistic_image import statistic_image
from stim2bold.io.files import replacing, write_table
from stim2bold.preprocessing.derivatives import VERSION
from stim2bold.report import pages
from stim2bold.report.comparison import (
    SECTIONS,
    compared_scores,
    comparison,
    map_pairs,
    mean_difference,
    read_bold,
    read_run,
)
from stim2bold.report.scores import model_label
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError

logger = logging.getLogger("compare_runs")


def main() -> None:
    """Read two runs, compare them, write the page in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--a", type=Path, required=True, help="results of a run")
    parser.add_argument("--b", type=Path, required=True, help="results of another")
    parser.add_argument("--templates", type=Path, required=True, help="folder of templates")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    options = parser.parse_args()
    if options.out.exists() and any(options.out.iterdir()):
        raise InputError(options.out, "is there already", "name another folder, or remove it")
    a, b = read_run(options.a), read_run(options.b)
    scores = compared_scores(a, b)
    pairs = map_pairs(a, b, scores)
    with replacing(options.out) as folder:
        folder.mkdir()
        pages.carry(options.templates, folder)
        write_table(folder / "scores.tsv", scores)
        pictures = []
        for direction in dict.fromkeys(pair.direction for pair in pairs):
            images, names = [], []
            mine = [pair for pair in pairs if pair.direction == direction]
            with read_bold(a, mine[0].unit) as bold:
                affine = grid(bold)[0]
                for model in dict.fromkeys(pair.model for pair in mine):
                    own = [pair for pair in mine if pair.model == model]
                    image = statistic_image(mean_difference(own, bold), affine, name="difference")
                    nib.save(image, folder / f"{direction}_{model}_difference.nii.gz")
                    images.append(image)
                    names.append(model_label(model))
            drawn = folder / f"{direction}.png"
            draw_rows(images, names, path=drawn)
            pictures.append(
                {"direction": direction, **pages.copy_picture(folder, f"assets/{direction}", drawn)}
            )
            drawn.unlink()
        text = (
            pages.environment(options.templates)
            .get_template("comparison.html.j2")
            .render(
                **comparison(a, b, scores, pairs),
                title="Two runs compared",
                root="",
                banners=[],
                version=VERSION,
                sections=SECTIONS,
                pictures=pictures,
            )
        )
        pages.write_page(folder / "index.html", text)
    logger.info("comparison: %s", (options.out / "index.html").resolve())


if __name__ == "__main__":
    run(main)
