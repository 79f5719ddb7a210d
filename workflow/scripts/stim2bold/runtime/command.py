"""How every script of the workflow starts, reports progress and ends."""

import logging
import signal
import sys
from collections.abc import Callable, Iterable

from tqdm import tqdm

from stim2bold.runtime.disk import explained
from stim2bold.runtime.errors import InputError


def run(main: Callable[[], None]) -> None:
    """Run a script's `main` with logging on stderr; what a user can mend ends it with one line.

    Parameters
    ----------
    main : callable
        The script, without arguments.

    Raises
    ------
    SystemExit
        With code 1 and the message of the `InputError` that `main` raised, that memory ran out, or
        what is wrong with the disk.
    """
    # A job that is cancelled is told so by this signal: it then leaves no half-written file either.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("cancelled"))
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(name)s: %(message)s",
        datefmt="%H:%M:%S",
    )
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except MemoryError as error:
        sys.exit(
            f"error: memory ran out ({' '.join(str(error).split()) or 'no more was given'}); free "
            "memory, or give the step more by --set-resources RULE:mem_mb=N"
        )
    except OSError as error:
        if explained(error) is None:
            raise
        sys.exit(f"error: {explained(error)}")


def progress(iterable: Iterable, description: str, *, total: int | None = None) -> Iterable:
    """Pass an iterable on while a progress bar on stderr counts its items.

    Parameters
    ----------
    iterable : iterable
        What is worked through.
    description : str
        What one item is.
    total : int, optional
        Number of items, where `iterable` cannot tell.

    Returns
    -------
    iterable
        The same items.
    """
    # A log is read after the fact: one line every few seconds, not a line a frame.
    return tqdm(iterable, desc=description, total=total, mininterval=5, ascii=True)
