rule reconstruct_target:
    input:
        code=code("reconstruct_target.py"),
        source=source_of,
        target=target_of,
        folds="results/folds.json",
        model="results/models/{direction}/{unit}.safetensors",
        record="results/models/{direction}/{unit}.json",
    output:
        reconstruction="results/reconstructions/{direction}/{unit}.nc",
    log:
        "results/logs/reconstruct_target/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/reconstruct_target/{direction}_{unit}.tsv"
    conda:
        "../../envs/reconstruct_target.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    message:
        "Target of {wildcards.direction} for {wildcards.unit}, through the latents"
    shell:
        command(
            "reconstruct_target.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --target {input.target:q} --folds {input.folds:q} --model {input.model:q}"
            " --reconstruction {output.reconstruction:q}",
        )


rule invert_mel:
    input:
        code=code("invert_mel.py"),
        film=FILM_SOUND or FILM,
        clock="results/stimulus/film.json",
        mel="results/stimulus/mel.nc",
        events=EVENTS,
        predictions=expand(
            "results/predictions/{{direction}}/{{unit}}/{model}.nc",
            model=config["sounds"]["models"],
        ),
        latent="results/reconstructions/{direction}/{unit}.nc",
        video=film_prediction,
    output:
        sounds=directory("results/sounds/{direction}/{unit}"),
    log:
        "results/logs/invert_mel/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/invert_mel/{direction}_{unit}.tsv"
    group:
        "sounds"
    conda:
        "../../envs/invert_mel.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        read=as_read(FILM_SOUND or FILM),
        settings=section(
            "sounds",
            spectrogram=config["spectrogram"],
            timing=TIMING,
            seed=config["seed"],
        ),
    message:
        "Sounds of {wildcards.direction} for {wildcards.unit}"
    shell:
        command(
            "invert_mel.py",
            " --film {input.film:q} --clock {input.clock:q}"
            " --mel {input.mel:q} --events {input.events:q} --predictions {input.predictions:q}"
            " --latent {input.latent:q} --video {input.video:q}"
            " --sounds {output.sounds:q} --settings {params.settings:q}",
        )


rule score_sounds:
    input:
        code=code("score_sounds.py"),
        sounds="results/sounds/{direction}/{unit}",
    output:
        scores="results/scores/sounds/{direction}/{unit}.tsv",
    log:
        "results/logs/score_sounds/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/score_sounds/{direction}_{unit}.tsv"
    group:
        "sounds"
    conda:
        "../../envs/score_sounds.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        settings=section("spectrogram", speech=config["sounds"]["speech"]),
    message:
        "Scores of the sounds of {wildcards.direction} for {wildcards.unit}"
    shell:
        command(
            "score_sounds.py",
            " --direction {wildcards.direction:q} --unit {wildcards.unit:q}"
            " --sounds {input.sounds:q} --scores {output.scores:q}"
            " --settings {params.settings:q}",
        )
