"""Average, for each participant, what the others' brains did at the same moments of the film."""

from pathlib import Path

from stim2bold.io.arrays import read_array, write_array
from stim2bold.models.others import means_of_others
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import progress, run


def main() -> None:
    """Read everybody's BOLD, write one table a participant."""
    parser = ListParser(__doc__)
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="one a participant")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="likewise, to write")
    args = parser.parse_args()
    paths = {path.stem: path for path in args.bold}
    out = dict(zip(paths, args.out, strict=True))
    means = means_of_others(lambda name: read_array(paths[name]), list(paths))
    for name, mean in progress(means, description="participants", total=len(paths)):
        write_array(out[name], mean)


if __name__ == "__main__":
    run(main)
