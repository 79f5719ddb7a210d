"""From nothing to the report, and what the results must be."""

import json
import re
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import processes
import pytest
import soundfile
import xarray as xr
from nibabel.processing import resample_from_to

from stim2bold.io.arrays import read_array, read_dataset
from stim2bold.io.files import read_json, read_table
from stim2bold.models.flexible_delays import best_delay

DIRECTIONS = {"video2audio", "film2bold", "bold2audio"}


def test_a_second_run_has_nothing_to_do(tiny_study):
    run = tiny_study.snakemake()
    assert run.returncode == 0
    assert "Nothing to be done" in run.stdout + run.stderr


def test_every_direction_has_scores_for_every_model(tiny_study):
    summary = read_table(tiny_study.results / "scores" / "summary.tsv")
    assert set(summary["direction"]) == DIRECTIONS
    for direction, part in summary.groupby("direction"):
        expected = {"vae", "vae-stack", "ridge", "banded", "blocks"}
        expected |= {"vae-group"} if direction == "film2bold" else set()
        assert expected <= set(part["model"]), direction
        scored = part.set_index("model").loc[["vae", "ridge"], "r"].astype(float)
        assert scored.between(-1, 1).all(), direction


def planted_voxels(study, participant):
    """The voxels that models see: their region (1 visual), and the signal planted in each."""
    bold = xr.open_dataset(study.results / f"bold/{participant}.nc", engine="h5netcdf")["bold"]
    truth = xr.open_dataset(
        study.results / f"simulated/truth/{participant}_signal.nc", engine="h5netcdf"
    )
    regions = nib.load(study.results / f"simulated/truth/{participant}_space-MNI_regions.nii.gz")
    ijk = np.column_stack([bold[axis].values for axis in "ijk"])
    world = nib.affines.apply_affine(np.reshape(bold.attrs["affine"], (4, 4)), ijk)
    there = np.rint(nib.affines.apply_affine(np.linalg.inv(regions.affine), world)).astype(int)
    region = np.asarray(regions.dataobj)[tuple(there.T)]
    place = {
        tuple(index): n
        for n, index in enumerate(np.column_stack([truth[axis].values for axis in "ijk"]))
    }
    signal = np.full(bold.shape, np.nan)
    for voxel, index in enumerate(map(tuple, there)):
        if index in place:
            signal[:, voxel] = truth["signal"].values[: len(bold), place[index]]
    return bold.values, region, signal


def test_the_planted_signal_survives_preprocessing_in_its_place(tiny_study):
    bold, region, signal = planted_voxels(tiny_study, "sub-01")
    planted = np.flatnonzero(region > 0)
    own = [np.corrcoef(bold[:, v], signal[:, v])[0, 1] for v in planted]
    # The same series against the signal of another region's voxel.
    others = np.random.default_rng(0).permutation(planted)
    wrong = [
        np.corrcoef(bold[:, v], signal[:, w])[0, 1]
        for v, w in zip(planted, others, strict=True)
        if region[v] != region[w]
    ]
    # At 6 mm a voxel mixes several of the planted ones: 0.46 was measured, of 0.8 at 4 mm.
    assert np.mean(own) > 0.35
    assert abs(np.mean(wrong)) < 0.15


def test_ridge_finds_the_visual_signal_and_beats_the_block_label(tiny_study):
    r = {"ridge": [], "blocks": [], "elsewhere": []}
    for participant in ("sub-01", "sub-02"):
        _, region, _ = planted_voxels(tiny_study, participant)
        scores = xr.open_dataset(
            tiny_study.results / f"scores/film2bold/{participant}_voxels.nc", engine="h5netcdf"
        )["r"]
        for model in ("ridge", "blocks"):
            r[model].append(scores.sel(model=model).values[region == 1].mean())
        r["elsewhere"].append(scores.sel(model="ridge").values[region == 0].mean())
    mean = {name: np.mean(values) for name, values in r.items()}
    assert mean["ridge"] > mean["blocks"] + 0.02, mean
    assert mean["ridge"] > mean["elsewhere"] + 0.02, mean


def test_predicted_bold_lies_where_the_measured_does(tiny_study):
    bold = xr.open_dataset(tiny_study.results / "bold" / "sub-01.nc", engine="h5netcdf")
    image = nib.load(tiny_study.results / "maps/film2bold/sub-01/vae_bold.nii.gz")
    affine = np.reshape(bold["bold"].attrs["affine"], (4, 4))
    np.testing.assert_allclose(image.affine, affine, atol=1e-4)
    assert image.shape[:3] == tuple(bold["bold"].attrs["shape"])
    assert np.isclose(image.header.get_zooms()[3], 0.608)


