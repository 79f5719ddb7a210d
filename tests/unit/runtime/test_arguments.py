"""Lists that are longer than a command line may be."""

import shlex
import subprocess
import sys
from pathlib import Path

import processes
import pytest

from stim2bold.runtime.arguments import ListParser

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"


def parsed(tmp_path: Path, paths: list[str]) -> list[str]:
    """What a program in a shell gets of a list, as the rules hand it over."""
    program = (
        "import sys; from stim2bold.runtime.arguments import ListParser; p = ListParser(None);"
        "p.add_argument('--paths', nargs='*'); print('\\0'.join(p.parse_args().paths), end='')"
    )
    listed = " ".join(map(shlex.quote, paths))
    line = (
        f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"
        f" --paths @<(printf '%s\\n' {listed})"
    )
    script = tmp_path / "line.sh"
    script.write_text(line)
    found = processes.run(["bash", str(script)], env={"PYTHONPATH": str(SCRIPTS)}, seconds=60)
    assert found.returncode == 0, found.stderr
    return found.stdout.split("\0") if found.stdout else []


@pytest.mark.parametrize(
    "paths",
    [[], ["a.nc"], ["it's $(here); a file.nc", "ü &*?.nc"]],
    ids=["none", "one", "odd"],
)
def test_a_list_arrives_as_it_is(tmp_path, paths):
    assert parsed(tmp_path, paths) == paths


def test_a_list_may_be_longer_than_any_command_line(tmp_path):
    # The system's limit for a program's arguments is 2 MB.
    paths = [f"results/predictions/film2bold/sub-{n:05d}/vae-stack.nc" for n in range(60_000)]
    assert sum(map(len, paths)) > 2**21
    assert parsed(tmp_path, paths) == paths
    with pytest.raises(OSError, match="too long"):
        subprocess.run(["true", *paths], check=True)


def test_plain_arguments_stay_what_they_are():
    parser = ListParser("what it does")
    parser.add_argument("--paths", nargs="*")
    assert parser.parse_args(["--paths", "a", "b c"]).paths == ["a", "b c"]
    assert "what it does" in parser.format_help()
