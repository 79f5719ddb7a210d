# What is decoded beside the models, and of whom: labels from the film's own features and from BOLD,
# clips of the film from BOLD.
VIEWERS = sorted({unit for units in UNITS.values() for unit in units} - {"film"})
ORIGINS = {"video": ["film"], "bold": VIEWERS} if ANNOTATIONS else {}
# Whose BOLD labels are decoded from.
LABELLED = ORIGINS.get("bold", [])
LABELS = "results/decoding/labels/{origin}/{unit}"
CLIPS = "results/decoding/clips/{unit}"
DECODED = [
    *(
        f"{LABELS}.nc".format(origin=origin, unit=unit)
        for origin, units in ORIGINS.items()
        for unit in units
    ),
    *(f"{CLIPS}.nc".format(unit=unit) for unit in VIEWERS),
]


rule decode_labels:
    input:
        code=code("decode_labels.py"),
        source=decoded_from,
        annotations="results/features/annotations.nc",
        blocks="results/features/blocks.nc",
        folds="results/folds.json",
    output:
        probabilities=f"{LABELS}.nc",
        timeline=f"{LABELS}_timeline.tsv",
        captions=f"{LABELS}_captions.tsv",
        scores=f"{LABELS}_scores.tsv",
        calibration=f"{LABELS}_calibration.tsv",
    log:
        "results/logs/decode_labels/{origin}_{unit}.log",
    benchmark:
        "results/benchmarks/decode_labels/{origin}_{unit}.tsv"
    conda:
        "../../envs/decode_labels.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(15),
    params:
        settings=decoding(),
    message:
        "Labels of {wildcards.unit} from {wildcards.origin}"
    shell:
        command(
            "decode_labels.py",
            " --origin {wildcards.origin:q} --unit {wildcards.unit:q}"
            " --source {input.source:q} --annotations {input.annotations:q}"
            " --blocks {input.blocks:q} --folds {input.folds:q}"
            " --probabilities {output.probabilities:q} --timeline {output.timeline:q}"
            " --captions {output.captions:q} --scores {output.scores:q}"
            " --calibration {output.calibration:q} --settings {params.settings:q}",
        )


rule retrieve_clips:
    input:
        code=code("retrieve_clips.py"),
        bold=BOLD,
        features=tables_of(SHOWN),
        folds="results/folds.json",
    output:
        components=f"{CLIPS}.nc",
        film=f"{CLIPS}_film.nc",
        clips=f"{CLIPS}_clips.tsv",
        scores=f"{CLIPS}_scores.tsv",
        nulls=f"{CLIPS}_nulls.tsv",
    log:
        "results/logs/retrieve_clips/{unit}.log",
    benchmark:
        "results/benchmarks/retrieve_clips/{unit}.tsv"
    conda:
        "../../envs/retrieve_clips.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(15),
    params:
        settings=decoding(
            segment=config["evaluation"]["segment"],
            draws=config["evaluation"]["surrogates"],
            resampling_seed=config["evaluation"]["seed"],
        ),
    message:
        "Which seconds of the film it was, from the BOLD of {wildcards.unit}"
    shell:
        command(
            "retrieve_clips.py",
            " --unit {wildcards.unit:q} --bold {input.bold:q}"
            " --features {input.features:q} --folds {input.folds:q}"
            " --components {output.components:q} --film {output.film:q} --clips {output.clips:q}"
            " --scores {output.scores:q} --nulls {output.nulls:q} --settings {params.settings:q}",
        )


rule summarise_decoding:
    input:
        code=code("summarise_decoding.py"),
        labels=[
            f"{LABELS}_scores.tsv".format(origin=origin, unit=unit)
            for origin, units in ORIGINS.items()
            for unit in units
        ],
        clips=[f"{CLIPS}_scores.tsv".format(unit=unit) for unit in VIEWERS],
        timelines=[
            f"{LABELS}_timeline.tsv".format(origin=origin, unit=unit)
            for origin, units in ORIGINS.items()
            for unit in units
        ],
        nulls=[f"{CLIPS}_nulls.tsv".format(unit=unit) for unit in VIEWERS],
    output:
        summary="results/decoding/summary.tsv",
    log:
        "results/logs/summarise_decoding.log",
    benchmark:
        "results/benchmarks/summarise_decoding.tsv"
    conda:
        "../../envs/summarise_decoding.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(5),
    message:
        "Labels and clips over participants: {output.summary}"
    shell:
        command(
            "summarise_decoding.py",
            " --labels @<(printf '%s\\n' {input.labels:q})"
            " --clips @<(printf '%s\\n' {input.clips:q})"
            " --timelines @<(printf '%s\\n' {input.timelines:q})"
            " --nulls @<(printf '%s\\n' {input.nulls:q})"
            " --summary {output.summary:q}",
        )


rule pool_decoding:
    input:
        code=code("pool_decoding.py"),
        timelines=[
            f"{LABELS}_timeline.tsv".format(origin="bold", unit=unit)
            for unit in LABELLED
        ],
        labels=[
            f"{LABELS}_scores.tsv".format(origin="bold", unit=unit)
            for unit in LABELLED
        ],
        components=[f"{CLIPS}.nc".format(unit=unit) for unit in VIEWERS],
        films=[f"{CLIPS}_film.nc".format(unit=unit) for unit in VIEWERS],
        folds="results/folds.json",
    output:
        table="results/decoding/pooled.tsv",
    log:
        "results/logs/pool_decoding.log",
    benchmark:
        "results/benchmarks/pool_decoding.tsv"
    conda:
        "../../envs/pool_decoding.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000 + 20 * len(PARTICIPANTS)),
        runtime=minutes(10 + len(PARTICIPANTS)),
    params:
        settings=json.dumps(
            {
                "fewest": config["decoding"]["fewest"],
                "segment": config["evaluation"]["segment"],
                "draws": config["evaluation"]["surrogates"],
                "seed": config["evaluation"]["seed"],
            }
        ),
    message:
        "Labels and clips from several brains together: {output.table}"
    shell:
        command(
            "pool_decoding.py",
            " --timelines @<(printf '%s\\n' {input.timelines:q})"
            " --labels @<(printf '%s\\n' {input.labels:q})"
            " --components @<(printf '%s\\n' {input.components:q})"
            " --films @<(printf '%s\\n' {input.films:q})"
            " --folds {input.folds:q} --table {output.table:q} --settings {params.settings:q}",
        )
