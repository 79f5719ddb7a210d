"""Functions that the rules share; no rule stands here."""

import functools
import gc
import json
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

PROJECT = Path(workflow.basedir)
SCRIPTS = PROJECT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
# A plan makes millions of objects, nearly all to keep: looking for garbage among them every few
# hundred is a fifth of the time it takes.
gc.set_threshold(200_000, 50, 50)
# Jobs inherit it: threads that wait for each other sleep. Spinning, they take the cores from the
# jobs beside them and from each other: training ran four times longer beside other work.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from stim2bold.study import bids, study
from stim2bold.study import stimulus_files  # noqa: E402
from stim2bold.study.bids_index import excluded  # noqa: E402
from stim2bold.study.echoes import echo_times  # noqa: E402
from stim2bold.study.configuration import check_configuration, check_files  # noqa: E402
from stim2bold.runtime.disk import full, unwritable  # noqa: E402
from stim2bold.runtime.errors import InputError  # noqa: E402
from stim2bold.runtime.failed_jobs import advice, failures, told  # noqa: E402
from stim2bold.io.files import read_json, write_json  # noqa: E402
from stim2bold.runtime.issues import refuse  # noqa: E402
from stim2bold.study.settings_checks import check_consistency  # noqa: E402
from stim2bold.runtime.signatures import signatures  # noqa: E402
from stim2bold.runtime.code_digest import digest  # noqa: E402
from stim2bold.models.catalogue import BASELINES, TARGETS, available  # noqa: E402
from stim2bold.models.catalogue import directions_of, groups_to_leave_out  # noqa: E402


def refuse_unwritable(folder):
    """Raise a WorkflowError where nothing can be written in a folder."""
    if why := unwritable(folder):
        raise WorkflowError(why)


# Before Snakemake finds out, and tells it by a traceback.
refuse_unwritable(".snakemake")

# Snakemake has read these files already, and of what they say by mistake says nothing.
try:
    refuse(check_files([*dict.fromkeys(map(os.path.abspath, workflow.configfiles))]))
    refuse(check_configuration(config, PROJECT / "workflow" / "config.schema.yaml"))
except InputError as error:
    raise WorkflowError(str(error)) from None


def code(script):
    """Return a script, declared as an input of the rule that runs it."""
    return [os.path.relpath(SCRIPTS / script)]


def command(script, options):
    """Return the command of a rule: its script, what that writes going to the log.

    It ends in a digest of the script and of all that it imports. Snakemake compares a rule's command
    with the one that made an output. So an edit of any of them reruns the rule, and an edit of
    anything else does not; and none of them costs a look at a file for every job, as twenty inputs
    would.

    Parameters
    ----------
    script : str
        The input `code` of the rule.
    options : str
        What follows it, with a blank before.
    """
    return f"python {{input.code[0]:q}}{options} > {{log:q}} 2>&1  # sources {digest(script)}"


def project_file(name):
    """Return a file of the project, from wherever the workflow runs."""
    return os.path.relpath(PROJECT / name)


def project_files(folder):
    """Return the files of a folder of the project, from wherever the workflow runs."""
    return [
        os.path.relpath(path)
        for path in sorted((PROJECT / folder).iterdir())
        if path.is_file()
    ]


def section(name, **extra):
    """Return one section of the configuration, with what a rule adds to it, as one JSON string.

    One string, because Snakemake compares a rule's params as a set: among several, a change to a
    value that another already has would go unseen.
    """
    return json.dumps({**config[name], **extra}, sort_keys=True)


def backbone_settings(name, **extra):
    """Return the settings of one of the section backbones as one JSON string."""
    chosen = {**config["backbones"][name], "device": config["device"], **extra}
    return json.dumps(chosen, sort_keys=True)


def memory(mb, *, each=None):
    """Return a resource function: `mb` megabytes, doubled at each further attempt.

    With `each`, an input function, so many for each of the files that it returns.
    """
    return lambda wildcards, attempt: (
        mb * (len(each(wildcards)) if each else 1) * 2 ** (attempt - 1)
    )


def minutes(n):
    """Return a resource function: `n` minutes, doubled at each further attempt."""
    return lambda wildcards, attempt: n * 2 ** (attempt - 1)


