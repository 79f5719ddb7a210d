rule fetch_ds003688:
    input:
        code=code("fetch_ds003688.py"),
        manifest=project_file("workflow/datasets/ds003688.tsv"),
    output:
        record="results/fetched/ds003688.json",
    log:
        "results/logs/fetch_ds003688.log",
    benchmark:
        "results/benchmarks/fetch_ds003688.tsv"
    conda:
        "../../envs/fetch_ds003688.yaml"
    threads: 2
    resources:
        mem_mb=memory(1000),
        runtime=minutes(240),
    params:
        settings=section("ds003688", folder=None),
        # No output: what was fetched must outlive a job that was interrupted.
        folder=config["ds003688"]["folder"],
    message:
        "ds003688 from the public archive: {params.folder}"
    shell:
        command(
            "fetch_ds003688.py",
            " --manifest {input.manifest:q} --folder {params.folder:q}"
            " --record {output.record:q} --settings {params.settings:q}",
        )


rule validate_inputs:
    input:
        code=code("validate_inputs.py"),
        film=FILM,
        sound=FILM_SOUND,
        annotations=ANNOTATIONS or [],
        participants=PARTICIPANTS_TABLE,
        features=OWN_TABLES,
        images=[path for path in (config["preprocessing"]["parcels"], HEAD) if path],
        description=f"{BIDS_DIR}/dataset_description.json",
        runs=sorted({path for run in runs for path in run.files}),
    output:
        # Not removed before it is made again: first steps that run beside it read it as it was.
        inputs=update("results/inputs.json"),
    log:
        "results/logs/validate_inputs.log",
    benchmark:
        "results/benchmarks/validate_inputs.tsv"
    # What is wrong with the input is said first: every heavy step waits for this one.
    priority: 100
    conda:
        "../../envs/validate_inputs.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        read=as_read(
            FILM,
            FILM_SOUND,
            ANNOTATIONS,
            PARTICIPANTS_TABLE,
            OWN_TABLES,
            config["preprocessing"]["parcels"],
            HEAD,
            f"{BIDS_DIR}/dataset_description.json",
            sorted({path for run in runs for path in run.files}),
        ),
        settings=json.dumps(
            {key: config[key] for key in study.KEYS}
            | {"sounds": {"speech": config["sounds"]["speech"]}},
            sort_keys=True,
        ),
    message:
        "Checks of the input: {output.inputs}"
    shell:
        command(
            "validate_inputs.py",
            " --settings {params.settings:q} --inputs {output.inputs:q}",
        )


rule gather_blocks:
    input:
        code=code("gather_blocks.py"),
        events=MARKED,
        clock="results/stimulus/film.json",
    output:
        blocks=EVENTS,
    log:
        "results/logs/gather_blocks.log",
    benchmark:
        "results/benchmarks/gather_blocks.tsv"
    group:
        "stimulus"
    conda:
        "../../envs/gather_blocks.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(5),
    params:
        read=as_read(MARKED),
        settings=section(
            "blocks",
            film_onset=TIMING["film_onset"],
            onsets=BLOCK_ONSETS,
        ),
    message:
        "Blocks of the film: {output.blocks}"
    shell:
        command(
            "gather_blocks.py",
            " --events {input.events:q} --clock {input.clock:q}"
            " --blocks {output.blocks:q} --settings {params.settings:q}",
        )
