"""From nothing to the report, and what the results must be."""

import html.parser
from urllib.parse import unquote

import nibabel as nib
import numpy as np
import pandas as pd
import soundfile
import xarray as xr

from stim2bold.files import read_json, read_table

DIRECTIONS = {"video2audio", "video2bold", "bold2audio"}


def test_a_second_run_has_nothing_to_do(tiny_study):
    run = tiny_study.snakemake()
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout + run.stderr


def test_every_direction_has_scores_for_every_model(tiny_study):
    summary = read_table(tiny_study.results / "scores" / "summary.tsv")
    assert set(summary["direction"]) == DIRECTIONS
    for direction, part in summary.groupby("direction"):
        assert {"vae", "ridge", "blocks"} <= set(part["model"]), direction
        scored = part.set_index("model").loc[["vae", "ridge"], "r"].astype(float)
        assert scored.between(-1, 1).all(), direction


def planted_and_other_r(study, model):
    """Mean r over planted grey matter and over the rest, from the maps and the planted truth."""
    planted, other = [], []
    for number in (1, 2):
        r = nib.load(study.results / f"maps/video2bold/sub-{number:02d}/{model}_r.nii.gz")
        regions = nib.load(
            study.results / f"simulated/truth/sub-{number:02d}_space-MNI_regions.nii.gz"
        )
        values = np.asarray(r.dataobj)
        ijk = np.argwhere(np.isfinite(values) & (values != 0))
        world = nib.affines.apply_affine(r.affine, ijk)
        there = np.rint(nib.affines.apply_affine(np.linalg.inv(regions.affine), world)).astype(int)
        inside = np.all((there >= 0) & (there < regions.shape[:3]), axis=1)
        label = np.zeros(len(ijk), int)
        label[inside] = np.asarray(regions.dataobj)[tuple(there[inside].T)]
        of_voxel = values[tuple(ijk.T)]
        planted.append(of_voxel[label == 1].mean())
        other.append(of_voxel[label == 0].mean())
    return np.array(planted), np.array(other)


def test_the_map_is_where_the_signal_was_planted(tiny_study):
    # Label 1 is the visual region, whose planted features are those of the picture.
    planted, other = planted_and_other_r(tiny_study, "ridge")
    assert (planted > other + 0.1).all(), (planted, other)


def test_predicted_bold_lies_where_the_measured_does(tiny_study):
    bold = xr.open_dataset(tiny_study.results / "bold" / "sub-01.nc", engine="h5netcdf")
    image = nib.load(tiny_study.results / "maps/video2bold/sub-01/vae_bold.nii.gz")
    affine = np.reshape(bold["bold"].attrs["affine"], (4, 4))
    np.testing.assert_allclose(image.affine, affine, atol=1e-4)
    assert image.shape[:3] == tuple(bold["bold"].attrs["shape"])
    assert np.isclose(image.header.get_zooms()[3], 0.608)


def test_no_row_that_was_predicted_was_fitted(tiny_study):
    assert read_json(tiny_study.results / "leakage.json")
    for path in (tiny_study.results / "predictions").rglob("*.nc"):
        with xr.open_dataset(path, engine="h5netcdf") as prediction:
            times = prediction["time"].values
        assert len(times) > 100 and len(set(times)) == len(times), path


def test_sounds_are_what_the_table_says(tiny_study):
    folder = tiny_study.results / "sounds" / "bold2audio" / "sub-01"
    segments = read_table(folder / "segments.tsv")
    assert list(segments["trial_type"]) == ["music", "speech"] * 4 + ["music"]
    for segment in segments.itertuples():
        for path in folder.glob(f"{segment.segment}_*.wav"):
            info = soundfile.info(path)
            assert info.subtype == "PCM_16"
            assert abs(info.duration - segment.duration) < 0.05
            sound, _ = soundfile.read(path)
            assert np.sqrt(np.mean(sound**2)) > 1e-3, path
    assert len(list(folder.glob(f"{segments['segment'][1]}_*.wav"))) == 4


class Addresses(html.parser.HTMLParser):
    """Collects every file that the page shows or plays."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name == "src"]


def test_the_report_shows_only_what_lies_beside_it(tiny_study):
    page = tiny_study.results / "report" / "index.html"
    text = page.read_text(encoding="utf-8")
    found = Addresses(text).found
    assert sum(address.endswith(".wav") for address in found) >= 3 * 2 * 4
    assert sum("map_sub-" in address for address in found) == 2
    for address in found:
        assert (page.parent / unquote(address)).is_file(), address
    assert "Simulated data." in text
    for direction in DIRECTIONS:
        assert direction in text


def test_every_job_left_its_log_and_its_cost(tiny_study):
    benchmarks = list((tiny_study.results / "benchmarks").rglob("*.tsv"))
    assert len(benchmarks) > 40
    slowest = max(pd.read_csv(path, sep="\t")["s"].max() for path in benchmarks)
    assert slowest < 240
    for path in benchmarks:
        relative = path.relative_to(tiny_study.results / "benchmarks").with_suffix(".log")
        assert (tiny_study.results / "logs" / relative).is_file()