# A job that trains or runs a network asks the cluster for one where it is to be used.
GPU = 1 if config["device"] == "cuda" else 0
# Whose jobs failed, and why, as the last run noted it.
FAILURES = Path("results/failures.json")
if config["failed"] == "leave_out" and FAILURES.is_file():
    config["exclude"] = {
        **read_json(FAILURES),
        **excluded(config["exclude"]),
    }
SIMULATED = study.is_simulated(config)
# Simulated participants can watch a film of the user's.
OWN_FILM = SIMULATED and config["film"] is not None
# The data set the analysis reads, as it would read anybody's.
BIDS_DIR = study.bids_dir(config)
DERIVATIVES = config["preprocessing"]["derivatives"]
try:
    refuse(study.check_settings(config) + check_consistency(config))
    runs, problems, ANALYSIS_SPACE = study.index(config)
    refuse(problems)
    RUNS = {run.name: run for run in runs}
    ONSETS, problems = study.film_onsets(runs, config)
    refuse(problems)
    TR = config["simulation"]["TR"] if SIMULATED else bids.repetition_time(runs[0])
    ECHO_TIMES = {run.name: echo_times(run.echoes) for run in runs}
    # By these, rows have their middles where volumes stand, whatever slices were shifted to.
    REFERENCES = study.volume_references(runs, config, TR=TR)
    ROW_ONSETS = study.row_onsets(ONSETS, REFERENCES, TR=TR)
    FILM = stimulus_files.film_path(config["film"], drawn=SIMULATED)
    FILM_SOUND = stimulus_files.film_sound_path(config["film_sound"])
    # The simulation annotates the film that it draws, and no other.
    ANNOTATIONS = stimulus_files.annotations_path(
        config["annotations_dir"],
        bids_dir=BIDS_DIR,
        expected=SIMULATED and not OWN_FILM,
    )
    # What is predicted from what, by what there is of the stimulus.
    STIMULUS = study.stimulus_parts(config, FILM, ANNOTATIONS)
    DIRECTIONS, *_ = available(
        directions_of(config),
        STIMULUS | {"others": len({run.participant for run in runs}) > 1},
    )
    if not DIRECTIONS:
        raise study.NOTHING_LEFT
    refuse(study.check_heard(config, DIRECTIONS, ANNOTATIONS))
except InputError as error:
    raise WorkflowError(str(error)) from None

# Where there is none, it is no input of a rule.
FILM = FILM or []
HEAD = config["simulation"]["images"]["head"] if SIMULATED else None
FILM_TRUTH = "results/simulated/truth/{}film_features.nc".format(
    "own_" if OWN_FILM else ""
)
# Listed only where it is the user's: the simulation makes its own.
PARTICIPANTS_TABLE = [
    path
    for path in [f"{BIDS_DIR}/participants.tsv"]
    if not SIMULATED and Path(path).is_file()
]
# What is said in the user's film, where it is annotated.
WORDS = [study.words_table(ANNOTATIONS)] if OWN_FILM and STIMULUS["words"] else []
# The files of the user's feature tables.
OWN_TABLES = [
    path
    for table in config["own_features"].values()
    for path in (table["file"], table.get("times"))
    if path
]
TIMING = {"TR": TR, "film_onset": study.first_row_onset(runs, ROW_ONSETS)}

# What the user gave, and no rule makes; folders with all in them.
GIVEN = {
    os.path.abspath(path)
    for path in (
        *([] if SIMULATED else [BIDS_DIR]),
        *(DERIVATIVES, HEAD, config["film"], config["film_sound"]),
        *(config["annotations_dir"], config["preprocessing"]["parcels"]),
        *(config["i3d"]["weights"], config["flow"]["weights"]),
        config["sound_networks"]["weights"],
        *(network["weights"] for network in config["backbones"].values()),
        *OWN_TABLES,
    )
    if path is not None
}


@functools.cache
def is_given(path):
    """Tell whether a path is the user's: no rule makes it, and Snakemake sees it change too late."""
    here = Path(os.path.abspath(path))
    return any(str(folder) in GIVEN for folder in (here, *here.parents))


