# Of simulated participants all is known. What the analysis found is compared with it, but for what the
# user brought (a head, derivatives, parcels), of which the truth is not known.
PLANTED = (
    PARTICIPANTS
    if SIMULATED
    and FILM_TO_BOLD
    and not (HEAD or DERIVATIVES or config["preprocessing"]["parcels"])
    else []
)
PLANTED_RUNS = [RUNS_OF[participant][0] for participant in PLANTED]
# Of the first direction from the film to BOLD; by the first model the verdict is given.
PLANTED_MODELS = [*vaes_of(FILM_TO_BOLD[0]), "ridge"] if PLANTED else []


rule compare_with_truth:
    input:
        code=code("compare_with_truth.py"),
        truth=[
            f"results/simulated/truth/sub-{participant}_{part}"
            for participant in PLANTED
            for part in (
                *("motion.tsv", "spaces.json", "deformation.nc", "signal.nc"),
                "space-MNI_regions.nii.gz",
            )
        ],
        bold=[BOLD.format(unit=f"sub-{p}") for p in PLANTED],
        predictions=[
            f"results/predictions/{FILM_TO_BOLD[0]}/sub-{p}/{model}.nc"
            for model in PLANTED_MODELS
            for p in PLANTED
        ],
        strengths=[
            f"results/models/{FILM_TO_BOLD[0]}/sub-{p}_ridge.nc" for p in PLANTED
        ],
        maps=[
            f"results/maps/{FILM_TO_BOLD[0]}/{MAPPED[0]}/{model}_r.nii.gz"
            for model in PLANTED_MODELS
        ],
        explained=[f"results/partition/sub-{p}.nc" for p in PLANTED],
        motion=[
            f"{FUNC}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt".format(
                folder=run.folder, run=run.name
            )
            for run in PLANTED_RUNS
        ],
        coregistration=[
            f"{FUNC}_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt".format(
                folder=run.folder, run=run.name
            )
            for run in PLANTED_RUNS
        ],
        normalisation=[
            f"{ANAT}_from-T1w_to-{SPACE}_mode-image_xfm.h5".format(
                folder=run.anat_folder, anat=run.anat
            )
            for run in PLANTED_RUNS
        ],
    output:
        regions="results/planted/regions.tsv",
        errors="results/planted/errors.tsv",
        spaces="results/planted/spaces.tsv",
        figure=report(
            "results/planted/maps.png",
            caption="../report/planted.rst",
            category="Maps",
            labels={"figure": "planted and found"},
        ),
    log:
        "results/logs/compare_with_truth.log",
    benchmark:
        "results/benchmarks/compare_with_truth.tsv"
    conda:
        "../../envs/compare_with_truth.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        runtime=minutes(10 + len(PLANTED)),
    params:
        participants=[f"sub-{p}" for p in PLANTED],
        models=PLANTED_MODELS,
        settings=json.dumps({"seed": config["evaluation"]["seed"]}),
    message:
        "What was planted and what was found: {output.regions}"
    shell:
        command(
            "compare_with_truth.py",
            " --truth results/simulated/truth"
            " --participants @<(printf '%s\\n' {params.participants:q}) --models {params.models:q}"
            " --bold @<(printf '%s\\n' {input.bold:q})"
            " --predictions @<(printf '%s\\n' {input.predictions:q})"
            " --strengths @<(printf '%s\\n' {input.strengths:q}) --maps {input.maps:q}"
            " --explained @<(printf '%s\\n' {input.explained:q})"
            " --motion @<(printf '%s\\n' {input.motion:q})"
            " --coregistration @<(printf '%s\\n' {input.coregistration:q})"
            " --normalisation @<(printf '%s\\n' {input.normalisation:q})"
            " --regions {output.regions:q} --errors {output.errors:q} --spaces {output.spaces:q}"
            " --figure {output.figure:q} --settings {params.settings:q}",
        )
