"""What is planned for participants that are simulated with the user's film and head."""

import re

import pytest


def planned(text: str) -> dict[str, int]:
    """Number of jobs of each rule in Snakemake's table."""
    return {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}


@pytest.mark.parametrize("annotated", [False, True])
def test_the_users_film_is_watched_and_none_is_drawn(snakemake, tmp_path, annotated):
    film = tmp_path / "a film.mp4"
    film.touch()
    sound = tmp_path / "annotations" / "sound"
    sound.mkdir(parents=True)
    (sound / "sound_annotation_words.tsv").write_text("item\tonset\toffset\nja\t1\t2\n")
    options = [f"annotations_dir={sound.parent}"] if annotated else []
    run = snakemake("-n", "-p", "--config", f"film={film}", *options)
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    jobs = planned(text)
    assert jobs["watch_film"] == 1 and "simulate_film" not in jobs
    assert jobs["tabulate_annotations"] == 1 and jobs["simulate_participant"] == 3
    assert (re.search(r"--words +--truth", text) is None) == annotated
    assert ("--annotations results/features/annotations.nc" in text) == annotated
    assert "--film-truth results/simulated/truth/own_film_features.nc" in text


def test_a_head_that_is_not_there_is_named(snakemake):
    run = snakemake("-n", "--config", "simulation={'images': {'head': '/no/such head.nii.gz'}}")
    assert run.returncode != 0
    assert (
        "/no/such head.nii.gz: the file that simulation.images.head names is not there"
        in run.stdout + run.stderr
    )
    assert "Traceback" not in run.stdout + run.stderr