def as_read(*files):
    """Return a function for params: the signatures of what a job reads of the user's.

    Not of `input`: Snakemake leaves what follows from that out of its reasons to run again. Each of
    `files` is a path, a list of paths or an input function; what rules make is passed over.
    """

    def find(wildcards):
        found = []
        for one in files:
            one = one(wildcards) if callable(one) else one
            found += [one] if isinstance(one, str | Path) else list(one or [])
        return signatures(str(path) for path in found if is_given(str(path)))

    return find


# Looked up by every job of a participant: a search would make the plan grow with their square.
RUNS_OF = bids.by_participant(runs)
SERVED_BY = {run.anat: run for run in runs}
PARTICIPANTS = sorted(RUNS_OF)
# The events of the runs that the film was shown in, where its blocks are marked, and their onsets.
MARKED = [run.events for run in study.marked_runs(runs, config)]
BLOCK_ONSETS = [ONSETS[run.name] for run in study.marked_runs(runs, config)]
# The film's blocks, in one table whatever the runs it was shown in.
EVENTS = "results/stimulus/blocks.tsv"
# A direction that has no brain in it is learned once, for the film.
UNITS = {
    name: (
        [f"sub-{p}" for p in PARTICIPANTS] if direction.per_participant else ["film"]
    )
    for name, direction in DIRECTIONS.items()
}
TO_BOLD = [name for name, one in DIRECTIONS.items() if one.target == "bold"]
FILM_TO_BOLD = [name for name in TO_BOLD if DIRECTIONS[name].from_film]
# By what clips of the film are told apart, and labels decoded from the film.
SHOWN = study.shown_spaces(config, STIMULUS)
# Every feature space that is used.
USED = list(
    dict.fromkeys([*(s for one in DIRECTIONS.values() for s in one.spaces), *SHOWN])
)
TO_AUDIO = [name for name, one in DIRECTIONS.items() if one.target == "audio"]
# In which several brains tell of the same thing.
POOLED = [name for name in TO_AUDIO if len(UNITS[name]) > 1]
# Of whom there are maps: everybody, and several together.
MAPPED = [f"sub-{p}" for p in PARTICIPANTS] if TO_BOLD else []
MAPPED = [*(["group"] if len(MAPPED) > 1 else []), *MAPPED]

# Who shares one VAE, and who only gets a decoder on its encoder.
NEWCOMERS = [p for p in config["group"]["newcomers"] if config["group"]["train"]]
MEMBERS = [p for p in PARTICIPANTS if config["group"]["train"] and p not in NEWCOMERS]
if set(NEWCOMERS) - set(PARTICIPANTS) or (NEWCOMERS and len(MEMBERS) < 2):
    raise WorkflowError(
        "config.yaml: group: newcomers must be participants of the study, and at least two others "
        "must be left to train with"
    )
# One alone shares nothing.
MEMBERS = MEMBERS if len(MEMBERS) > 1 else []

# The template that our own preprocessing goes to, and the space of the series.
TEMPLATE = study.SPACE
SPACE = ANALYSIS_SPACE
PREPROCESSED = "results/preprocessed"
ANAT = "results/preprocessed/{folder}/anat/{anat}"
FUNC = "results/preprocessed/{folder}/func/{run}"
# Where transforms, masks and tissues lie, under the same names: fMRIPrep's, where it fitted them alone.
RESAMPLED = DERIVATIVES is not None and runs[0].fit is None
FIT = PREPROCESSED if DERIVATIVES is None or RESAMPLED else DERIVATIVES.rstrip("/")
FIT_ANAT = f"{FIT}/{{folder}}/anat/{{anat}}"
FIT_FUNC = f"{FIT}/{{folder}}/func/{{run}}"
FIGURES = "results/preprocessed/{folder}/figures"
CLEAN = "results/cleaned/{folder}/func/{run}"


wildcard_constraints:
    participant="[A-Za-z0-9]+",
    folder="sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    run="sub-[A-Za-z0-9]+_[A-Za-z0-9_-]*task-[A-Za-z0-9]+[A-Za-z0-9_-]*",
    anat="sub-[A-Za-z0-9]+(_[A-Za-z0-9]+-[A-Za-z0-9]+)*",
    direction="|".join(DIRECTIONS),
    unit="film|sub-[A-Za-z0-9]+",
    model="[a-z0-9_-]+",
    origin="video|bold",
    space=f"{SPACE}|T1w",
    scale="mel|linear",


