rule draw_maps:
    input:
        code=code("draw_maps.py"),
        maps=expand(
            "results/maps/{{direction}}/{{unit}}/{model}_r.nii.gz",
            model=["vae", "ridge"],
        ),
    output:
        figure=report(
            "results/maps/{direction}/{unit}.png",
            caption="../report/maps.rst",
            category="Maps",
            labels={
                "direction": "{direction}",
                "participant": "{unit}",
                "figure": "maps of r",
            },
        ),
    log:
        "results/logs/draw_maps/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/draw_maps/{direction}_{unit}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
        unit="group|sub-[A-Za-z0-9]+",
    conda:
        "../../envs/draw_maps.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    message:
        "Maps of {wildcards.direction}, {wildcards.unit}, drawn"
    shell:
        command(
            "draw_maps.py",
            " --maps {input.maps:q} --names vae ridge" " --figure {output.figure:q}",
        )


# What was left out of each run's mask and confounds is told in them.
CLEANED = cleaned_files(runs, "desc-cleaned_bold.json")


rule write_methods:
    input:
        code=code("write_methods.py"),
        inputs="results/inputs.json",
        film="results/stimulus/film.json",
        folds="results/folds.json",
        cleaned=CLEANED,
        models=[
            f"results/models/{direction}/{unit}.json"
            for direction in DIRECTIONS
            for unit in UNITS[direction]
        ],
        dataset=f"{BIDS_DIR}/dataset_description.json",
        references=project_file("workflow/datasets/references.tsv"),
        requirements=project_file("requirements.txt"),
        derivatives=f"{DERIVATIVES}/dataset_description.json" if DERIVATIVES else [],
        # One unit's: all are scored by the same measures.
        sound_scores=[
            f"results/scores/sounds/{direction}/{unit}.tsv"
            for direction, unit in units_that_sound()[:1]
        ],
    output:
        text="results/methods.md",
        section="results/methods.json",
    log:
        "results/logs/write_methods.log",
    benchmark:
        "results/benchmarks/write_methods.tsv"
    conda:
        "../../envs/write_methods.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(5),
    params:
        read=as_read(
            f"{BIDS_DIR}/dataset_description.json",
            f"{DERIVATIVES}/dataset_description.json" if DERIVATIVES else [],
        ),
        settings=json.dumps(
            {
                "simulated": SIMULATED,
                "resampled_here": not RESAMPLED,
                "annotated": bool(ANNOTATIONS),
                "baselines": FITTED,
                "directions": list(DIRECTIONS),
                "spaces": USED,
                "configuration": config,
            }
        ),
    message:
        "Methods section: {output.text}"
    shell:
        command(
            "write_methods.py",
            " --inputs {input.inputs:q} --film {input.film:q}"
            " --folds {input.folds:q} --cleaned results/cleaned --models results/models --dataset {input.dataset:q}"
            " --derivatives {input.derivatives:q} --sound-scores {input.sound_scores:q}"
            " --references {input.references:q} --requirements {input.requirements:q} --text {output.text:q}"
            " --section {output.section:q} --settings {params.settings:q}",
        )


rule pack_brain:
    input:
        code=code("pack_brain.py"),
    output:
        brain="results/views/brain.json",
    log:
        "results/logs/pack_brain.log",
    benchmark:
        "results/benchmarks/pack_brain.tsv"
    conda:
        "../../envs/pack_brain.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    message:
        "What maps are drawn on: {output.brain}"
    shell:
        command("pack_brain.py", " --brain {output.brain:q}")


rule draw_stills:
    input:
        code=code("draw_stills.py"),
        film=FILM,
        clock="results/stimulus/film.json",
    output:
        sheet="results/views/stills.jpg",
        about="results/views/stills.json",
    log:
        "results/logs/draw_stills.log",
    benchmark:
        "results/benchmarks/draw_stills.tsv"
    conda:
        "../../envs/draw_stills.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        read=as_read(FILM),
        settings=section("streams"),
    message:
        "Stills of the film: {output.sheet}"
    shell:
        command(
            "draw_stills.py",
            " --film {input.film:q} --clock {input.clock:q}"
            " --sheet {output.sheet:q} --about {output.about:q} --settings {params.settings:q}",
        )


rule compress_sounds:
    input:
        code=code("compress_sounds.py"),
        sounds="results/sounds/{direction}/{unit}",
    output:
        listening=directory("results/views/listening/{direction}/{unit}"),
    log:
        "results/logs/compress_sounds/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/compress_sounds/{direction}_{unit}.tsv"
    conda:
        "../../envs/compress_sounds.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        settings=section("spectrogram"),
    message:
        "Sounds of {wildcards.direction}, {wildcards.unit}, for the report"
    shell:
        command(
            "compress_sounds.py",
            " --sounds {input.sounds:q} --listening {output.listening:q}"
            " --settings {params.settings:q}",
        )


