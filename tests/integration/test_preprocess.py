"""Preprocessing against planted truth, from the raw images on."""

import nibabel as nib
import numpy as np
import planted_head
import pytest
from shipped import shipped

from stim2bold.preprocessing import (
    anatomy,
    distortion,
    head_motion,
    images,
    registration,
    resampling,
)


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.fixture(scope="module")
def head():
    return planted_head.planted_head(31, voxel=3.0)


def test_brain_is_found_and_bias_is_gone(head):
    flat, brain = anatomy.prepare_anatomy(head.t1w, shipped(anatomy.AnatomySettings, bias_shrink=4))
    assert dice(brain, head.brain) > 0.95

    def spread(image):
        inside = head.tissues["WM"] > 0.95
        values = image.get_fdata(dtype=np.float32)[inside]
        return values.std() / values.mean()

    # What noise and anatomy leave is the greater part of the rest.
    assert spread(flat) < 0.75 * spread(head.t1w)


def test_tissues_are_found(head):
    # Where each voxel lies in the template, off by as much as normalisation is.
    points = np.moveaxis(head.warp(planted_head.world_grid(head.t1w.shape, head.t1w.affine)), -1, 0)
    flat = anatomy.correct_bias(head.t1w, head.brain, 4)
    tissues = anatomy.segment(flat, head.brain, points + 1.0)
    total = sum(tissues.values())
    np.testing.assert_allclose(total[head.brain], 1, atol=1e-3)
    assert dice(tissues["GM"] > 0.5, head.tissues["GM"] > 0.5) > 0.75
    assert dice(tissues["WM"] > 0.5, head.tissues["WM"] > 0.5) > 0.75
    labels = anatomy.labels(tissues, head.brain)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert (labels[~head.brain] == 0).all()
    most = np.argmax([tissues["GM"], tissues["WM"], tissues["CSF"]], axis=0) + 1
    np.testing.assert_array_equal(labels[head.brain], most[head.brain])


def test_planted_coregistration_is_found(head):
    run = planted_head.planted_run(head, 21, n_volumes=1, motion=np.zeros((1, 6)))
    bold = nib.Nifti1Image(np.asarray(run.bold.dataobj)[..., 0], run.bold.affine)
    grid = planted_head.world_grid(bold.shape, bold.affine)
    brain = planted_head.sample(
        head.brain.astype(float), head.t1w.affine, planted_head.apply(run.to_t1w, grid)
    )
    found = registration.align_rigid(
        nib.Nifti1Image(np.asarray(bold.dataobj) * (brain > 0.5), bold.affine),
        nib.Nifti1Image(head.t1w.get_fdata(dtype=np.float32) * head.brain, head.t1w.affine),
    )
    points = planted_head.world_grid(head.brain.shape, head.t1w.affine)[head.brain]
    truth = planted_head.apply(np.linalg.inv(run.to_t1w), points)
    error = np.linalg.norm(planted_head.apply(found, points) - truth, axis=-1)
    assert np.linalg.norm(truth - points, axis=-1).mean() > 2, "there was something to find"
    assert error.mean() <= 0.7


def planted_field(points, peak):
    """Return a displacement as sinus and ear canals cause, mm, at points (..., 3) of the T1w."""
    bumps = [((0, 42, -18), 18, peak), ((-50, -15, -25), 15, -0.6 * peak)]
    bumps.append(((52, -12, -25), 15, -0.6 * peak))
    return sum(
        mm * np.exp(-((points - np.array(place)) ** 2).sum(axis=-1) / 2 / width**2)
        for place, width, mm in bumps
    )


def distorted_reference(head, peak, seed, *, voxel=4.0, shape=(50, 56, 40)):
    """Scan a head whose voxels are displaced along j; returns its brain, that field and to_t1w."""
    rng = np.random.default_rng(seed)
    centre = np.array([0.0, -18.0, 8.0])
    affine = np.diag([voxel] * 3 + [1.0])
    affine[:3, 3] = centre - voxel * (np.array(shape) - 1) / 2
    to_t1w = planted_head.rigid(rng.uniform(-4, 4, 3), rng.uniform(-4, 4, 3), centre)
    grid = planted_head.world_grid(shape, affine)
    # The voxel at v shows the point u for which u + field(u) = v.
    shown = grid.copy()
    for _ in range(30):
        field = planted_field(planted_head.apply(to_t1w, shown), peak)
        shown[..., 1] = grid[..., 1] - field
    at_t1w = planted_head.apply(to_t1w, shown)
    volume = 1000 * planted_head.sample(head.bold_contrast, head.t1w.affine, at_t1w)
    volume += 15 * rng.standard_normal(shape)
    brain = planted_head.sample(head.brain.astype(float), head.t1w.affine, at_t1w) > 0.5
    image = nib.Nifti1Image(np.maximum(volume * brain, 0).astype(np.float32), affine)
    return image, planted_field(planted_head.apply(to_t1w, grid), peak), to_t1w


@pytest.mark.parametrize("peak", [8.0, -8.0])
def test_planted_distortion_is_halved(head, peak):
    reference, field, to_t1w = distorted_reference(head, peak, seed=11)
    t1w = nib.Nifti1Image(head.t1w.get_fdata(dtype=np.float32) * head.brain, head.t1w.affine)
    tissues = [
        nib.Nifti1Image(head.tissues[name].astype(np.float32), head.t1w.affine)
        for name in ("GM", "WM", "CSF")
    ]
    matrix = registration.align_rigid(reference, t1w)
    mixture = distortion.tissue_mixture(reference, tissues, matrix)
    found = distortion.estimate_displacement(reference, mixture, axis=1)
    assert not found[..., [0, 2]].any()
    grid = planted_head.world_grid(reference.shape, reference.affine)
    in_t1w = planted_head.apply(to_t1w, grid)
    brain = planted_head.sample(head.brain.astype(float), head.t1w.affine, in_t1w) > 0.5
    wrong = brain & (np.abs(field) > 2)
    assert wrong.sum() > 1000, "there was something to find"
    before, after = np.abs(field[wrong]), np.abs(found[..., 1] - field)[wrong]
    assert after.mean() < before.mean() / 2
    assert np.abs(found[..., 1] - field)[brain].mean() < 0.7