def validated_before(product):
    """Return an input function of a first step: the check of the input, until `product` is there.

    Nothing is made before the check has passed. That it runs again, for another participant or
    with a fix, is no reason to repeat what was made for the others: ancient. But of a job that
    follows one that runs, even so, Snakemake asks no more whether its own input has changed. So
    what is there already does not follow the check at all: before_update.
    """
    check = "results/inputs.json"

    def find(wildcards):
        if Path(check).exists() and Path(product.format(**wildcards)).exists():
            return ancient(before_update(check))
        return ancient(check)

    return find


def bold_of(wildcards):
    """Return the raw series of {run}."""
    return RUNS[wildcards.run].bold


def echoes_of(wildcards):
    """Return the raw series of {run}: one, or all of its echoes."""
    run = RUNS[wildcards.run]
    return [echo.bold for echo in run.echoes] or [run.bold]


def t1w_of(wildcards):
    """Return the raw T1w image named {anat}."""
    return SERVED_BY[wildcards.anat].t1w


def fit_of(wildcards):
    """Return what fMRIPrep fitted to {run}; nothing where it is ours."""
    run = RUNS[wildcards.run]
    return [run.t1w, *run.fit] if run.fit else []


def fit_of_t1w(wildcards):
    """Return what fMRIPrep made of the T1w image named {anat}; nothing where it is ours."""
    run = SERVED_BY[wildcards.anat]
    if not run.fit:
        return []
    return [run.t1w, run.fit.t1w_mask, run.fit.dseg, run.fit.normalisation]


def anat_of_run(run):
    """Return folder/anat/name of the T1w image that serves a run, or None where there is none."""
    run = RUNS[run]
    return f"{run.anat_folder}/anat/{run.anat}" if run.anat else None


def preprocessing(part):
    """Return one part of the configuration section preprocessing as one JSON string."""
    return json.dumps(config["preprocessing"][part], sort_keys=True)


# A layer of a network after its name; none is the one that the configuration names.
LAYER = "(-[A-Za-z0-9_]+)?"


def i3d_settings(wildcards):
    """Return the settings of I3D as one JSON string: of the layer and the stream asked for."""
    flow = {key: value for key, value in config["flow"].items() if key != "weights"}
    return section(
        "i3d",
        device=config["device"],
        **({"endpoint": wildcards.layer[1:]} if wildcards.layer else {}),
        **({"flow": flow} if wildcards.stream == "flow" else {}),
    )


def decoding(**extra):
    """Return the settings of a decoder, with what a rule adds to them, as one JSON string."""
    shared = {key: config["baselines"][key] for key in ("components", "bins")}
    return section("decoding", seed=config["seed"], **shared, **extra)


def sidecars_of(wildcards):
    """Return the sidecars that apply to {run}, nearest last."""
    return list(RUNS[wildcards.run].sidecars)


def of_anat(suffix):
    """Return an input function: what was made of the T1w that serves {run}, or nothing."""

    def find(wildcards):
        anat = anat_of_run(wildcards.run)
        return [f"{FIT}/{anat}_{suffix}"] if anat else []

    return find


def normalisation_of(wildcards):
    """Return the transform to the template: of the T1w, or of the BOLD where there is none."""
    if wildcards.get("space") == "T1w":
        return []
    anat = anat_of_run(wildcards.run)
    if anat:
        return f"{FIT}/{anat}_from-T1w_to-{SPACE}_mode-image_xfm.h5"
    return f"{FUNC}_from-boldref_to-{SPACE}_mode-image_xfm.h5".format(**wildcards)


def coregistration_of(wildcards):
    """Return the transform from BOLD to T1w; nothing where there is no T1w."""
    if not anat_of_run(wildcards.run):
        return []
    return f"{FIT_FUNC}_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt".format(
        **wildcards
    )


