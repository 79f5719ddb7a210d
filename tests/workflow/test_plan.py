"""What Snakemake plans to do, without doing it."""

import json
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import planted_study
import pytest
import xarray as xr
import yaml

PROJECT = Path(__file__).parents[2]


def commands_in(output: str) -> dict[str, str]:
    """Return the last command of each script that a plan prints, by the script's name."""
    lines = [line for line in output.splitlines() if ".py" in line]
    return {line.split(".py")[0].split("/")[-1]: line for line in lines}


def planned(output: str) -> dict[str, int]:
    """Number of jobs by rule, read from Snakemake's table."""
    return {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", output, flags=re.MULTILINE)}


@pytest.fixture
def ds003688(real_input, tmp_path):
    """The real data set's text files, with empty images of the right names."""
    root = tmp_path / "it's ds003688"
    shutil.copytree(real_input("ds003688/bids"), root)
    for line in real_input("ds003688/nifti_manifest.tsv").read_text().splitlines()[1:]:
        path = root / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def test_the_demo_is_planned_whole(snakemake):
    run = snakemake("-n", "--quiet", "rules")
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = planned(run.stdout + run.stderr)
    assert jobs["simulate_participant"] == jobs["clean_bold"] == 3
    # Three participants in two directions, and the film once.
    assert jobs["train_vae"] == jobs["score_predictions"] == 7
    assert jobs["extract_i3d"] == jobs["make_folds"] == jobs["render_report"] == 1
    # Labels from the picture once, from BOLD of three; clips from BOLD of three.
    assert jobs["decode_labels"] == 4 and jobs["retrieve_clips"] == 3


def test_without_bold_only_the_picture_is_decoded(snakemake):
    run = snakemake("-n", "--quiet", "rules", "--config", "directions=['video2audio']")
    jobs = planned(run.stdout + run.stderr)
    assert jobs["decode_labels"] == jobs["summarise_decoding"] == 1
    assert "retrieve_clips" not in jobs and "extract_bold" not in jobs


def test_a_group_is_planned_beside_everybodys_own(snakemake, tmp_path):
    group = tmp_path / "group.yaml"
    group.write_text("group: {train: true, newcomers: ['03']}")
    run = snakemake("-n", "-p", "--configfile", str(PROJECT / "config.yaml"), str(group))
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    assert planned(text)["train_group"] == 1
    assert "--newcomers @<(printf '%s\\n' results/bold/sub-03.nc)" in text
    group.write_text("group: {train: true, newcomers: ['01', '02', '03']}")
    run = snakemake("-n", "--configfile", str(PROJECT / "config.yaml"), str(group))
    assert run.returncode != 0 and "two others" in run.stdout + run.stderr


def test_a_brain_is_predicted_from_the_others(snakemake):
    run = snakemake("-n", "-p", "--config", "directions=['bold2bold']")
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    jobs = planned(text)
    assert jobs["average_others"] == 1 and jobs["train_vae"] == 3 and jobs["map_group"] > 1
    # No course of the film serves all of them, and of what was planted nothing is predicted.
    assert "train_group" not in jobs and "compare_with_truth" not in jobs
    assert "--source results/bold/others/sub-02.nc" in text


def test_layers_of_a_network_are_spaces_of_their_own(snakemake):
    sources = "sources={'video': ['i3d_rgb', 'i3d_rgb-Mixed_3c']}"
    run = snakemake("-n", "-p", "--config", "directions=['video2bold']", sources)
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    assert planned(text)["extract_i3d"] == 2
    made = [line for line in text.splitlines() if "extract_i3d.py" in line]
    assert {("Mixed_3c.nc" in line, '"endpoint": "Mixed_3c"' in line) for line in made} == {
        (True, True),
        (False, False),
    }
    assert "--source results/features/i3d_rgb.nc results/features/i3d_rgb-Mixed_3c.nc" in text


def test_networks_of_sound_and_words_come_from_folders(snakemake, tmp_path):
    for name in ("wav2vec2", "causal_lm"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").touch()
    (tmp_path / "nl.vec").touch()
    spaces = ["wav2vec2-8", "wav2vec2", "causal_lm-5", "causal_lm-surprisal", "word_vectors"]
    files = {"wav2vec2": "wav2vec2", "causal_lm": "causal_lm", "word_vectors": "nl.vec"}
    weights = {name: {"weights": str(tmp_path / file)} for name, file in files.items()}
    options = ["--config", "directions=['film2bold']", f"sources={{'film': {spaces}}}"]
    options.append(f"backbones={weights}")
    run = snakemake("-n", "-p", *options)
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    jobs = planned(text)
    assert jobs["extract_sound_transformer"] == jobs["extract_language_model"] == 2
    assert jobs["tabulate_word_vectors"] == 1
    assert "--space wav2vec2-8" in text and "--space causal_lm-surprisal" in text
    # Sound is brought to the TRs, words are there.
    assert "--features results/stimulus/wav2vec2-8.nc" in text
    assert "--resampled results/features/wav2vec2-8.nc" in text
    assert "--resampled results/features/causal_lm" not in text


def test_one_alone_has_no_group(snakemake):
    run = snakemake("-n", "--config", "participants=['01']", "directions=['film2bold']")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "train_group" not in planned(run.stdout + run.stderr)


def test_every_rule_is_planned_with_its_log_benchmark_and_resources():
    for path in (PROJECT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            name = rule.split(":")[0]
            for directive in ("log", "benchmark", "conda", "threads", "resources", "message"):
                assert f"    {directive}:" in rule, f"{path.name}: {name} has no {directive}"
            assert "mem_mb=memory(" in rule and "runtime=minutes(" in rule, name
            assert "code=" in rule, name
            # Weights are fixed by checksums: an edit is no reason to fetch them again.
            wanted = re.findall(r" code=code\(\"(\w+\.py)\"\)", rule.split("\nuse rule")[0])
            assert re.findall(r"command\(\s*\"(\w+\.py)\"", rule) == wanted, name


def test_every_figure_is_in_snakemakes_report_with_caption_category_and_labels():
    found = 0
    for path in (PROJECT / "workflow" / "rules").glob("*.smk"):
        for output in re.findall(r"^    output:\n(.*?)^    \w+:", path.read_text(), re.M | re.S):
            # One named output: from its name to the next one at the same depth.
            for name, value in re.findall(r"^ {8}(\w+)=(.*?)(?=^ {8}\w|\Z)", output, re.M | re.S):
                if not re.search(r"\.(png|svg|html)\b", value):
                    continue
                found += 1
                assert value.startswith("report("), f"{path.name}: {name}"
                for part in ("category=", "labels={"):
                    assert part in value, f"{path.name}: {name} lacks {part}"
                (caption,) = re.findall(r'caption="\.\./(report/\w+\.rst)"', value)
                assert (PROJECT / "workflow" / caption).read_text().strip(), caption
    assert found == 15


def test_ds003688_is_planned_for_its_thirty_participants(snakemake, ds003688, real_input):
    run = snakemake(
        *("-n", "--quiet", "rules", "--config"),
        f"bids_dir={ds003688}",
        f"film={real_input('real/film.mp4')}",
    )
    assert run.returncode == 0, run.stdout + run.stderr
    jobs = planned(run.stdout + run.stderr)
    assert jobs["preprocess_anatomy"] == jobs["preprocess_motion"] == jobs["extract_bold"] == 30
    assert jobs["train_vae"] == 61
    assert not any(name.startswith("simulate") for name in jobs)


def test_derivatives_are_not_preprocessed_again(snakemake, tmp_path):
    config = planted_study.write_study(tmp_path)
    folder = planted_study.write_derivatives(tmp_path)
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"preprocessing: {{derivatives: {folder}}}")
    run = snakemake(
        *("-n", "-p", "--configfile", str(PROJECT / "config.yaml"), str(mine), "--config"),
        *(f"{key}={config[key]}" for key in ("bids_dir", "film")),
    )
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    jobs = planned(text)
    assert not any(name.startswith("preprocess") for name in jobs)
    assert jobs["clean_bold"] == jobs["extract_bold"] == 2 and jobs["render_report"] == 1
    assert "sub-01_task-film_run-1_space-MNI152NLin2009cAsym_desc-cleaned_bold.nii.gz" in text


def test_what_fmriprep_fitted_is_taken_and_nothing_is_fitted_again(snakemake, tmp_path):
    config = planted_study.write_study(tmp_path)
    folder = planted_study.write_fits(tmp_path)
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"preprocessing: {{derivatives: {folder}/}}")
    arguments = (
        *("-n", "-p", "--configfile", str(PROJECT / "config.yaml"), str(mine), "--config"),
        *(f"{key}={config[key]}" for key in ("bids_dir", "film")),
    )
    run = snakemake(*arguments)
    text = run.stdout + run.stderr
    assert run.returncode == 0, text
    jobs = planned(text)
    ours = {name: n for name, n in jobs.items() if name.startswith("preprocess_")}
    assert ours == {
        "preprocess_resample": 2,
        "preprocess_confounds": 2,
        "preprocess_figures": 2,
        "preprocess_anatomy_figures": 2,
    }
    space = "MNI152NLin2009cAsym"
    assert jobs["describe_derivatives"] == jobs["clean_bold"] == 2
    (command,) = re.findall(r"python \S+preprocess_resample.py.*sub-01.*", text)
    func, bids = f"{folder}/sub-01/func/sub-01_task-film_run-1", config["bids_dir"]
    for option in (
        f"--bold {bids}/sub-01/func/sub-01_task-film_run-1_bold.nii.gz",
        f"--motion {func}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
        f"--coregistration {func}_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt",
        f"--normalisation {folder}/sub-01/anat/sub-01_from-T1w_to-{space}_mode-image_xfm.h5",
        f"--brain {folder}/sub-01/anat/sub-01_desc-brain_mask.nii.gz",
        f"--space {space}",
    ):
        assert f"{option} " in command, option
    assert f"--tissues {folder}/sub-01/anat/sub-01_label-GM_probseg.nii.gz " in text
    # What the check finds in them is said before anything is computed.
    (folder / "sub-02/anat/sub-02_dseg.nii.gz").unlink()
    run = snakemake(*arguments)
    assert run.returncode != 0
    assert "sub-02_dseg.nii.gz: the file is not there" in run.stdout + run.stderr


def test_a_film_over_two_runs_is_one_film(snakemake, tmp_path):
    config = planted_study.write_study(tmp_path, participants=1)
    bids = Path(config["bids_dir"])
    later = [(o - 57.0, duration, kind) for o, duration, kind in planted_study.BLOCKS[5:]]
    planted_study.write_run(bids, "sub-01_task-film_run-02", seed=8, blocks=later, n_volumes=51)
    folder = planted_study.write_derivatives(tmp_path, participants=1)
    func = folder / "sub-01" / "func"
    whole = next(func.glob("*run-1_space-MNI*_desc-preproc_bold.nii.gz"))
    film = nib.load(whole).get_fdata(dtype="float32")
    for path in sorted(func.glob("*run-1_*")):
        shutil.copy(path, path.with_name(path.name.replace("run-1", "run-02")))
    # The second scan begins 57 s into the film, three seconds before the first ends.
    for run, part in (("1", film[..., :60]), ("02", film[..., 57:])):
        planted_study.save_series(func / whole.name.replace("run-1", f"run-{run}"), part)
        table = func / f"sub-01_task-film_run-{run}_desc-confounds_timeseries.tsv"
        lines = table.read_text().splitlines()
        table.write_text("\n".join([lines[0], *lines[1 : 1 + part.shape[3]]]) + "\n")
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "timing: {film_onset: {run-1: 0.0, run-2: -57.0}}\n"
        f"preprocessing: {{derivatives: {folder}, cleaning: {{mask: brain}}}}\n"
    )
    targets = ("results/stimulus/blocks.tsv", "results/bold/sub-01.nc", "results/folds.json")
    run = snakemake(
        *("--configfile", str(PROJECT / "config.yaml"), str(mine), "--config"),
        *(f"{key}={config[key]}" for key in ("bids_dir", "film")),
        *("--", *targets),
        timeout=400,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = [f"{o}\t{d}\t{kind}" for o, d, kind in planted_study.BLOCKS]
    assert (tmp_path / targets[0]).read_text().splitlines()[1:] == rows
    problems = json.loads((tmp_path / "results/inputs.json").read_text())["problems"]
    assert [one["severity"] for one in problems] == ["note"]
    assert "the VAE of the group is left out" in problems[0]["message"]
    bold = xr.open_dataset(tmp_path / targets[1], engine="h5netcdf")["bold"]
    np.testing.assert_allclose(bold["time"], np.arange(108) + 0.5)
    # Before the second run, and after the first, a voxel's series is that run's own.
    order = tuple(bold[axis].values for axis in "ijk")
    for rows in (slice(0, 57), slice(60, 108)):
        raw, cleaned = film[order][:, rows], bold.values[rows].T
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(raw, cleaned, strict=True)]
        assert np.median(r) > 0.7


