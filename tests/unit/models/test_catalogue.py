"""What is predicted from what, by the configuration and by what there is of the stimulus."""

import planted_study
import pytest
import yaml

from stim2bold.models import catalogue
from stim2bold.models.catalogue import (
    available,
    direction_label,
    directions_of,
    groups_to_leave_out,
)
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.feature_spaces import FEATURE_SPACES, MISSING, described

ALL = {"frames": True, "sound": True, "words": True}


def directions(**settings):
    return directions_of(planted_study.configuration(**settings))


def test_the_shipped_directions():
    found = directions(directions=["film2bold", "audio2bold", "video2audio", "bold2audio"])
    assert found["film2bold"].spaces == ("i3d_rgb", "mel", "modulation", "words")
    assert found["audio2bold"].spaces == ("mel", "modulation")
    assert found["bold2audio"].spaces == () and found["bold2audio"].per_participant
    assert found["video2audio"].needs_sound and not found["video2audio"].per_participant


def test_a_source_of_ones_own_is_one_line():
    found = directions(directions=["speech2bold"], sources={"speech": ["words", "lowlevel_audio"]})
    assert found["speech2bold"].spaces == ("words", "lowlevel_audio")
    own = {"arousal": {"file": "arousal.tsv"}}
    found = directions(
        directions=["film2bold"], own_features=own, sources={"film": ["arousal", "video"]}
    )
    assert found["film2bold"].spaces == ("arousal", "i3d_rgb")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"directions": ["touch2bold"]}, "sources has no such entry"),
        ({"directions": ["film2audio"]}, "predict the sound from itself"),
        ({"directions": ["film2bold"], "sources": {"film": ["smell"]}}, "is no feature space"),
        ({"directions": ["a2bold"], "sources": {"a": ["b"], "b": ["a"]}}, "contains itself"),
    ],
)
def test_what_cannot_be_predicted_is_refused_in_one_line(settings, said):
    with pytest.raises(InputError, match=said) as refusal:
        directions(**settings)
    assert str(refusal.value).startswith("config.yaml: ") and "; " in str(refusal.value)


@pytest.mark.parametrize(
    ("lacking", "left", "gone"),
    [
        ("words", ("i3d_rgb", "mel", "modulation"), set()),
        ("sound", ("i3d_rgb", "words"), {"video2audio", "bold2audio"}),
        ("frames", ("mel", "modulation", "words"), {"video2audio"}),
    ],
)
def test_what_cannot_be_made_is_left_out_with_a_word(lacking, left, gone):
    asked = directions(directions=["film2bold", "video2audio", "bold2audio"])
    kept, *sentences = available(asked, ALL | {lacking: False})
    told = sum(sentences, [])
    assert kept["film2bold"].spaces == left
    assert set(asked) - set(kept) == gone
    spaces = {s for one in asked.values() for s in one.spaces if FEATURE_SPACES[s].needs == lacking}
    for name in spaces | gone:
        assert any(name in sentence for sentence in told), name
    assert any(MISSING[lacking] in sentence for sentence in told)
    assert available(asked, ALL) == (asked, [], [])


def test_a_table_of_the_users_needs_nothing_of_the_film():
    asked = directions(
        directions=["own2bold"],
        sources={"own": ["arousal"]},
        own_features={"arousal": {"file": "x.tsv"}},
    )
    assert available(asked, dict.fromkeys(ALL, False)) == (asked, [], [])


def test_only_one_place_reads_a_directions_name():
    assert catalogue.split_name("my_2nd_source2bold") == ("my_2nd_source", "bold")
    rules = planted_study.PROJECT / "workflow"
    written = {
        path.name
        for path in [*rules.rglob("*.smk"), *rules.rglob("*.py")]
        for name in ("video2bold", "film2bold", "bold2audio", "video2audio")
        if f'"{name}"' in path.read_text() or f"/{name}/" in path.read_text()
    }
    assert written == set()


def test_the_schema_and_the_table_know_the_same_targets():
    schema = yaml.safe_load((planted_study.PROJECT / "workflow/config.schema.yaml").read_text())
    pattern = schema["properties"]["directions"]["items"]["pattern"]
    assert pattern.endswith(f"2({'|'.join(catalogue.TARGETS)})$")


def test_networks_of_the_table_are_those_that_have_settings():
    named = {one.network for one in FEATURE_SPACES.values() if one.network}
    assert named == set(planted_study.configuration()["backbones"])


def test_a_layer_is_a_space_of_its_own():
    found = directions(
        directions=["video2bold"], sources={"video": ["i3d_rgb", "i3d_rgb-Mixed_3c"]}
    )["video2bold"]
    assert found.spaces == ("i3d_rgb", "i3d_rgb-Mixed_3c")
    kept, spaces, _ = available({"video2bold": found}, ALL | {"frames": False})
    assert kept == {} and len(spaces) == 2
    assert "layer Mixed_3c" in described("i3d_rgb-Mixed_3c").label
    for wrong in ("i3d_rgb-Mixed_9z", "mel-Mixed_3c", "i3d_rgb-"):
        with pytest.raises(InputError, match="is no feature space"):
            directions(directions=["a2bold"], sources={"a": [wrong]})


def test_a_brain_is_predicted_from_others_where_there_are_any():
    asked = directions(directions=["bold2bold", "film2bold"])
    assert asked["bold2bold"].from_others and not asked["film2bold"].from_others
    assert asked["bold2bold"].per_participant and not asked["bold2bold"].from_film
    kept, _, gone = available(asked, ALL | {"others": False})
    assert list(kept) == ["film2bold"] and "one participant" in gone[0]
    assert "other participants" in direction_label("bold2bold")


def test_spaces_and_modalities_are_left_out_but_never_all():
    found = groups_to_leave_out(["i3d_rgb", "mel", "modulation", "words", "annotations"])
    assert found["all audio"] == ["mel", "modulation"] and found["words"] == ["words"]
    assert "all video" not in found and len(found) == 6
    assert groups_to_leave_out(["mel"]) == {}
    assert list(groups_to_leave_out(["mel", "modulation"])) == ["mel", "modulation"]
