import json
import os
from urllib.parse import unquote

import jinja2
import pytest
from PIL import Image

from stim2bold.report import pages


def test_every_value_is_escaped_and_none_may_be_missing(tmp_path):
    (tmp_path / "a.html.j2").write_text("<p>{{ name }}</p>{{ none|fixed }} {{ r|fixed(2) }}")
    template = pages.environment(tmp_path).get_template("a.html.j2")
    page = template.render(name="<script>", none=None, r=0.125)
    assert page == "<p>&lt;script&gt;</p>– 0.12"
    with pytest.raises(jinja2.UndefinedError):
        template.render(none=None, r=1)


def test_data_are_a_script_that_ends_where_it_should(tmp_path):
    content = {"a": "</script><b>", "b": [1.5, None]}
    address = pages.write_data(tmp_path, "assets/it's 100%", content)
    text = (tmp_path / unquote(address)).read_text()
    assert json.loads(text.removeprefix("stim2bold.receive(").removesuffix(");\n")) == content
    with pytest.raises(ValueError):
        pages.write_data(tmp_path, "b", float("nan"))


def test_addresses_lead_to_what_was_copied(tmp_path):
    source = tmp_path / "a picture.png"
    Image.new("RGBA", (40, 30), (200, 0, 0, 255)).save(source)
    address = pages.copy_into(tmp_path / "report", "assets/it's #1?.png", source)
    assert (tmp_path / "report" / unquote(address)).read_bytes() == source.read_bytes()
    shown = pages.copy_picture(tmp_path / "report", "assets/b", source)
    assert (shown["width"], shown["height"]) == (40, 30)
    with Image.open(tmp_path / "report" / shown["address"]) as picture:
        assert picture.format == "WEBP" and picture.getpixel((5, 5))[0] > 190


def test_styles_and_scripts_are_carried_and_templates_are_not(tmp_path):
    for name in ("a.css", "b.js", "c.html.j2"):
        (tmp_path / name).write_text(name)
    pages.carry(tmp_path, tmp_path / "report")
    assert sorted(os.listdir(tmp_path / "report" / "assets")) == ["a.css", "b.js"]
