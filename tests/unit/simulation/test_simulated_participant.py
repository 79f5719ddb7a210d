"""A simulated participant: what the truth files say holds in the images.

The truth is read as docs/simulation.md tells a stranger to read it, with scipy's rotations,
scipy's interpolation and nilearn's high-pass filter, not with the simulation's own.
"""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nilearn.signal import clean
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import map_coordinates
from scipy.signal import lfilter
from scipy.spatial.transform import Rotation

from stim2bold.io.files import read_json, read_table
from stim2bold.simulation.brain.anatomy import draw_head
from stim2bold.simulation.brain.dataset_files import write_dataset
from stim2bold.simulation.brain.deformation import draw_deformation, rigid, rotation
from stim2bold.simulation.brain.head_motion import draw_motion, matrices
from stim2bold.simulation.brain.image_settings import ImageSettings
from stim2bold.simulation.brain.noise import NoiseSettings, disturb, draw_drift, draw_physiology
from stim2bold.simulation.brain.participant import simulate_participant
from stim2bold.simulation.brain.participant_files import events, read_settings, write_participant
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS, region_at
from stim2bold.simulation.brain.planted_signal import draw_weights
from stim2bold.simulation.brain.planted_strength import find_strength
from stim2bold.simulation.film.settings import FilmSettings

TR = 0.608
N_VOLUMES = 263
FILM = FilmSettings(seed=7, n_blocks=5, block_seconds=32.0, TR=TR)
SETTINGS = ImageSettings(
    t1w_voxel=4.0,
    bold_voxel=8.0,
    ceiling=0.4,
    between_correlation=0.6,
    no_signal=False,
    motion_mm=3.0,
    motion_degrees=2.0,
    jerks=3,
    deformation_mm=6.0,
    noise_percent=1.5,
    ar1=0.45,
    drift_percent=1.0,
    physiology_percent=0.3,
    bias_percent=15.0,
    t1w_noise_percent=2.5,
)
KINDS = np.array(["visual"] * 10 + ["auditory"] * 6 + ["language"] * 4)
SHARES = np.concatenate([np.full(n, 1 / n) for n in (10, 6, 4)])
FUNC = "sub-{0}/ses-mri3t/func/sub-{0}_ses-mri3t_task-film_run-1_"
ANAT = "sub-{0}/ses-mri3t/anat/sub-{0}_ses-mri3t_run-1_T1w"


def planted() -> np.ndarray:
    """Smooth, uncorrelated courses of unit variance, as a film would plant."""
    courses = lfilter([1], [1, -0.9], np.random.default_rng(0).standard_normal((N_VOLUMES, 20)), 0)
    left, _, _ = np.linalg.svd(highpassed(courses), full_matrices=False)
    return left / left.std(axis=0)


def highpassed(series: np.ndarray) -> np.ndarray:
    """Without what is slower than 1/128 Hz, by nilearn."""
    series = series - series.mean(axis=0)
    return clean(
        series, detrend=False, standardize=None, filter="cosine", high_pass=1 / 128, t_r=TR
    )


def correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pearson's r of each column."""
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    return (one * other).sum(axis=0) / np.linalg.norm(one, axis=0) / np.linalg.norm(other, axis=0)


@pytest.fixture(scope="module")
def participants():
    return {
        number: simulate_participant(
            planted(), KINDS, SHARES, SETTINGS, TR=TR, seed=7, number=number
        )
        for number in (1, 2)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory, participants):
    root = tmp_path_factory.mktemp("participants")
    for number, participant in participants.items():
        write_participant(
            participant, f"0{number}", film=FILM, bids=root / "bids", truth=root / "truth"
        )
    return root


def scanner_points(folder: Path, label: str, mni: np.ndarray) -> np.ndarray:
    """Places of MNI points in BOLD scanner space during volume 0, from the truth files."""
    deformation = xr.open_dataset(folder / f"truth/sub-{label}_deformation.nc")
    axes = [deformation[name].values for name in "ijk"]
    in_t1w = RegularGridInterpolator(axes, deformation.to_t1w.values)(mni)
    spaces = read_json(folder / f"truth/sub-{label}_spaces.json")
    return nib.affines.apply_affine(np.linalg.inv(spaces["bold_to_t1w"]), in_t1w)


