"""What a user can mend is raised as an `InputError`; everything else is a fault of ours."""

from pathlib import Path


class InputError(Exception):
    """Input that cannot be used, told in one line: the file, what is wrong with it, and the fix.

    Parameters
    ----------
    file : str or Path
        Where; or what else the user gave it as, such as the name of a run.
    what : str
        What is wrong with it.
    fix : str
        What the user can do about it.
    """

    def __init__(self, file: str | Path, what: str, fix: str):
        super().__init__(str(file), what, fix)
        self.file, self.what, self.fix = str(file), what, fix

    def __str__(self) -> str:
        return f"{self.file}: {self.what}; {self.fix}"


class SettingError(InputError, ValueError):
    """Settings that contradict each other; `file` is the section, the fix names what to change."""
