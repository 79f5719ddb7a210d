"""Train one VAE for a group of participants, and a decoder alone for newcomers."""

import json
from functools import partial
from pathlib import Path

from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json, write_table
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.predictions import prediction_array
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import progress, run
from stim2bold.runtime.devices import use_threads
from stim2bold.vae.group import common_voxels, fit_group, fit_heads, member_predictions
from stim2bold.vae.settings import settings_of
from stim2bold.vae.storage import write_model


def main() -> None:
    """Write the model and a prediction for each member and newcomer."""
    parser = ListParser(__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--members", type=Path, nargs="+", required=True, help="BOLD tables")
    parser.add_argument("--newcomers", type=Path, nargs="*", default=[], help="BOLD tables")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="of members, then of newcomers"
    )
    parser.add_argument("--model", type=Path, required=True, help="safetensors; .json goes beside")
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--diagnostics", type=Path, required=True)
    parser.add_argument(
        "--checkpoints", type=Path, required=True, help="stem; deleted when training has ended"
    )
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="configuration section vae"
    )
    args = parser.parse_args()
    use_threads(2)
    content = read_json(args.folds)
    folds = read_folds(content)
    source = [read_array(path) for path in args.source]
    tables = {path.stem: read_array(path) for path in (*args.members, *args.newcomers)}
    problems = {
        name: assemble(args.direction, source=source, target=table, content=content)
        for name, table in tables.items()
    }
    members = {path.stem: problems[path.stem] for path in args.members}
    chosen = common_voxels({name: tables[name] for name in members})
    trained = fit_group(
        members,
        chosen,
        folds,
        settings_of(args.settings),
        progress=partial(progress, description="steps"),
        checkpoints=args.checkpoints,
    )
    record = trained.record | {"members": list(members)}
    fits = member_predictions(members, chosen, trained, folds, record)
    for path in args.newcomers:
        fits[path.stem] = fit_heads(problems[path.stem], folds, trained.tensors, record)

    for path, name in zip(args.predictions, problems, strict=True):
        out = prediction_array(
            problems[name],
            fits[name],
            model="vae-group",
            members=" ".join(members),
            sources=[path.name for path in args.source],
            target=name,
        )
        write_array(path, out)
    write_model(args.model, trained.tensors, record)
    write_table(args.history, trained.history)
    write_table(args.diagnostics, trained.diagnostics)


if __name__ == "__main__":
    run(main)
