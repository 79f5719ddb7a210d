"""Command lines whose lists grow with the number of participants."""

import argparse


class ListParser(argparse.ArgumentParser):
    r"""A parser for which ``@FILE`` stands for the lines of a file, each one argument.

    A thousand participants' paths are more than the system lets a program be started with. The
    rules hand such a list over as ``@<(printf '%s\n' PATH ...)``: printf is a part of the shell,
    for which that limit does not hold.
    """

    def __init__(self, description: str | None) -> None:
        super().__init__(description=description, fromfile_prefix_chars="@")

    def convert_arg_line_to_args(self, arg_line: str) -> list[str]:
        """Return a line as one argument, and the empty line of a list without paths as none."""
        return [arg_line] if arg_line else []