def test_echoes_are_resampled_together_and_the_first_gives_head_motion(snakemake, tmp_path):
    config = planted_study.write_study(tmp_path, participants=1)
    func = Path(config["bids_dir"]) / "sub-01" / "func"
    for echo, time in (("1", 0.012), ("2", 0.03)):
        for path in sorted(func.glob("sub-01_task-film_run-1_bold.*")):
            other = path.with_name(path.name.replace("_bold", f"_echo-{echo}_bold"))
            if path.suffix == ".json":
                other.write_text(json.dumps({**json.loads(path.read_text()), "EchoTime": time}))
            else:
                shutil.copy(path, other)
    for path in func.glob("sub-01_task-film_run-1_bold.*"):
        path.unlink()
    given = [f"{key}={config[key]}" for key in ("bids_dir", "film")]
    cleaned = "results/cleaned/sub-01/func/sub-01_task-film_run-1"
    target = f"{cleaned}_space-MNI152NLin2009aSym_desc-cleaned_bold.nii.gz"
    run = snakemake("-n", "-p", "--config", *given, "--", target)
    assert run.returncode == 0, run.stdout + run.stderr
    commands = commands_in(run.stdout)
    assert "echo-1_bold.nii.gz" in commands["preprocess_motion"]
    assert "echo-2" not in commands["preprocess_motion"]
    resample = commands["preprocess_resample"]
    assert "echo-1_bold.nii.gz" in resample and "echo-2_bold.nii.gz" in resample
    assert '"echo_times": [0.012, 0.03]' in resample
    sidecar = func / "sub-01_task-film_run-1_echo-2_bold.json"
    sidecar.write_text(json.dumps({"RepetitionTime": 1.0, "EchoTime": 30}))
    run = snakemake("-n", "--config", *given, "--", target)
    assert run.returncode != 0 and "divide it by 1000" in run.stdout + run.stderr


