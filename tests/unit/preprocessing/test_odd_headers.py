"""Headers that are valid in all but a detail are read as they are meant."""

import nibabel as nib
import numpy as np
import pytest

from stim2bold.preprocessing import image_checks, images
from stim2bold.runtime.errors import InputError

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3, 0, -40], [0, 0, 3, -20], [0, 0, 0, 1]])
RNG = np.random.default_rng(3)


def write(path, *, shape=(5, 6, 7, 24), sform=0, dtype=np.float32, change=lambda header: None):
    """Write an image whose header is changed after nibabel has had its say."""
    data = (100 + 50 * RNG.random(shape)).astype(dtype)
    image = nib.Nifti1Image(data, AFFINE)
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE if sform else None, sform)
    image.header.set_zooms((3, 3, 3, *[1] * (len(shape) - 3)))
    image.header.set_xyzt_units("mm", "sec")
    image.to_filename(path)
    with path.open("r+b") as file:
        header = nib.Nifti1Header.from_fileobj(file, check=False)
        change(header)
        file.seek(0)
        header.write_to(file)
    return data


def longer(factor):
    def change(header):
        # Half a turn about y, and a third axis turned round (qfac): AFFINE.
        header["quatern_b"], header["quatern_c"], header["quatern_d"] = 0, factor, 0

    return change


@pytest.mark.parametrize("factor", [1 + 3e-6, 1.0005, 1.005])
def test_a_quaternion_a_hair_too_long_is_normalised(tmp_path, caplog, factor):
    path = tmp_path / "bold.nii"
    data = write(path, change=longer(factor))
    with pytest.raises(ValueError, match="w2 should be positive"):
        nib.load(path)
    image = images.open_image(path)
    np.testing.assert_allclose(image.affine[:3, :3], AFFINE[:3, :3], atol=1e-5)
    np.testing.assert_array_equal(image.get_fdata(dtype=np.float32), data)
    assert "quaternion" in caplog.text and str(path) in caplog.text
    image_checks.check_length(image, path)
    assert images.read_series(path).shape == (5, 6, 7, 24)


def test_a_quaternion_that_is_none_is_refused_unless_it_is_not_used(tmp_path):
    path = tmp_path / "bold.nii"
    write(path, change=longer(1.5))
    with pytest.raises(InputError, match="not a NIfTI image"):
        images.open_image(path)
    write(path, change=longer(1.5), sform=1)
    np.testing.assert_array_equal(images.open_image(path).affine, AFFINE)


def test_units_that_do_not_exist_are_millimetres_and_seconds(tmp_path, caplog):
    path = tmp_path / "bold.nii"
    write(path, change=lambda header: header.__setitem__("xyzt_units", 255))
    assert image_checks.check_TR(images.open_image(path), {"RepetitionTime": 1.0}, path) == 1.0
    assert "no known units" in caplog.text


@pytest.mark.parametrize("shape", [(5, 6, 7, 24, 1), (5, 6, 7, 1, 24), (5, 6, 7, 24, 1, 1)])
def test_axes_of_length_one_are_dropped_from_a_series(tmp_path, shape):
    path = tmp_path / "bold.nii"
    data = write(path, shape=shape)
    image = images.open_image(path)
    image_checks.check_length(image, path)
    image_checks.check_first_volume(image, path)
    read = images.read_series(path)
    assert read.shape == (5, 6, 7, 24)
    # RAS+: the first axis is turned round.
    np.testing.assert_array_equal(np.asarray(read.dataobj)[::-1], data.reshape(5, 6, 7, 24))


@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 1), (5, 6, 7, 1, 1)])
def test_axes_of_length_one_are_dropped_from_a_volume(tmp_path, shape):
    path = tmp_path / "T1w.nii"
    data = write(path, shape=shape)
    volume = images.read_volume(path)
    np.testing.assert_array_equal(np.asarray(volume.dataobj)[::-1], data.reshape(5, 6, 7))


@pytest.mark.parametrize("shape", [(5, 6, 1, 24), (5, 6, 1)])
def test_a_single_slice_keeps_its_axis(tmp_path, shape):
    path = tmp_path / "x.nii"
    write(path, shape=shape)
    assert images.open_image(path).shape == shape


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_integers_without_a_scale_are_themselves(tmp_path, slope):
    path = tmp_path / "bold.nii"

    def change(header):
        header["scl_slope"], header["scl_inter"] = slope, 0

    data = write(path, dtype=np.int16, change=change)
    read = np.asarray(images.read_series(path).dataobj)
    np.testing.assert_array_equal(read[::-1], data)


def test_a_mask_holds_what_is_above_one_half(tmp_path):
    path = tmp_path / "mask.nii.gz"
    data = np.zeros((5, 6, 7), np.float32)
    data[1:4], data[1, 0, 0], data[2, 0, 0], data[3, 0, 0] = 1, np.nan, np.inf, 0.4
    image = nib.Nifti1Image(data, AFFINE)
    image.to_filename(path)
    mask, doubt = images.read_mask(path)
    expected = data == 1
    np.testing.assert_array_equal(np.asarray(mask.dataobj) > 0, expected)
    assert "2 of 210, the first at (1, 0, 0)" in doubt
    nib.Nifti1Image(np.zeros_like(data), AFFINE).to_filename(path)
    with pytest.raises(InputError, match=r"no voxel of this mask is above 0\.5"):
        images.read_mask(path)
