BOLD = "results/bold/{unit}.nc"
OTHERS = "results/bold/others/{unit}.nc"
# Baselines from a table of what is known of the film, and whether the study has it.
TABLES = {
    "blocks": True,
    "annotations": bool(ANNOTATIONS),
    "lowlevel": bool(STIMULUS["frames"]),
}
KNOWN = [name for name, there in TABLES.items() if there]
FITTED = [name for name in BASELINES if TABLES.get(name, True)]
# Between which spaces the variance that is explained of BOLD is divided.
PARTITIONED = list(
    dict.fromkeys(
        [
            *(space for name in TO_BOLD for space in DIRECTIONS[name].spaces),
            *(["annotations"] if ANNOTATIONS else []),
        ]
    )
)
MODELS = {direction: [*FITTED, *vaes_of(direction), "vae-stack"] for direction in UNITS}


rule average_others:
    input:
        code=code("average_others.py"),
        bold=[BOLD.format(unit=f"sub-{p}") for p in PARTICIPANTS],
    output:
        others=[OTHERS.format(unit=f"sub-{p}") for p in PARTICIPANTS],
    log:
        "results/logs/average_others.log",
    benchmark:
        "results/benchmarks/average_others.tsv"
    conda:
        "../../envs/average_others.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(5 + len(PARTICIPANTS)),
    message:
        "What the others' brains did, for each participant"
    shell:
        command(
            "average_others.py",
            " --bold @<(printf '%s\\n' {input.bold:q})"
            " --out @<(printf '%s\\n' {output.others:q})",
        )


rule make_folds:
    input:
        code=code("make_folds.py"),
        events=EVENTS,
        film="results/stimulus/film.json",
    output:
        folds="results/folds.json",
    log:
        "results/logs/make_folds.log",
    benchmark:
        "results/benchmarks/make_folds.tsv"
    conda:
        "../../envs/make_folds.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(5),
    params:
        settings=section("folds", timing=TIMING),
    message:
        "Folds over film time: what may be fitted and what is held out"
    shell:
        command(
            "make_folds.py",
            " --events {input.events:q} --film-info {input.film:q}"
            " --folds {output.folds:q} --settings {params.settings:q}",
        )


rule fit_baselines:
    input:
        code=code("fit_baselines.py"),
        source=source_of,
        target=target_of,
        known=[f"results/features/{name}.nc" for name in KNOWN],
        folds="results/folds.json",
    output:
        predictions=expand(
            "results/predictions/{{direction}}/{{unit}}/{model}.nc", model=FITTED
        ),
        strength="results/models/{direction}/{unit}_ridge.nc",
    log:
        "results/logs/fit_baselines/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/fit_baselines/{direction}_{unit}.tsv"
    conda:
        "../../envs/fit_baselines.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(60),
    params:
        settings=section("baselines", seed=config["seed"]),
        folder=subpath(output[0], parent=True),
    message:
        "Baselines of {wildcards.direction}, {wildcards.unit}"
    shell:
        command(
            "fit_baselines.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --target {input.target:q} --known {input.known:q} --folds {input.folds:q}"
            " --out {params.folder:q} --strength {output.strength:q} --settings {params.settings:q}",
        )


rule train_vae:
    input:
        code=code("train_vae.py"),
        source=source_of,
        target=target_of,
        folds="results/folds.json",
    output:
        prediction="results/predictions/{direction}/{unit}/vae.nc",
        model="results/models/{direction}/{unit}.safetensors",
        record="results/models/{direction}/{unit}.json",
        history="results/models/{direction}/{unit}_history.tsv",
        diagnostics="results/models/{direction}/{unit}_diagnostics.tsv",
    log:
        "results/logs/train_vae/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/train_vae/{direction}_{unit}.tsv"
    conda:
        "../../envs/train_vae.yaml"
    # Many small products: a second thread waits more than it works, another unit does not.
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
        gpu=GPU,
    params:
        settings=section("vae", seed=config["seed"], device=config["device"]),
        # No output: it must outlive a job that was killed.
        checkpoints="results/models/{direction}/.{unit}_checkpoint",
    message:
        "Variational autoencoder of {wildcards.direction}, {wildcards.unit}"
    shell:
        command(
            "train_vae.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --target {input.target:q} --folds {input.folds:q} --prediction {output.prediction:q}"
            " --model {output.model:q} --history {output.history:q}"
            " --diagnostics {output.diagnostics:q} --checkpoints {params.checkpoints:q}"
            " --settings {params.settings:q}",
        )


