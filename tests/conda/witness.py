"""The sitecustomize of a test environment: a job writes down where it and its modules are from."""

import atexit
import json
import os
import sys
from pathlib import Path


def testify() -> None:
    """Write interpreter, script, search path and the files of all modules that were loaded."""
    script = Path(sys.argv[0]).resolve()
    if script.suffix != ".py" or script.parent.name != "scripts":
        return
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    # torch names files for modules that it makes as it runs, "_ops.py": they lie nowhere.
    files = [file for file in files if file and Path(file).is_absolute()]
    found = {
        "script": script.stem,
        "prefix": sys.prefix,
        "executable": sys.executable,
        "path": sys.path,
        "modules": files,
    }
    folder = Path(os.environ["STAND_IN_WITNESSES"])
    (folder / f"{script.stem}_{os.getpid()}.json").write_text(json.dumps(found))


if "STAND_IN_WITNESSES" in os.environ:
    atexit.register(testify)
