"""What is wrong with an image is said before any heavy step."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from stim2bold.preprocessing import image_checks, images
from stim2bold.runtime.errors import InputError

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -40], [0, 0, 4, -20], [0, 0, 0, 1]])


def series(n_volumes=25, affine=AFFINE, TR=0.608):
    data = 100 + np.random.default_rng(1).random((8, 9, 10, n_volumes), dtype=np.float32)
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    image.header.set_zooms((3, 3, 4, TR))
    image.header.set_xyzt_units("mm", "sec")
    return image


def test_a_healthy_series_is_read_in_ras_order(tmp_path):
    path = tmp_path / "bold.nii.gz"
    nib.save(series(), path)
    read = images.read_series(path)
    assert nib.aff2axcodes(read.affine) == ("R", "A", "S")
    stored = nib.load(path)
    # One voxel, by its world place, in both orders.
    world = stored.affine @ [2, 3, 4, 1]
    i, j, k, _ = np.rint(np.linalg.inv(read.affine) @ world).astype(int)
    np.testing.assert_array_equal(
        np.asarray(read.dataobj)[i, j, k], stored.get_fdata(dtype=np.float32)[2, 3, 4]
    )
    assert read.header.get_zooms()[3] == pytest.approx(0.608)


def write_truncated(path):
    nib.save(series(), path)
    path.write_bytes(path.read_bytes()[:-2000])


def write_nan(path):
    image = series()
    np.asarray(image.dataobj)[1, 1, 1, 7] = np.nan
    nib.save(image, path)


def write_infinite(path):
    image = series()
    np.asarray(image.dataobj)[1, 1, 1, 7] = np.inf
    nib.save(image, path)


def write_empty_volume(path):
    image = series()
    np.asarray(image.dataobj)[..., 11] = 0
    nib.save(image, path)


def write_3d(path):
    nib.save(series().slicer[..., 0], path)


def write_short(path):
    nib.save(series(19), path)


def write_without_affine(path):
    image = series()
    image.set_sform(None, 0)
    image.set_qform(None, 0)
    image.header["sform_code"] = image.header["qform_code"] = 0
    nib.save(image, path)


def write_sheared(path):
    sheared = AFFINE.copy()
    sheared[0, 1] = 0.5
    image = series(affine=AFFINE)
    image.set_qform(None, 0)
    image.set_sform(sheared, 1)
    nib.save(image, path)


def write_text(path):
    path.write_bytes(gzip.compress(b"this is no image"))


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (write_truncated, "truncated or damaged"),
        (write_nan, "volume 7 holds NaN"),
        (write_infinite, "volume 7 holds NaN or infinite"),
        (write_empty_volume, "volume 11 is all zero"),
        (write_3d, "3 dimensions where a series"),
        (write_short, "only 19 volumes"),
        (write_without_affine, "neither sform nor qform"),
        (write_sheared, "sheared"),
        (write_text, "not a NIfTI image"),
    ],
)
def test_bad_series_are_refused_by_name(tmp_path, write, says):
    path = tmp_path / "sub-01_task-film_bold.nii.gz"
    write(path)
    with pytest.raises(InputError, match=says) as caught:
        images.read_series(path)
    assert str(path) in str(caught.value)
    assert "; " in str(caught.value), "a fix follows"


def test_absent_file_is_named(tmp_path):
    with pytest.raises(InputError, match="the file is not there"):
        images.read_series(tmp_path / "bold.nii.gz")


def test_series_given_as_t1w_is_refused(tmp_path):
    path = tmp_path / "T1w.nii.gz"
    nib.save(series(), path)
    with pytest.raises(InputError, match="one volume"):
        images.read_volume(path)


def test_the_sidecars_TR_counts_and_a_header_that_differs_is_named(caplog):
    assert image_checks.check_TR(series(), {"RepetitionTime": 0.608}, "bold") == 0.608
    assert not caplog.text
    assert image_checks.check_TR(series(), {"RepetitionTime": 2}, "bold") == 2
    assert "0.608 s, its JSON sidecar 2 s, which is taken" in caplog.text
    with pytest.raises(InputError, match="no RepetitionTime"):
        image_checks.check_TR(series(), {}, "bold")


def test_TR_in_milliseconds_is_understood():
    image = series(TR=608.0)
    image.header.set_xyzt_units("mm", "msec")
    assert image_checks.check_TR(image, {"RepetitionTime": 0.608}, "bold") == 0.608


def test_images_in_different_places_are_refused():
    bold = series()
    t1w = nib.Nifti1Image(np.ones((30, 30, 40), np.float32), np.diag([1.0, 1, 1, 1]))
    with pytest.raises(InputError, match="0 % of its field of view"):
        image_checks.check_overlap(bold, t1w, ("bold", "t1w"))
    image_checks.check_overlap(bold, bold.slicer[..., 0], ("bold", "t1w"))


def test_saved_image_says_the_same_place_twice(tmp_path):
    path = tmp_path / "a" / "mask.nii.gz"
    images.save_image(path, np.ones((2, 3, 4)), AFFINE, dtype=np.uint8, code=images.TEMPLATE)
    image = nib.load(path)
    np.testing.assert_allclose(image.get_sform(), AFFINE)
    np.testing.assert_allclose(image.get_qform(), AFFINE, atol=1e-5)
    assert image.header["sform_code"] == image.header["qform_code"] == 4
    assert image.get_data_dtype() == np.uint8