def undistorted(part, corrected):
    """Return a product of {run}, or, when distortion is corrected, what that makes of it."""
    if DERIVATIVES is None and config["preprocessing"]["distortion"] is not None:
        return f"{FUNC}_{corrected}"
    return f"{FIT_FUNC}_{part}" if part is not None else []


def brain_of_run(wildcards):
    """Return the brain mask that serves {run}: of its T1w, or its own."""
    return of_anat("desc-brain_mask.nii.gz")(wildcards) or (
        f"{FUNC}_desc-brain_mask.nii.gz".format(**wildcards)
    )


def tissues_of_run(wildcards):
    """Return GM, WM and CSF of the T1w that serves {run}; nothing where there is none."""
    return [
        path
        for tissue in ("GM", "WM", "CSF")
        for path in of_anat(f"label-{tissue}_probseg.nii.gz")(wildcards)
    ]


def cleaned_files(some, suffix):
    """Return a product of cleaning for each of some runs."""
    return [
        f"{CLEAN.format(folder=run.folder, run=run.name)}_space-{ANALYSIS_SPACE}_{suffix}"
        for run in some
    ]


def cleaned_of(suffix):
    """Return an input function: a product of cleaning for every run of {participant}."""
    return lambda wildcards: cleaned_files(RUNS_OF[wildcards.participant], suffix)


def source_of(wildcards):
    """Return the tables that {direction} predicts from, one for each feature space."""
    direction = DIRECTIONS[wildcards.direction]
    if direction.from_others:
        return [OTHERS.format(unit=wildcards.unit)]
    if not direction.from_film:
        return [BOLD.format(unit=wildcards.unit)]
    return tables_of(direction.spaces)


def target_of(wildcards):
    """Return the table that {direction} predicts."""
    target = DIRECTIONS[wildcards.direction].target
    if target == "bold":
        return BOLD.format(unit=wildcards.unit)
    return f"results/features/{TARGETS[target]}.nc"


def tables_of(spaces):
    """Return the tables at the TRs of some feature spaces."""
    return [f"results/features/{space}.nc" for space in spaces]


def one_of(names):
    """Return a wildcard's constraint to some names; to nothing where there are none."""
    return "|".join(names) or "(?!)"


def predictions_of(wildcards):
    """Return the predictions of every model of {direction} for {unit}."""
    return [
        f"results/predictions/{wildcards.direction}/{wildcards.unit}/{model}.nc"
        for model in MODELS[wildcards.direction]
    ]


def of_everyone(path):
    """Return an input function: a file of each participant's model; none where it is the ceiling."""

    def find(wildcards):
        if wildcards.model == "ceiling":
            return []
        return [
            path.format(unit=f"sub-{participant}", **wildcards)
            for participant in PARTICIPANTS
        ]

    return find


def decoded_from(wildcards):
    """Return the tables that labels are decoded from: of the film's frames, or {unit}'s BOLD."""
    if wildcards.origin == "video":
        return tables_of(SHOWN)
    return [BOLD.format(unit=wildcards.unit)]


def decoded(wildcards):
    """Return everything that is decoded beside the models' predictions."""
    return DECODED


def preprocessed_file(run, suffix, own):
    """Return a file of a run as we, or fMRIPrep, preprocessed it.

    `suffix` ends the name of our file; `own` is the attribute of the run that holds fMRIPrep's.
    """
    if RESAMPLED:
        return getattr(run, own)
    return f"{FUNC.format(folder=run.folder, run=run.name)}_{suffix}"


def preprocessed_of(suffix, own):
    """Return an input function: `preprocessed_file` of {run}."""
    return lambda wildcards: preprocessed_file(RUNS[wildcards.run], suffix, own)


def film_prediction(wildcards):
    """Return what the film itself predicts of the sound, for a ladder from BOLD to hang beside."""
    from_film = [d for d in TO_AUDIO if not DIRECTIONS[d].per_participant]
    if not from_film or wildcards.direction in from_film:
        return []
    return [f"results/predictions/{from_film[0]}/film/vae.nc"]


def confounds_of(run):
    """Return the confounds of a run."""
    if run.confounds:
        return run.confounds
    return f"{FUNC}_desc-confounds_timeseries.tsv".format(
        folder=run.folder, run=run.name
    )