def followed(folder: Path, label: str, mni: np.ndarray, *, still: bool = False) -> np.ndarray:
    """Brightness of MNI points in every volume, the head's motion followed or not."""
    bold = nib.load(folder / "bids" / (FUNC.format(label) + "bold.nii.gz"))
    at_rest = scanner_points(folder, label, mni)
    motion = read_table(folder / f"truth/sub-{label}_motion.tsv").to_numpy()
    courses = []
    for volume, row in zip(np.moveaxis(bold.get_fdata(), -1, 0), motion, strict=True):
        turned = Rotation.from_euler("xyz", row[3:]).apply(at_rest) + row[:3]
        place = nib.affines.apply_affine(np.linalg.inv(bold.affine), at_rest if still else turned)
        courses.append(map_coordinates(volume, place.T, order=3))
    return np.array(courses)


def truth_of(folder: Path, label: str) -> tuple[xr.Dataset, np.ndarray]:
    signal = xr.open_dataset(folder / f"truth/sub-{label}_signal.nc")
    return signal, np.column_stack([signal.x, signal.y, signal.z])


def test_files_have_the_shape_of_ds003688(folder, real_input):
    real = real_input("ds003688/bids")
    ours, theirs = folder / "bids", FUNC.format("04")
    theirs_json = read_json(real / (theirs + "bold.json"))
    json = read_json(ours / (FUNC.format("01") + "bold.json"))
    assert set(json) <= set(theirs_json) and "SliceTiming" not in json
    for key in ("RepetitionTime", "TaskName", "MRAcquisitionType", "SliceEncodingDirection",
                "PhaseEncodingDirection", "EchoTime", "FlipAngle", "Sequence"):  # fmt: skip
        assert json[key] == theirs_json[key], key
    standard = FilmSettings(seed=1, n_blocks=13, block_seconds=30.0, TR=TR)
    expected = (real / (theirs + "events.tsv")).read_text().split()
    assert events(standard).to_csv(sep="\t", index=False).split() == expected


def test_images_are_sagittal_first_and_agree_with_themselves(folder):
    bold = nib.load(folder / "bids" / (FUNC.format("01") + "bold.nii.gz"))
    assert bold.shape == (20, 32, 32, N_VOLUMES)
    assert nib.aff2axcodes(bold.affine) == ("L", "A", "S")
    assert bold.header["sform_code"] == bold.header["qform_code"] == 1
    np.testing.assert_allclose(bold.get_qform(), bold.get_sform(), atol=1e-3)
    np.testing.assert_allclose(bold.header.get_zooms(), (8, 8, 8, TR), rtol=1e-6)
    directions = bold.affine[:3, :3] / 8
    np.testing.assert_allclose(directions @ directions.T, np.eye(3), atol=1e-6)
    t1w = nib.load(folder / "bids" / (ANAT.format("01") + ".nii.gz"))
    assert nib.aff2axcodes(t1w.affine) == ("R", "A", "S")
    assert events(FILM).astype({"onset": float, "duration": float}).iloc[-1].duration == (
        pytest.approx(N_VOLUMES * TR - 128.0, abs=1e-3)
    )