rule measure_quality:
    input:
        code=code("measure_quality.py"),
        validated=validated_before("results/quality/{folder}/{run}.json"),
        series=preprocessed_of(f"space-{SPACE}_desc-preproc_bold.nii.gz", "bold"),
        mask=preprocessed_of(f"space-{SPACE}_desc-brain_mask.nii.gz", "mask"),
        confounds=preprocessed_of("desc-confounds_timeseries.tsv", "confounds"),
    output:
        quality="results/quality/{folder}/{run}.json",
    log:
        "results/logs/measure_quality/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/measure_quality/{folder}/{run}.tsv"
    conda:
        "../../envs/measure_quality.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(10),
    params:
        read=as_read(
            preprocessed_of("", "bold"),
            preprocessed_of("", "mask"),
            preprocessed_of("", "confounds"),
        ),
    message:
        "Quality of {wildcards.run}"
    shell:
        command(
            "measure_quality.py",
            " --series {input.series:q} --mask {input.mask:q}"
            " --confounds {input.confounds:q} --quality {output.quality:q}",
        )


rule graph_rules:
    input:
        code=code("graph_rules.py"),
        snakefile=project_file("Snakefile"),
        rules=project_files("workflow/rules"),
        # Half of its input is the data set, which must be there to be planned with.
        validated=validated_before("results/views/rules.json"),
    output:
        graph="results/views/rules.json",
    log:
        "results/logs/graph_rules.log",
    benchmark:
        "results/benchmarks/graph_rules.tsv"
    conda:
        "../../envs/graph_rules.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        settings=json.dumps(config, sort_keys=True),
    message:
        "The workflow as a picture: {output.graph}"
    shell:
        command(
            "graph_rules.py",
            " --snakefile {input.snakefile:q} --graph {output.graph:q}"
            " --settings {params.settings:q}",
        )


rule render_report:
    input:
        code=code("render_report.py"),
        templates=project_files("workflow/report/pages"),
        environments=project_files("envs"),
        requirements=project_file("requirements.txt"),
        inputs="results/inputs.json",
        events=EVENTS,
        annotations=ANNOTATIONS or [],
        summary="results/scores/summary.tsv",
        partition=[
            f"results/partition/sub-{p}.tsv"
            for p in (PARTICIPANTS if TO_BOLD and PARTITIONED else [])
        ],
        modalities=[
            f"results/modalities/sub-{p}.png"
            for p in (PARTICIPANTS if TO_BOLD and PARTITIONED else [])
        ],
        folds="results/folds.json",
        leakage="results/leakage.json",
        methods="results/methods.json",
        film="results/stimulus/film.json",
        sheet=["results/stimulus/sheet.png"] if FILM else [],
        features=tables_of(USED),
        brain="results/views/brain.json",
        stills=["results/views/stills.json"] if FILM else [],
        graph="results/views/rules.json",
        maps=maps_shown(),
        decoded=decoded_shown(),
        planted=planted_shown(),
        persistence=["results/scores/persistence.tsv"] if TO_BOLD else [],
        pooled=[f"results/pooled/{direction}.tsv" for direction in POOLED],
        region_scores=regions_shown(),
        courses=courses_shown(),
        regions=[
            f"results/regions/{direction}/{unit}.tsv"
            for direction in TO_BOLD
            for unit in UNITS[direction]
        ],
        listening=[
            f"results/views/listening/{direction}/{unit}"
            for direction, unit in units_that_sound()
        ],
        sound_scores=[
            f"results/scores/sounds/{direction}/{unit}.tsv"
            for direction, unit in units_that_sound()
        ],
        quality=[
            f"results/quality/{run.folder}/{run.name}.json" for run in RUNS.values()
        ],
        cleaned=CLEANED,
        figures=sorted(
            {picture for run in RUNS.values() for picture in figures_of(run)}
        ),
        descriptions=[
            f"results/{folder}/dataset_description.json"
            for folder in ([] if RESAMPLED else ["preprocessed"]) + ["cleaned"]
        ],
    output:
        report=report(
            directory("results/report"),
            htmlindex="index.html",
            caption="../report/report.rst",
            category="Pages",
            labels={"figure": "the whole report"},
        ),
    log:
        "results/logs/render_report.log",
    benchmark:
        "results/benchmarks/render_report.tsv"
    conda:
        "../../envs/render_report.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10 + len(RUNS)),
    params:
        read=as_read(ANNOTATIONS),
        templates=lambda wildcards, input: os.path.dirname(input.templates[0]),
        environments=lambda wildcards, input: os.path.dirname(input.environments[0]),
        words=words_option,
        settings=json.dumps(
            {
                "config": config,
                "simulated": SIMULATED,
                "film_onset": TIMING["film_onset"],
                "spaces": USED,
            },
            sort_keys=True,
        ),
    message:
        "Report: {output.report}/index.html"
    shell:
        command(
            "render_report.py",
            " --results results --templates {params.templates:q}"
            " --environments {params.environments:q} --requirements {input.requirements:q}"
            " --events {input.events:q} {params.words} --report {output.report:q}"
            " --settings {params.settings:q}",
        )
