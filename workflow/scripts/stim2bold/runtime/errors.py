"""What a user can mend is raised as an `InputError`; everything else is a fault of ours."""


class InputError(Exception):
    """Input that cannot be used.

    The message is one line for the user: the file, what is wrong with it, and the fix.
    """


class SettingError(InputError, ValueError):
    """Settings that contradict each other; the message names the keys and what to change."""