def test_no_row_that_was_predicted_was_fitted(tiny_study):
    root = tiny_study.results.parent
    files = set((tiny_study.results / "predictions").rglob("*.nc"))
    checked = {
        root / path for path in read_json(tiny_study.results / "leakage.json")["predictions"]
    }
    assert files and checked >= files, "every prediction is checked"
    for path in checked:
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            (name,) = (n for n, array in dataset.items() if "fitted_rows" in array.attrs)
            predicted = dataset[name].load()
        times = predicted["time"].values
        assert len(times) > 100 and len(set(times)) == len(times), path
        for fold, ranges in json.loads(predicted.attrs["fitted_rows"]).items():
            rows = predicted["row"].values[predicted["fold"].values == int(fold)]
            fitted = np.concatenate([np.arange(*pair) for pair in ranges])
            apart = np.abs(rows[:, None] - fitted).min()
            assert rows.size and apart * 0.608 >= 12.0, path


def test_labels_are_decoded_from_the_picture_and_named_where_they_cannot_be(tiny_study):
    folder = tiny_study.results / "decoding"
    scores = read_table(folder / "labels/video/film_scores.tsv")
    whole = scores[(scores["label"] == "all") & (scores["status"] == "decoded")]
    value = whole.set_index("measure")["value"]
    assert value["average_precision"] > value["chance"] + 0.2
    assert "too rare to fit" in set(scores["status"])
    captions = read_table(folder / "labels/bold/sub-01_captions.tsv")
    assert len(captions) > 50 and captions["decoded"].str.contains(r"\(0\.\d\d\)").any()
    summary = read_table(folder / "summary.tsv")
    assert set(summary["decoding"]) == {"labels", "clips"}
    assert set(read_json(tiny_study.results / "leakage.json")["predictions"]) >= {
        "results/decoding/labels/video/film.nc",
        "results/decoding/clips/sub-02.nc",
    }


@pytest.mark.parametrize("folder", ["preprocessed", "cleaned"])
def test_derivatives_are_valid_bids(tiny_study, folder):
    validator = Path(sys.executable).with_name("bids-validator-deno")
    found = processes.run([validator, "--format", "json", tiny_study.results / folder], seconds=120)
    issues = json.loads(found.stdout)["issues"]["issues"]
    errors = [issue for issue in issues if issue["severity"] == "error"]
    assert errors == [], errors


def test_t1w_space_is_made_on_request_and_lies_on_the_t1w(tiny_study):
    stem = "preprocessed/sub-01/ses-mri3t/func/sub-01_ses-mri3t_task-film_run-1_space-T1w"
    run = tiny_study.snakemake("--", f"results/{stem}_desc-preproc_bold.nii.gz")
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    mask = nib.load(tiny_study.results / f"{stem}_desc-brain_mask.nii.gz")
    anat = "preprocessed/sub-01/ses-mri3t/anat/sub-01_ses-mri3t_run-1_desc-brain_mask.nii.gz"
    brain = resample_from_to(nib.load(tiny_study.results / anat), mask, order=1)
    a, b = (np.asarray(image.dataobj) > 0.5 for image in (mask, brain))
    assert 2 * (a & b).sum() / (a.sum() + b.sum()) > 0.85
    series = nib.load(tiny_study.results / f"{stem}_desc-preproc_bold.nii.gz")
    # Bright where the T1w's brain is: the two images are of one head in one place.
    mean = series.get_fdata(dtype=np.float32).mean(axis=-1)
    assert mean[b].mean() > 2 * mean[~b].mean()


def test_delays_are_found_on_request(tiny_study):
    target = "results/maps/film2bold/sub-01/best_delay.nii.gz"
    run = tiny_study.snakemake("--", target)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    folder = tiny_study.results
    shares = read_array(folder / "delays/film2bold/sub-01.nc")
    known = np.isfinite(shares.values).all(axis=0)
    np.testing.assert_allclose(shares.values[:, known].sum(axis=0), 1, atol=0.01)
    # Where the response was planted and is predicted, delays agree better than where it was not.
    _, region, _ = planted_voxels(tiny_study, "sub-01")
    scores = read_dataset(folder / "scores/film2bold/sub-01_voxels.nc").sel(model="ridge")
    delay = best_delay(shares["delay"].values, shares.values)
    spread = [
        np.subtract(*np.percentile(delay[known & here], (75, 25)))
        for here in ((region > 0) & (scores["r"].values > 0.2), region == 0)
    ]
    assert spread[0] < 0.85 * spread[1], spread
    assert 4 < np.median(delay[known & (region > 0)]) < 6
    # On the map where ridge is significant, which in so short a film may be nowhere.
    shown = nib.load(tiny_study.results.parent / target).get_fdata() > 0
    assert shown.sum() == (scores["q"].values < 0.05).sum()
    choices = read_table(folder / "delays/film2bold/sub-01.tsv")
    assert list(choices.columns) == ["fold", "flexible", "r_fixed", "r_flexible"]


def test_another_look_at_the_input_is_no_reason_to_preprocess_again(tiny_study):
    run = tiny_study.snakemake("-n", "--forcerun", "validate_inputs")
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    assert re.search(r"^validate_inputs +1$", text, re.MULTILINE)
    assert "preprocess_" not in text and "probe_film" not in text


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
    rungs = list(read_table(folder / "rungs.tsv")["rung"])
    assert rungs == ["original", "griffinlim", "latent", "video", "ridge", "vae", "shuffled"]
    for segment in segments["segment"]:
        assert {path.stem for path in folder.glob(f"{segment}_*.wav")} == {
            f"{segment}_{rung}" for rung in rungs
        }


