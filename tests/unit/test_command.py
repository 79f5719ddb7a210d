import logging

import pytest

from stim2bold.command import progress, run
from stim2bold.errors import InputError


def test_bad_input_ends_a_script_with_one_line():
    def main():
        raise InputError("film.mp4: has no sound; give the film as it was shown")

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == "error: film.mp4: has no sound; give the film as it was shown"


def test_a_fault_of_ours_is_not_hidden():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(main)


def test_progress_passes_everything_on(capsys):
    logging.getLogger().handlers.clear()
    assert list(progress(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert "letters: 100%" in capsys.readouterr().err