def test_distortion_is_corrected_on_request_where_the_axis_is_known(snakemake, tmp_path):
    config = planted_study.write_study(tmp_path, participants=1)
    sidecar = Path(config["bids_dir"]) / "sub-01" / "func" / "sub-01_task-film_run-1_bold.json"
    said = json.loads(sidecar.read_text())
    mine = tmp_path / "mine.yaml"
    mine.write_text("preprocessing: {distortion: syn}")
    given = ("--configfile", str(PROJECT / "config.yaml"), str(mine), "--config")
    given += tuple(f"{key}={config[key]}" for key in ("bids_dir", "film"))
    name = "sub-01_task-film_run-1_space-MNI152NLin2009aSym_desc-cleaned_bold.nii.gz"
    options = ("-n", "-p", *given, "--", f"results/cleaned/sub-01/func/{name}")
    run = snakemake(*options)
    assert run.returncode != 0 and "has no PhaseEncodingDirection" in run.stdout + run.stderr
    sidecar.write_text(json.dumps({**said, "PhaseEncodingDirection": "j-"}))
    run = snakemake(*options)
    assert run.returncode == 0, run.stdout + run.stderr
    commands = commands_in(run.stdout)
    assert "desc-unwarped_boldref" in commands["preprocess_coregister"]
    assert "desc-distortion_displacement" in commands["preprocess_resample"]
    assert "label-GM_probseg" in commands["preprocess_distortion"]
    next(Path(config["bids_dir"]).rglob("*_T1w.nii.gz")).unlink()
    run = snakemake(*options)
    assert (
        run.returncode != 0 and "has no T1w image, from which its dist" in run.stdout + run.stderr
    )


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("bids_dir=/no/such/folder", "/no/such/folder: no such folder"),
        ("film=/no/such film.mp4", "the film is not there"),
        ("participants=['99']", "participant 99 is not among the 3 simulated"),
        ("annotations_dir=/no/such/folder", "no such folder"),
        ("seeds=3", "'seeds' was unexpected"),
        ("vae={'preset': 'magic'}", "'magic' is not one of"),
        ("seed=-1", "-1 is less than the minimum of 0"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_runs(snakemake, setting, message):
    run = snakemake("-n", "--config", setting)
    assert run.returncode != 0
    assert message in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def test_every_key_of_the_configuration_is_described_and_no_other_is_let_in():
    schema = yaml.safe_load((PROJECT / "workflow" / "config.schema.yaml").read_text())

    def check(part: dict, name: str) -> None:
        assert part.get("description"), f"{name} has no description"
        if "properties" in part:
            assert part["additionalProperties"] is False, f"{name} lets unknown keys in"
            for key, below in part["properties"].items():
                check(below, f"{name}.{key}")
        elif "$ref" in part:
            own = {key: value for key, value in part.items() if key != "$ref"}
            check({**schema["$defs"][part["$ref"].removeprefix("#/$defs/")], **own}, name)
        elif not {"enum", "const", "oneOf", "anyOf"} & set(part):
            kinds = part["type"] if isinstance(part["type"], list) else [part["type"]]
            if {"number", "integer"} & set(kinds):
                assert "minimum" in part or "exclusiveMinimum" in part, f"{name} has no range"

    check(schema, "configuration")