def test_the_report_opens_whole_in_a_browser(tiny_study, visit):
    site = tiny_study.results / "report"
    pages = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    people = ["participants/sub-01.html", "participants/sub-02.html"]
    assert pages == ["index.html", *people, "planted.html", "quality.html"]
    for name in pages:
        one = visit(site, name)
        one.see_everything()
        assert one.page.locator("[role=alert]").count() == 0
        # What was planted is a picture there, and no map to turn; of quality there is none.
        maps = one.page.locator("[data-view=maps][data-ready]").count()
        assert maps == (name not in ("planted.html", "quality.html"))
        assert "Simulated data." in one.page.inner_text("#main")
    page = visit(site, "index.html").page
    verdict = page.locator("table.verdict").inner_text()
    assert all(direction in verdict for direction in DIRECTIONS)
    assert "render_report" in page.locator("svg.graph").text_content()
    assert page.locator("[data-view=course] .still").count() > 0
    page.get_by_role("link", name="sub-02").click()
    # Three pairs of pictures take turns: BOLD with T1w, BOLD and T1w with the template.
    assert page.locator("[data-view=flicker]").count() == 3
    assert page.locator("[data-part=region] option").count() >= 5


def test_figures_and_pages_open_from_snakemakes_own_report(tiny_study, tmp_path, visit):
    run = tiny_study.snakemake("--report", str(tmp_path / "report.zip"))
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        report.extractall(tmp_path)
    page = visit(tmp_path / "report", "report.html").page
    assert "stim2bold" in page.inner_text("body")
    # As many rows as figures: seven a run, three an anatomy, of two participants; maps of both and
    # of the group, modalities of both, and what was planted.
    for category, rows in (("Quality", 2 * 10), ("Maps", 3 + 3), ("Film", 1), ("Pages", 1)):
        page.reload()
        page.locator("a", has_text=re.compile(f"^{category}$")).click()
        page.wait_for_function(f"document.querySelectorAll('tbody tr').length === {rows}")
    page.locator("tbody a").first.click()
    frame = page.frame_locator("iframe")
    frame.locator("table.verdict").wait_for(timeout=20_000)
    frame.locator("[data-view=maps][data-ready]").wait_for(timeout=60_000)
    frame.locator("a[href^='participants/']").first.click()
    frame.locator("h1", has_text="sub-01").wait_for(timeout=20_000)


def test_what_was_planted_is_compared_with_what_was_found(tiny_study):
    folder = tiny_study.results / "planted"
    errors = pd.read_csv(folder / "errors.tsv", sep="\t").pivot_table("value", "error", "unit")
    assert (errors.loc["motion, worst axis"] < 0.2).all()
    assert (errors.loc["place of planted grey matter"] < 4).all()
    assert (errors.loc["clock: response lags behind"].abs() <= 0.3).all()
    assert (errors.loc["signal left by preprocessing"] > 0.3).all()
    regions = pd.read_csv(folder / "regions.tsv", sep="\t")
    assert set(regions["unit"]) == {"group", "sub-01", "sub-02"}
    assert regions["model"].iloc[0] == "vae-group"
    planted = regions[regions["kind"] != "elsewhere"]
    empty = regions[regions["kind"] == "elsewhere"]
    assert planted["r"].mean() > empty["r"].mean() + 0.05
    assert (empty["p"] < 0.05).mean() < 0.15
    spaces = pd.read_csv(folder / "spaces.tsv", sep="\t").pivot_table("explained", "space", "kind")
    assert spaces.loc["i3d_rgb", "visual"] > spaces.loc["i3d_rgb", "auditory"]
    assert spaces.loc["mel", "auditory"] > spaces.loc["mel", "visual"]


def test_every_job_left_its_log_and_its_cost(tiny_study):
    benchmarks = list((tiny_study.results / "benchmarks").rglob("*.tsv"))
    assert len(benchmarks) > 40
    slowest = max(pd.read_csv(path, sep="\t")["s"].max() for path in benchmarks)
    assert slowest < 240
    for path in benchmarks:
        relative = path.relative_to(tiny_study.results / "benchmarks").with_suffix(".log")
        assert (tiny_study.results / "logs" / relative).is_file()


def test_a_network_of_sound_hears_when_somebody_speaks(tiny_study):
    target = "results/features/speech_activity.nc"
    run = tiny_study.snakemake("--", target)
    if "cannot be downloaded" in run.stdout + run.stderr:
        pytest.skip("no package index")
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    heard = xr.open_dataset(tiny_study.results.parent / target, engine="h5netcdf")["features"]
    blocks = xr.open_dataset(tiny_study.results / "features/blocks.nc", engine="h5netcdf")
    speech = blocks["features"].sel(feature="speech").values > 0.99
    probability = heard.sel(feature="sound/speech").values
    words = xr.open_dataset(tiny_study.results / "features/words.nc", engine="h5netcdf")["features"]
    spoken = words.sel(feature="sound/words speech").values
    assert np.corrcoef(probability[speech], spoken[speech])[0, 1] > 0.3
