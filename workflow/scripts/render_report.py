"""Put scores, maps, sounds and quality control on one page that needs nothing but a browser."""

import json
import logging
import tempfile
from pathlib import Path

import yaml

from stim2bold import report
from stim2bold.arguments import ListParser
from stim2bold.command import run
from stim2bold.files import read_json, read_table, replacing

logger = logging.getLogger("render_report")


def main() -> None:
    """Read the artefacts, copy what the page shows, and write the page."""
    parser = ListParser(__doc__)
    parser.add_argument("--template", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True, help="summary.tsv")
    parser.add_argument("--ceiling", type=Path, help="ceiling.tsv, where BOLD is predicted")
    parser.add_argument("--inputs", type=Path, required=True, help="inputs.json")
    parser.add_argument("--folds", type=Path, required=True, help="folds.json")
    parser.add_argument("--leakage", type=Path, required=True, help="leakage.json")
    parser.add_argument("--film", type=Path, required=True, help="film.json")
    parser.add_argument("--sheet", type=Path, required=True, help="picture of the film's features")
    parser.add_argument("--requirements", type=Path, required=True, help="pinned versions")
    parser.add_argument("--maps", type=Path, nargs="*", default=[], help="pictures, UNIT.png")
    parser.add_argument("--sounds", type=Path, nargs="*", default=[], help=".../DIRECTION/UNIT")
    parser.add_argument("--sound-scores", type=Path, nargs="*", default=[], help="one a folder")
    parser.add_argument("--confounds", type=Path, nargs="*", default=[])
    parser.add_argument("--figures", type=Path, nargs="*", default=[], help="quality control")
    parser.add_argument("--index", type=Path, required=True, help="page to write")
    parser.add_argument("--assets", type=Path, required=True, help="folder beside it to write")
    parser.add_argument("--settings", type=json.loads, required=True)
    arguments = parser.parse_args()
    arguments.assets.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.assets.parent, prefix=".writing-") as folder:
        assets = Path(folder) / arguments.assets.name
        assets.mkdir()
        page = report.render(
            arguments.template,
            **report.opening(
                inputs=read_json(arguments.inputs),
                film=read_json(arguments.film),
                folds=read_json(arguments.folds),
                simulation=arguments.settings["simulation"],
            ),
            table=report.verdict_table(read_table(arguments.summary)),
            sheet=report.collect_file(arguments.sheet, assets, name="film.png"),
            shared=report.ceiling_sentence(read_table(arguments.ceiling))
            if arguments.ceiling
            else None,
            maps=report.gather_maps(arguments.maps, assets),
            listening=[
                report.gather_sounds(folder, assets)
                | {"scores": report.rung_scores(read_table(scores))}
                for folder, scores in zip(arguments.sounds, arguments.sound_scores, strict=True)
            ],
            sound_scores=list(report.SOUND_SCORES.values()),
            quality=report.gather_quality(arguments.confounds, arguments.figures, assets),
            leakage=report.leakage_sentence(read_json(arguments.leakage)),
            versions=report.pinned_versions(arguments.requirements),
            configuration=yaml.safe_dump(arguments.settings["configuration"], sort_keys=False),
        )
        assets.rename(arguments.assets)
    with replacing(arguments.index) as temporary:
        temporary.write_text(page, encoding="utf-8")
    logger.info("report: %s", arguments.index.resolve())


if __name__ == "__main__":
    run(main)
