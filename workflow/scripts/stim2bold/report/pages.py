"""Pages that need nothing but a browser: templates, and the files beside them."""

import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from PIL import Image

#: What the pages are styled and moved by; copied as they are.
CARRIED = (".css", ".js")


def environment(templates: Path) -> jinja2.Environment:
    """Return the templates of a folder; every value that they show is escaped.

    Raises
    ------
    jinja2.UndefinedError
        On rendering, when a template asks for what it is not given.
    """
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["fixed"] = fixed
    return found


def fixed(value: float | None, digits: int = 3) -> str:
    """Write a number with so many decimals; a missing one is a dash."""
    return "–" if value is None else f"{value:.{digits}f}"


def write_page(path: Path, text: str) -> None:
    """Write a page, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def copy_into(root: Path, name: str, source: Path) -> str:
    """Copy a file to `name` below the report and return its address from the report's root."""
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return quote(name)


def copy_picture(root: Path, name: str, source: Path) -> dict[str, Any]:
    """Put a picture below the report as WebP, which takes a fifth of PNG's room.

    Parameters
    ----------
    root : Path
        The report.
    name : str
        Below it, without suffix.
    source : Path
        Any picture that Pillow reads.

    Returns
    -------
    dict
        ``address`` from the report's root, ``width`` and ``height`` in pixels.
    """
    target = root / f"{name}.webp"
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as picture:
        picture.convert("RGB").save(target, quality=85, method=2)
        width, height = picture.size
    return {"address": quote(f"{name}.webp"), "width": width, "height": height}


def write_data(root: Path, name: str, content: Any) -> str:
    """Write data as a script that hands them to the page, and return its address.

    A page that was opened from a disk may not read files, but may load scripts.
    """
    target = root / f"{name}.js"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    target.write_text(f"stim2bold.receive({text});\n", encoding="utf-8")
    return quote(f"{name}.js")


def carry(templates: Path, root: Path) -> None:
    """Copy styles and scripts to ``assets`` below the report."""
    for path in sorted(templates.iterdir()):
        if path.suffix in CARRIED:
            copy_into(root, f"assets/{path.name}", path)
