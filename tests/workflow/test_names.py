"""Names that users give, through the jobs: never a shell's, make's or YAML's to act on."""

import json

import numpy as np
import planted_study
import xarray as xr
import yaml

PROJECT = planted_study.PROJECT
HOSTILE = """it's "a" $(touch owned) `touch owned`; é && touch owned | x -n *?~#[1]"""


def test_hostile_names_everywhere_come_through(snakemake, tmp_path):
    root = tmp_path / f"study {HOSTILE}"
    config = planted_study.write_study(root)
    bids = root / "bids"
    kinds = (f"music {HOSTILE}", "<script>alert(1)</script>")
    rows = [(12.0 * k, 12.0, kinds[k % 2]) for k in range(9)]
    for events in bids.rglob("*_events.tsv"):
        events.write_text(planted_study.events_text(rows).replace('"', "''"))
    # Annotations lie elsewhere, as does the atlas; what is said in the film is anything.
    annotations = root / f"annotations {HOSTILE}"
    (bids / "stimuli" / "annotations").rename(annotations)
    (annotations / "sound" / "sound_annotation_thing.tsv").unlink()
    word = annotations / "sound" / "sound_annotation_words.tsv"
    word.write_text("item\tonset\toffset\n$(touch owned)\t1.0\t2.0\n")
    word.rename(word.with_name(f"sound_annotation_{HOSTILE}.tsv"))
    derivatives = planted_study.write_derivatives(root).rename(root / f"space-tsv {HOSTILE}")
    labels = np.ones((40, 40, 40))
    labels[:20] = 2
    atlas = root / f"atlas {HOSTILE}.nii.gz"
    planted_study.save_volume(atlas, labels, voxel=2.0)
    film = root / "film.mkv"
    film = film.rename(root / f"film {HOSTILE}.mkv")
    mine = root / f"mine {HOSTILE}.yaml"
    settings = {
        "bids_dir": config["bids_dir"],
        "film": str(film),
        "annotations_dir": str(annotations),
        "exclude": {"02": HOSTILE},
        "preprocessing": {
            "derivatives": str(derivatives),
            "parcels": str(atlas),
            "cleaning": {"mask": "brain"},
        },
    }
    mine.write_text(yaml.safe_dump(settings, allow_unicode=True))
    targets = ("results/features/annotations.nc", "results/bold/sub-01.nc", "results/folds.json")
    run = snakemake(
        *("--configfile", str(PROJECT / "config.yaml"), str(mine), "--", *targets), timeout=400
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-4000:]
    assert not list(tmp_path.rglob("owned")) and not (PROJECT / "owned").exists()
    table = xr.open_dataset(tmp_path / targets[0], engine="h5netcdf")["features"]
    assert set(table["feature"].values.astype(str)) == {"video/thing", f"sound/{HOSTILE}"}
    bold = xr.open_dataset(tmp_path / targets[1], engine="h5netcdf")["bold"]
    assert bold.sizes["time"] == planted_study.N_VOLUMES
    # The atlas was read: one parcel covers all voxels, and its mean stands in each.
    np.testing.assert_allclose(bold.std("voxel"), 0, atol=1e-5)
    assert float(bold.std()) > 0
    inputs = json.loads((tmp_path / "results/inputs.json").read_text())
    assert inputs["missing"] == [{"participant": "sub-02", "reason": HOSTILE}]
    found = {
        label
        for fold in json.loads((tmp_path / targets[2]).read_text())["folds"]
        for label in fold["blocks"]
    }
    assert found == {kinds[0].replace('"', "''"), kinds[1]}
