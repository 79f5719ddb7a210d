from stim2bold.study.participants import absent_participants


def test_who_is_in_the_data_set_but_not_in_the_study_is_named(tmp_path):
    for name in ("sub-01", "sub-07"):
        (tmp_path / name).mkdir()
    (tmp_path / "sub-notes.txt").touch()
    table = "participant_id\tage\nsub-01\t20\nsub-05\t30\n"
    (tmp_path / "participants.tsv").write_text(table)
    found = absent_participants(tmp_path, {"01"}, chosen="all", excluded={"07": "fell asleep"})
    assert [row["participant"] for row in found] == ["sub-05", "sub-07"]
    assert "no BOLD run" in found[0]["reason"] and found[1]["reason"] == "fell asleep"
    found = absent_participants(tmp_path, {"01"}, chosen=["01"], excluded={})
    assert all("not named" in row["reason"] for row in found)
    assert absent_participants(tmp_path / "none", set(), chosen="all", excluded={}) == []


def test_a_broken_table_of_participants_stops_nothing(tmp_path):
    (tmp_path / "sub-02").mkdir()
    for content in (b"", b"\xff\xfe\x00", b"name\tage\nx\t1\n"):
        (tmp_path / "participants.tsv").write_bytes(content)
        found = absent_participants(tmp_path, set(), chosen="all", excluded={})
        assert [row["participant"] for row in found] == ["sub-02"]
