"""The store of a run of the tests."""

import pytest
from store import Store


def test_a_folder_is_made_once_for_all_that_ask_for_the_same(tmp_path):
    made = []

    def make(folder):
        made.append(folder)
        folder.mkdir()

    one = Store(tmp_path / "store").folder("it's one", make, seed=1)
    # Another worker's.
    again = Store(tmp_path / "store").folder("it's one", make, seed=1)
    other = Store(tmp_path / "store").folder("it's one", make, seed=2)
    assert one == again != other and one.name == "it's one" and made == [one, other]


def test_what_could_not_be_made_is_tried_again(tmp_path):
    store, tries = Store(tmp_path / "store"), []

    def make(folder):
        tries.append(folder)
        if len(tries) == 1:
            raise ValueError("no room")
        folder.mkdir()

    with pytest.raises(ValueError, match="no room"):
        store.folder("one", make)
    assert store.folder("one", make).is_dir() and len(tries) == 2