rule train_group:
    input:
        code=code("train_group.py"),
        source=source_of,
        members=[BOLD.format(unit=f"sub-{p}") for p in MEMBERS],
        newcomers=[BOLD.format(unit=f"sub-{p}") for p in NEWCOMERS],
        folds="results/folds.json",
    output:
        predictions=[
            f"results/predictions/{{direction}}/sub-{p}/vae-group.nc"
            for p in [*MEMBERS, *NEWCOMERS]
        ],
        model="results/models/{direction}/group.safetensors",
        record="results/models/{direction}/group.json",
        history="results/models/{direction}/group_history.tsv",
        diagnostics="results/models/{direction}/group_diagnostics.tsv",
    log:
        "results/logs/train_group/{direction}.log",
    benchmark:
        "results/benchmarks/train_group/{direction}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
    conda:
        "../../envs/train_group.yaml"
    threads: 2
    resources:
        # Thirty participants of 20,000 voxels and 641 volumes take 9 GB, and 12 minutes.
        mem_mb=memory(3000 + 400 * len(MEMBERS)),
        runtime=minutes(60 + 2 * len(MEMBERS)),
        gpu=GPU,
    params:
        settings=section("vae", seed=config["seed"], device=config["device"]),
        checkpoints="results/models/{direction}/.group_checkpoint",
    message:
        "Variational autoencoder of the group, {wildcards.direction}"
    shell:
        command(
            "train_group.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --members @<(printf '%s\\n' {input.members:q})"
            " --newcomers @<(printf '%s\\n' {input.newcomers:q}) --folds {input.folds:q}"
            " --predictions @<(printf '%s\\n' {output.predictions:q}) --model {output.model:q}"
            " --history {output.history:q} --diagnostics {output.diagnostics:q}"
            " --checkpoints {params.checkpoints:q}"
            " --settings {params.settings:q}",
        )


rule trace_latents:
    input:
        code=code("trace_latents.py"),
        source=source_of,
        # Any member's: all have the same rows.
        target=[BOLD.format(unit=f"sub-{p}") for p in MEMBERS[:1]],
        folds="results/folds.json",
        model="results/models/{direction}/group.safetensors",
        record="results/models/{direction}/group.json",
    output:
        course="results/latents/{direction}/group.nc",
    log:
        "results/logs/trace_latents/{direction}.log",
    benchmark:
        "results/benchmarks/trace_latents/{direction}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
    conda:
        "../../envs/trace_latents.yaml"
    threads: 1
    resources:
        # The bases of all folds: 12 of 64 by 600,000 values for thirty participants.
        mem_mb=memory(2000 + 150 * len(MEMBERS)),
        runtime=minutes(15),
    message:
        "Course of the group's latents through the film, {wildcards.direction}"
    shell:
        command(
            "trace_latents.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --target {input.target:q} --folds {input.folds:q} --model {input.model:q}"
            " --course {output.course:q}",
        )


rule stack_predictions:
    input:
        code=code("stack_predictions.py"),
        predictions=expand(
            "results/predictions/{{direction}}/{{unit}}/{model}.nc",
            model=["vae", "banded"],
        ),
    output:
        stack="results/predictions/{direction}/{unit}/vae-stack.nc",
    log:
        "results/logs/stack_predictions/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/stack_predictions/{direction}_{unit}.tsv"
    conda:
        "../../envs/stack_predictions.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    message:
        "VAE and banded ridge together: {wildcards.direction}, {wildcards.unit}"
    shell:
        command(
            "stack_predictions.py",
            " --predictions {input.predictions:q} --stack {output.stack:q}",
        )


# Made when asked for by name: every model of a unit is fitted to one fold twice, the second time with
# noise in place of what it must not see.
rule try_leakage:
    input:
        code=code("try_leakage.py"),
        source=source_of,
        target=target_of,
        known=[f"results/features/{name}.nc" for name in KNOWN],
        folds="results/folds.json",
    output:
        trial="results/leakage/{direction}/{unit}/fold-{fold}.tsv",
    log:
        "results/logs/try_leakage/{direction}_{unit}_{fold}.log",
    benchmark:
        "results/benchmarks/try_leakage/{direction}_{unit}_{fold}.tsv"
    conda:
        "../../envs/try_leakage.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        settings=json.dumps(
            {
                "baselines": {**config["baselines"], "seed": config["seed"]},
                "vae": {**config["vae"], "seed": config["seed"], "device": "cpu"},
            }
        ),
    message:
        "Whether models of {wildcards.unit} leak into fold {wildcards.fold}: {output.trial}"
    shell:
        command(
            "try_leakage.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --target {input.target:q} --known {input.known:q} --folds {input.folds:q}"
            " --fold {wildcards.fold:q} --trial {output.trial:q}"
            " --settings {params.settings:q}",
        )


rule check_leakage:
    input:
        code=code("check_leakage.py"),
        folds="results/folds.json",
        predictions=[
            f"results/predictions/{direction}/{unit}/{model}.nc"
            for direction, units in UNITS.items()
            for unit in units
            for model in MODELS[direction]
        ],
        decoded=decoded,
    output:
        leakage="results/leakage.json",
    log:
        "results/logs/check_leakage.log",
    benchmark:
        "results/benchmarks/check_leakage.tsv"
    conda:
        "../../envs/check_leakage.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        settings=section("folds"),
    message:
        "Proof that nothing held out was fitted: {output.leakage}"
    shell:
        command(
            "check_leakage.py",
            " --folds {input.folds:q}"
            " --predictions @<(printf '%s\\n' {input.predictions:q} {input.decoded:q})"
            " --leakage {output.leakage:q} --settings {params.settings:q}",
        )