def test_the_view_holds_the_brain_in_every_volume(folder):
    bold = nib.load(folder / "bids" / (FUNC.format("01") + "bold.nii.gz"))
    anatomy = draw_head(4.0)
    brain = nib.affines.apply_affine(anatomy.affine, np.argwhere(anatomy.brain).astype(float))
    inside = (np.abs(brain[:, 0]) < 74) & (brain[:, 2] > -70)
    at_rest = scanner_points(folder, "01", brain[inside & (brain[:, 2] < 80)])
    motion = read_table(folder / "truth/sub-01_motion.tsv").to_numpy()
    for row in motion[:: N_VOLUMES // 10]:
        turned = Rotation.from_euler("xyz", row[3:]).apply(at_rest) + row[:3]
        index = nib.affines.apply_affine(np.linalg.inv(bold.affine), turned)
        assert (index > -0.5).all() and (index < np.array(bold.shape[:3]) - 0.5).all()


def test_measured_signal_reaches_the_ceiling_and_no_more(folder):
    for label in ("01", "02"):
        signal, points = truth_of(folder, label)
        measured = highpassed(followed(folder, label, points))
        r = correlation(measured, highpassed(signal.signal.values))
        assert r.mean() == pytest.approx(0.4, abs=0.03)
        np.testing.assert_allclose(np.nanmean(signal.ceiling), 0.4, atol=1e-3)
        for kind in KIND_NUMBERS:
            assert r[signal.kind.values == kind].mean() > 0.3
        np.testing.assert_allclose(
            signal.signal, planted() @ signal.weight.values.T, atol=2e-3, rtol=1e-3
        )


def test_signals_of_two_participants_correlate_as_configured(folder):
    one, other = (truth_of(folder, label)[0] for label in ("01", "02"))
    r = correlation(one.signal.values, other.signal.values)
    assert r.mean() == pytest.approx(0.6, abs=0.1)


@pytest.mark.parametrize("wanted", [0.0, 0.4, 1.0])
def test_weights_of_many_places_correlate_as_configured(wanted):
    drawn = [
        draw_weights(
            np.full(20, 0.05),
            correlation=wanted,
            shared=np.random.default_rng(1),
            own=np.random.default_rng(2 + k),
        )
        for k in range(2)
    ]
    np.testing.assert_allclose(np.linalg.norm(drawn[0], axis=0), 1, rtol=1e-5)
    assert (drawn[0] * drawn[1]).sum(axis=0).mean() == pytest.approx(wanted, abs=0.06)


def test_following_the_true_motion_steadies_the_head(folder):
    """At the edge of the brain the variance falls by more than half; each parameter is needed."""
    anatomy = draw_head(4.0)
    index = np.argwhere(anatomy.brain)[::40]
    points = nib.affines.apply_affine(anatomy.affine, index.astype(float))
    points = points[points[:, 2] > -40]
    still = highpassed(followed(folder, "01", points, still=True))
    steady = highpassed(followed(folder, "01", points))
    assert np.median(still.var(axis=0)) > 1.3 * np.median(steady.var(axis=0))
    moving = still.var(axis=0) > np.percentile(still.var(axis=0), 80)
    assert steady.var(axis=0)[moving].mean() < 0.4 * still.var(axis=0)[moving].mean()


def test_motion_starts_at_rest_and_reaches_its_bounds():
    motion = draw_motion(
        300, TR=TR, largest_mm=3.0, largest_degrees=2.0, n_jerks=4, rng=np.random.default_rng(1)
    )
    assert (motion.iloc[0] == 0).all()
    assert motion.iloc[:, :3].abs().max().max() == pytest.approx(3.0)
    assert np.degrees(motion.iloc[:, 3:]).abs().max().max() == pytest.approx(2.0)
    steps = motion.diff().abs().iloc[1:, :3].max(axis=1)
    assert steps.max() > 20 * steps.median()
    np.testing.assert_array_equal(matrices(motion)[0], np.eye(4))


def test_rotation_is_scipys():
    angles = np.array([0.3, -0.2, 0.5])
    np.testing.assert_allclose(
        rotation(angles), Rotation.from_euler("xyz", angles).as_matrix(), atol=1e-12
    )
    np.testing.assert_allclose(rigid(np.ones(3), angles)[:3, 3], 1)


def test_deformation_can_be_undone():
    deformation = draw_deformation(6.0, np.random.default_rng(4))
    assert deformation.jacobian_determinant().min() > 0.2
    lengths = np.linalg.norm(deformation.displacement, axis=0)
    assert lengths.max() == pytest.approx(6.0) and lengths[0].max() == 0
    points = np.random.default_rng(0).uniform([-70, -100, -60], [70, 70, 75], (500, 3))
    moved = deformation.to_t1w(points)
    np.testing.assert_allclose(deformation.to_mni(moved), points, atol=1e-3)
    # Not an affine map: what is left after the best one is millimetres.
    design = np.column_stack([points, np.ones(500)])
    left = moved - design @ np.linalg.lstsq(design, moved, rcond=None)[0]
    assert np.linalg.norm(left, axis=1).max() > 1.0


def test_deformation_that_folds_is_refused():
    with pytest.raises(ValueError, match="fold"):
        draw_deformation(80.0, np.random.default_rng(4))


def test_deformation_files_undo_each_other_and_fit_the_image(folder):
    truth = xr.open_dataset(folder / "truth/sub-01_deformation.nc")
    points = np.random.default_rng(0).uniform([-60, -95, -45], [60, 60, 70], (300, 3))
    there = RegularGridInterpolator([truth[n].values for n in "ijk"], truth.to_t1w.values)(points)
    back = RegularGridInterpolator([truth[n].values for n in "xyz"], truth.to_mni.values)(there)
    assert np.abs(back - points).max() < 0.1
    # White matter of MNI space lies where the T1w image is bright, its fluid where it is dark.
    anatomy = draw_head(4.0)
    t1w = nib.load(folder / "bids" / (ANAT.format("01") + ".nii.gz"))
    bias = nib.load(folder / "truth/sub-01_space-T1w_bias.nii.gz").get_fdata()
    tissue = nib.load(folder / "truth/sub-01_space-T1w_dseg.nii.gz").get_fdata()
    corrected = t1w.get_fdata() / bias
    brightness, label = {}, {}
    for name, part in (("wm", anatomy.wm), ("gm", anatomy.gm), ("csf", anatomy.csf)):
        mni = nib.affines.apply_affine(anatomy.affine, np.argwhere(part > 0.95).astype(float))
        mni = mni[mni[:, 2] > -50]
        place = RegularGridInterpolator([truth[n].values for n in "ijk"], truth.to_t1w.values)(mni)
        voxel = nib.affines.apply_affine(np.linalg.inv(t1w.affine), place).round().astype(int).T
        brightness[name] = np.median(corrected[tuple(voxel)])
        label[name] = np.median(tissue[tuple(voxel)])
    assert brightness["wm"] > 1.15 * brightness["gm"] > 1.15 * 1.3 * brightness["csf"]
    assert label == {"csf": 1, "gm": 2, "wm": 3}
    assert bias[tissue > 0].std() / bias[tissue > 0].mean() > 0.03


def test_bold_has_the_contrast_of_t2_star(folder):
    anatomy = draw_head(4.0)
    places = nib.affines.apply_affine(anatomy.affine, np.indices(anatomy.gm.shape).T.astype(float))
    # Deep in the brain, where no voxel of 8 mm touches the skull; coils are even over so little.
    deep = (np.abs(places / np.array([30, 45, 30]) - np.array([0, -0.4, 0.3])) < 1).all(axis=-1).T
    means = {}
    for name in ("wm", "gm", "csf"):
        index = np.argwhere(deep & (getattr(anatomy, name) > 0.85))
        assert len(index) > 20
        mni = nib.affines.apply_affine(anatomy.affine, index.astype(float))
        means[name] = followed(folder, "01", mni)[0].mean()
    assert means["csf"] > means["gm"] > means["wm"]


def test_language_is_on_the_left_in_world_space(folder):
    signal, points = truth_of(folder, "01")
    language = signal.kind.values == "language"
    assert (points[language, 0] < 0).all()
    for kind in ("visual", "auditory"):
        x = points[signal.kind.values == kind, 0]
        assert 0.4 < (x < 0).mean() < 0.6
    # And so it is in the images: the mirrored places do not follow the language signal.
    components = highpassed(planted())[:, 16:]
    here = points[language]
    left, right = (
        highpassed(followed(folder, "01", side)) for side in (here, here * np.array([-1, 1, 1]))
    )
    explained = []
    for courses in (left, right):
        fit = components @ np.linalg.lstsq(components, courses, rcond=None)[0]
        explained.append((fit.var(axis=0) / courses.var(axis=0)).mean())
    assert explained[0] > 0.12 and explained[1] < 0.04
    x_of_left = scanner_points(folder, "01", here)[:, 0]
    assert (x_of_left < 0).mean() > 0.98


def test_regions_agree_with_the_signal_file(folder):
    signal, points = truth_of(folder, "01")
    regions = nib.load(folder / "truth/sub-01_space-MNI_regions.nii.gz")
    labels = regions.get_fdata()
    index = np.column_stack([signal.i, signal.j, signal.k])
    np.testing.assert_allclose(nib.affines.apply_affine(regions.affine, index), points)
    np.testing.assert_allclose(regions.affine, signal.attrs["affine"].reshape(4, 4))
    numbers = [KIND_NUMBERS[kind] for kind in signal.kind.values]
    np.testing.assert_array_equal(labels[tuple(index.T)], numbers)
    assert (labels > 0).sum() == len(index)
    silent = nib.affines.apply_affine(regions.affine, np.argwhere(labels == -1))
    nearest = np.linalg.norm(silent[::50, None] - points[None], axis=2).min(axis=1)
    assert nearest.min() > 12 and (labels == -1).sum() > 5000
    assert (region_at(silent) == 0).mean() > 0.99


def test_nothing_is_planted_where_nothing_should_be(folder):
    regions = nib.load(folder / "truth/sub-01_space-MNI_regions.nii.gz")
    silent = nib.affines.apply_affine(regions.affine, np.argwhere(regions.get_fdata() == -1)[::25])
    courses = highpassed(followed(folder, "01", silent[silent[:, 2] > -40]))
    components = highpassed(planted())
    fit = components @ np.linalg.lstsq(components, courses, rcond=None)[0]
    share = (fit.var(axis=0) / courses.var(axis=0)).mean()
    # Twenty smooth regressors fit some noise by chance; circular shifts say how much.
    by_chance = []
    for shift in (60, 110, 170):
        shifted = np.roll(components, shift, axis=0)
        fit = shifted @ np.linalg.lstsq(shifted, courses, rcond=None)[0]
        by_chance.append((fit.var(axis=0) / courses.var(axis=0)).mean())
    assert share < 1.1 * np.max(by_chance)


def test_null_variant_has_no_signal_and_the_same_noise(participants):
    null = simulate_participant(
        planted(), KINDS, SHARES, replace(SETTINGS, no_signal=True), TR=TR, seed=7, number=1
    )
    assert null.strength == 0 and not null.signal.any() and not null.weights.any()
    assert null.voxels.ceiling.isna().all() and len(null.voxels) == len(participants[1].voxels)
    pd.testing.assert_frame_equal(null.motion, participants[1].motion)
    difference = participants[1].bold.get_fdata() - null.bold.get_fdata()
    assert difference.std() > 0.5
    # What the signal adds is nothing but the planted courses: they span it but for rounding.
    strongest = np.argsort(difference.std(axis=-1).ravel())[-50:]
    courses = difference.reshape(-1, N_VOLUMES)[strongest].T
    design = np.column_stack([planted(), np.ones(N_VOLUMES)])
    left = courses - design @ np.linalg.lstsq(design, courses, rcond=None)[0]
    assert (left.var(axis=0) / courses.var(axis=0)).mean() < 0.25
    share = []
    for participant in (null, participants[1]):
        courses = highpassed(participant.bold.get_fdata().reshape(-1, N_VOLUMES)[strongest].T)
        fit = design @ np.linalg.lstsq(design, courses, rcond=None)[0]
        share.append((fit.var(axis=0) / courses.var(axis=0)).mean())
    assert share[1] > share[0] + 0.1


def test_the_same_seed_gives_the_same_participant(participants, tmp_path):
    again = simulate_participant(planted(), KINDS, SHARES, SETTINGS, TR=TR, seed=7, number=1)
    one = participants[1]
    np.testing.assert_array_equal(one.bold.dataobj, again.bold.dataobj)
    np.testing.assert_array_equal(one.t1w.dataobj, again.t1w.dataobj)
    np.testing.assert_array_equal(one.signal, again.signal)
    assert not np.array_equal(one.t1w.dataobj, participants[2].t1w.dataobj)
    for name, participant in (("a", one), ("b", again)):
        write_participant(
            participant, "01", film=FILM, bids=tmp_path / name, truth=tmp_path / name / "truth"
        )
        write_dataset(tmp_path / name, n_participants=2, seed=7)
    texts = [path for path in (tmp_path / "a").rglob("*") if path.suffix in (".json", ".tsv", "")]
    texts = [path for path in texts if path.is_file()]
    assert len(texts) == 9
    for path in texts:
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == twin.read_bytes()


def test_one_participant_more_leaves_the_others_as_they_are(tmp_path):
    for n in (2, 3):
        write_dataset(tmp_path / str(n), n_participants=n, seed=7)
    two, three = (read_table(tmp_path / n / "participants.tsv") for n in "23")
    pd.testing.assert_frame_equal(two, three.iloc[:2])
    assert list(three.participant_id) == ["sub-01", "sub-02", "sub-03"]


def test_unreachable_ceiling_is_refused():
    """And where there is one, it is the strength that algebra gives."""
    rng = np.random.default_rng(0)
    truth = lfilter([1], [1, -0.9], rng.standard_normal((200, 27)), 0)
    series = 1000 + 10 * rng.standard_normal((200, 3, 3, 3))
    places = np.indices((3, 3, 3)).reshape(3, -1).T.astype(float)
    arguments = (np.arange(27), np.tile(np.eye(4), (200, 1, 1)), np.eye(4), places, truth)
    found, r = find_strength(series, 1000 * truth, *arguments, ceiling=0.5, TR=TR)
    assert r.mean() == pytest.approx(0.5, abs=1e-4)
    # r = s / sqrt(s^2 + n^2) = 0.5 where the signal is 1 / sqrt(3) of the noise.
    signal = 1000 * found * highpassed(truth).std()
    assert signal == pytest.approx(10 / np.sqrt(3), rel=0.1)
    with pytest.raises(ValueError, match="ceiling"):
        find_strength(series, truth / 1000, *arguments, ceiling=0.5, TR=TR)


def test_settings_are_read_from_the_configuration_and_nothing_else():
    images = {name: getattr(SETTINGS, name) for name in ImageSettings.__dataclass_fields__}
    section = {"seed": 7, "n_blocks": 5, "block_seconds": 32.0, "TR": TR, "images": images}
    assert read_settings({**section, "participants": None}) == (FILM, SETTINGS)
    with pytest.raises(TypeError):
        read_settings({**section, "images": {**images, "unknown": 1}})


def noisy(settings: NoiseSettings, n_volumes: int = 400) -> np.ndarray:
    """A block of uniform grey matter of brightness 800 as measured."""
    shape = (12, 12, 12)
    series = np.full((n_volumes, *shape), 800, dtype=np.float32)
    disturb(
        series,
        settings=settings,
        TR=TR,
        voxel=4.0,
        grey=np.ones(shape),
        fluid=np.zeros(shape),
        coil=np.ones(shape, dtype=np.float32),
        brightness=1000.0,
        rng=np.random.default_rng(3),
    )
    # Smoothing mirrors at the border, which makes noise there a little stronger.
    return series[:, 3:-3, 3:-3, 3:-3].reshape(n_volumes, -1)


def lag_one(series: np.ndarray) -> float:
    centred = series - series.mean(axis=0)
    return float(np.mean((centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0)))


def test_noise_is_of_first_order():
    quiet = NoiseSettings(noise_percent=1.5, ar1=0.45, drift_percent=0, physiology_percent=0)
    series = noisy(quiet)
    assert series.std(axis=0).mean() == pytest.approx(0.015 * 800, rel=0.05)
    assert lag_one(series) == pytest.approx(0.44, abs=0.02)
    centred = series - series.mean(axis=0)
    lag_two = np.mean((centred[2:] * centred[:-2]).sum(axis=0) / (centred**2).sum(axis=0))
    assert lag_two == pytest.approx(0.45**2, abs=0.02)
    white = noisy(replace(quiet, ar1=0.0))
    assert abs(lag_one(white)) < 0.02


def test_residual_keeps_its_autocorrelation_in_the_whole_image(folder):
    """With all disturbances, motion and interpolation; against AR(1) noise treated alike."""
    signal, points = truth_of(folder, "02")
    courses = followed(folder, "02", points)
    reference = lfilter(
        [1], [1, -0.45], np.random.default_rng(1).standard_normal((N_VOLUMES + 50, 400)), 0
    )[50:]
    basis, _ = np.linalg.qr(np.column_stack([highpassed(planted()), np.ones(N_VOLUMES)]))
    left = [
        highpassed(part) - basis @ (basis.T @ highpassed(part)) for part in (courses, reference)
    ]
    assert lag_one(left[0]) == pytest.approx(lag_one(left[1]), abs=0.12)


def test_drift_is_slow_and_physiology_is_not():
    drift = draw_drift(641, TR=TR, rng=np.random.default_rng(0))
    assert highpassed(drift).var() < 0.12 * drift.var()
    beats = draw_physiology(641, TR=TR, rng=np.random.default_rng(0))
    np.testing.assert_allclose(beats.std(axis=0), 1)
    power = np.abs(np.fft.rfft(beats, axis=0)) ** 2
    frequency = np.fft.rfftfreq(641, TR)
    breathing = frequency[power[:, 2].argmax()]
    assert 0.2 < breathing < 0.34
    pulse = frequency[power[:, 0].argmax()]
    # 0.95-1.25 Hz seen at 1.64 volumes a second.
    assert 0.35 < pulse < 0.75