def figures_of(run):
    """Return the pictures by which the quality of a run, and of its T1w image, is judged."""
    if run.confounds:
        return []
    pictures = expand(rules.preprocess_figures.output, folder=run.folder, run=run.name)
    if run.anat:
        pictures += expand(
            rules.preprocess_anatomy_figures.output,
            folder=run.anat_folder,
            anat=run.anat,
        )
    return pictures


def units_that_sound():
    """Return (direction, unit) of everything that is predicted as sound."""
    return [(direction, unit) for direction in TO_AUDIO for unit in UNITS[direction]]


def vaes_of(direction):
    """Return the VAEs of a direction, the group's first."""
    group = MEMBERS and direction in TO_BOLD and DIRECTIONS[direction].from_film
    return ["vae-group", "vae"] if group else ["vae"]


def mapped_models(direction):
    """Return the models of which there are maps whatever is asked for, and the ceiling."""
    # With fewer than three participants there is none.
    ceiling = ["ceiling"] if len(PARTICIPANTS) >= 3 else []
    return [*vaes_of(direction), "ridge", *ceiling]


def maps_of(direction, unit):
    """Return the maps of a participant, or of the group, that are made whatever is asked for."""
    statistics = ["r", "q", *(["q-participants"] if unit == "group" else [])]
    return [
        f"results/maps/{direction}/{unit}/{model}_{statistic}.nii.gz"
        for model in mapped_models(direction)
        for statistic in (["r"] if model == "ceiling" else statistics)
    ]


def maps_shown():
    """Return the maps that the report shows, of each participant and of the group."""
    return [
        *(
            f"results/maps/{direction}/{unit}/{model}_r.nii.gz"
            for direction in TO_BOLD
            for unit in MAPPED
            for model in mapped_models(direction)
        ),
        *(
            f"results/maps/{direction}/{unit}.png"
            for direction in TO_BOLD
            for unit in MAPPED
        ),
    ]


def planted_shown():
    """Return what the report shows of the comparison with the truth."""
    names = ("regions.tsv", "errors.tsv", "spaces.tsv", "maps.png")
    return [f"results/planted/{name}" for name in names] if PLANTED else []


def regions_shown():
    """Return the scores of regions that the report shows."""
    return [
        f"results/scores/regions/{direction}/{model}.tsv"
        for direction in TO_BOLD
        for model in [*vaes_of(direction), "ridge"]
    ]


def courses_shown():
    """Return the courses of the group's latents that the report shows."""
    return [
        f"results/latents/{direction}/group.nc"
        for direction in TO_BOLD
        if "vae-group" in vaes_of(direction)
    ]


def decoded_shown():
    """Return what the report shows of decoding."""
    captions = [
        f"results/decoding/labels/{origin}/{unit}_captions.tsv"
        for origin, units in ORIGINS.items()
        for unit in units
    ]
    pooled = ["results/decoding/pooled.tsv"] if len(VIEWERS) > 1 else []
    return ["results/decoding/summary.tsv", *pooled, *captions]


def words_option(wildcards):
    """Return the option that names the annotation of what is said; nothing where there is none."""
    if not STIMULUS["words"]:
        return ""
    return f"--words {shlex.quote(str(study.words_table(ANNOTATIONS)))}"


def say_where_the_report_lies():
    """Name the report, where there is one; nobody has failed now."""
    if config["failed"] == "retry":
        FAILURES.unlink(missing_ok=True)
    page = Path("results/report/index.html")
    if page.exists():
        print(f"report: {page.absolute()}", file=sys.stderr)


def say_how_to_go_on(logs):
    """Say whose step failed and what to do, and note it; `logs` are Snakemake's own."""
    text = "".join(Path(path).read_text(encoding="utf-8") for path in logs)
    found = told(failures(text))
    print(advice(found), file=sys.stderr)
    # A step that could not even write its log has said nothing.
    if trouble := full("results"):
        print(trouble, file=sys.stderr)
        return
    failed = {label: why for label, why in found.items() if label}
    if failed:
        known = read_json(FAILURES) if config["failed"] == "leave_out" else {}
        write_json(FAILURES, {**known, **failed})