def test_normalisation_repeats_itself_and_brings_grey_onto_grey(head, tmp_path):
    brain = nib.Nifti1Image(head.t1w.get_fdata(dtype=np.float32) * head.brain, head.t1w.affine)
    settings = shipped(registration.NormaliseSettings, voxel=4, syn_iterations=(20, 10, 0))
    target = registration.template("T1w", 4)
    points = []
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        forward, inverse = registration.normalise(brain, target, folder, settings)
        points.append(resampling.moved_points(forward, target))
    np.testing.assert_array_equal(points[0], points[1])
    grey = registration.template("GM", 4).get_fdata() > 0.5
    moved = planted_head.sample(head.tissues["GM"], head.t1w.affine, np.moveaxis(points[0], 0, -1))
    dice = 2 * (grey & (moved > 0.5)).sum() / (grey.sum() + (moved > 0.5).sum())
    assert dice >= 0.8
    # There and back again.
    there = nib.Nifti1Image(np.zeros(head.t1w.shape, np.uint8), head.t1w.affine)
    back = resampling.moved_points(inverse, there)
    at = np.moveaxis(points[0], 0, -1)[grey]
    returned = planted_head.sample(back[0].astype(np.float32), head.t1w.affine, at)
    x = resampling.voxel_points(target)[0][grey]
    assert np.median(np.abs(returned - x)) < 0.5


@pytest.mark.parametrize(
    ("codes", "sform", "qform"),
    [
        (("L", "A", "S"), True, True),
        (("S", "R", "A"), True, False),
        (("R", "A", "S"), False, True),
        (("P", "I", "R"), False, True),
    ],
)
def test_storage_order_changes_nothing_and_left_stays_left(
    head, tmp_path_factory, codes, sform, qform
):
    def left_only(points, k):
        return 0.05 * (k % 2) * (points[..., 0] < -10)

    tmp_path = tmp_path_factory.mktemp("stored")
    run = planted_head.planted_run(head, 41, n_volumes=20, signal=left_only, noise=0.005)
    settings = shipped(head_motion.MotionSettings, reference_volumes=6)
    results = []
    for name, image in (
        ("plain", planted_head.stored(run.bold, ("R", "A", "S"), sform=True, qform=True)),
        ("other", planted_head.stored(run.bold, codes, sform=sform, qform=qform)),
    ):
        path = tmp_path / f"{name}.nii.gz"
        nib.save(image, path)
        series = images.read_series(path)
        reference = head_motion.make_reference(series, settings)
        found = head_motion.estimate_motion(series, reference.raw, reference.mask, settings)
        grid = nib.Nifti1Image(np.zeros((40, 48, 40), np.uint8), np.diag([4.0, 4, 4, 1]))
        grid.affine[:3, 3] = (-78, -112, -70)
        points = resampling.apply(np.linalg.inv(run.to_t1w), resampling.voxel_points(grid))
        resampled, covered = resampling.resample_series(series, points, found)
        results.append((found, resampled, covered))
    (plain, plain_data, _), (other, other_data, covered) = results
    corners = np.array([[x, y, z] for x in (-70, 70) for y in (-100, 70) for z in (-50, 70)])
    for a, b in zip(plain, other, strict=True):
        shift = planted_head.apply(a, corners) - planted_head.apply(b, corners)
        assert np.abs(shift).max() < 0.1
    np.testing.assert_allclose(other_data[covered], plain_data[covered], atol=2)
    # The planted signal blinks from volume to volume on the left only.
    blink = np.abs(other_data[..., 1::2].mean(-1) - other_data[..., ::2].mean(-1))
    mean = np.maximum(other_data.mean(-1), 1)
    points = np.moveaxis(resampling.voxel_points(grid), 0, -1)
    brain = planted_head.sample(head.brain.astype(float), head.t1w.affine, points) > 0.9
    place = head.warp(points)[..., 0]
    left = np.median((blink / mean)[brain & (place < -20)])
    right = np.median((blink / mean)[brain & (place > 20)])
    assert left > 0.03
    assert right < 0.01


def test_real_brain_agrees_with_its_expected_volume(real_input):
    image = images.read_volume(real_input("real/head_T1w.nii.gz"))
    _, brain = anatomy.prepare_anatomy(image, shipped(anatomy.AnatomySettings))
    assert 1.2 < brain.sum() / 1e6 < 1.6
    assert nib.aff2axcodes(image.affine) == ("R", "A", "S")
    assert dice(brain, brain[::-1]) > 0.6, "a brain is nearly its own mirror image"


def test_real_bold_without_a_t1w_runs_through(real_input):
    series = images.read_series(real_input("real/localizer_bold.nii.gz"))
    settings = shipped(head_motion.MotionSettings, reference_volumes=10)
    reference = head_motion.make_reference(series, settings)
    litres = reference.mask.sum() * abs(np.linalg.det(reference.volume.affine)) / 1e6
    assert 0.9 < litres < 1.9
    found = head_motion.estimate_motion(
        series, reference.raw, reference.mask, settings, volumes=np.arange(0, 82, 8)
    )
    centre = head_motion.world_centre(reference.mask, reference.volume.affine)
    parameters = head_motion.rigid_parameters(found, centre)
    assert np.abs(parameters[:, :3]).max() < 5
