rule score_predictions:
    input:
        code=code("score_predictions.py"),
        target=target_of,
        predictions=predictions_of,
        kinds="results/features/blocks.nc",
        strength="results/models/{direction}/{unit}_ridge.nc",
    output:
        scores="results/scores/{direction}/{unit}.tsv",
        voxels="results/scores/{direction}/{unit}_voxels.nc",
    log:
        "results/logs/score_predictions/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/score_predictions/{direction}_{unit}.tsv"
    conda:
        "../../envs/score_predictions.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(15),
    params:
        settings=section("evaluation"),
    message:
        "Scores of {wildcards.direction}, {wildcards.unit}"
    shell:
        command(
            "score_predictions.py",
            " --direction {wildcards.direction:q} --unit {wildcards.unit:q}"
            " --target {input.target:q} --predictions {input.predictions:q} --scores {output.scores:q}"
            " --strength {input.strength:q} --kinds {input.kinds:q} --voxels {output.voxels:q}"
            " --settings {params.settings:q}",
        )


rule score_pooled:
    input:
        code=code("score_pooled.py"),
        target=target_of,
        predictions=lambda wildcards: [
            f"results/predictions/{wildcards.direction}/{unit}/{model}.nc"
            for model in ("mean", "blocks", "vae", "ridge", "shuffled")
            for unit in UNITS[wildcards.direction]
        ],
        kinds="results/features/blocks.nc",
    output:
        scores="results/pooled/{direction}.tsv",
    log:
        "results/logs/score_pooled/{direction}.log",
    benchmark:
        "results/benchmarks/score_pooled/{direction}.tsv"
    wildcard_constraints:
        direction=one_of(POOLED),
    conda:
        "../../envs/score_pooled.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000 + 50 * len(PARTICIPANTS)),
        runtime=minutes(10 + len(PARTICIPANTS)),
    params:
        settings=section("evaluation"),
    message:
        "What several brains tell together: {wildcards.direction}"
    shell:
        command(
            "score_pooled.py",
            " --direction {wildcards.direction:q} --target {input.target:q}"
            " --predictions @<(printf '%s\\n' {input.predictions:q}) --kinds {input.kinds:q}"
            " --scores {output.scores:q} --settings {params.settings:q}",
        )


rule estimate_ceiling:
    input:
        code=code("estimate_ceiling.py"),
        bold=[f"results/bold/sub-{participant}.nc" for participant in PARTICIPANTS],
        folds="results/folds.json",
    output:
        table="results/scores/ceiling.tsv",
        voxels=directory("results/scores/ceiling"),
    log:
        "results/logs/estimate_ceiling.log",
    benchmark:
        "results/benchmarks/estimate_ceiling.tsv"
    conda:
        "../../envs/estimate_ceiling.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(10 + 2 * len(PARTICIPANTS)),
    params:
        settings=json.dumps(
            {
                key: config["evaluation"][key]
                for key in ("seed", "surrogates", "draws", "block")
            }
        ),
    message:
        "Ceiling: what the others tell of each participant"
    shell:
        command(
            "estimate_ceiling.py",
            " --bold @<(printf '%s\\n' {input.bold:q})"
            " --folds {input.folds:q} --table {output.table:q} --voxels {output.voxels:q} --settings {params.settings:q}",
        )


rule score_persistence:
    input:
        code=code("score_persistence.py"),
        bold=[f"results/bold/sub-{participant}.nc" for participant in PARTICIPANTS],
        series=[
            preprocessed_file(run, f"space-{SPACE}_desc-preproc_bold.nii.gz", "bold")
            for run in RUNS.values()
        ],
        masks=[
            preprocessed_file(run, f"space-{SPACE}_desc-brain_mask.nii.gz", "mask")
            for run in RUNS.values()
        ],
        folds="results/folds.json",
    output:
        table="results/scores/persistence.tsv",
    log:
        "results/logs/score_persistence.log",
    benchmark:
        "results/benchmarks/score_persistence.tsv"
    conda:
        "../../envs/score_persistence.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(10 + len(RUNS)),
    params:
        read=(
            as_read(
                [run.bold for run in RUNS.values()],
                [run.mask for run in RUNS.values()],
            )
            if RESAMPLED
            else ""
        ),
        units=[f"sub-{run.participant}" for run in RUNS.values()],
    message:
        "What the volume before tells of each: {output.table}"
    shell:
        command(
            "score_persistence.py",
            " --bold @<(printf '%s\\n' {input.bold:q})"
            " --series @<(printf '%s\\n' {input.series:q}) --masks @<(printf '%s\\n' {input.masks:q})"
            " --units @<(printf '%s\\n' {params.units:q}) --folds {input.folds:q}"
            " --table {output.table:q}",
        )


rule map_predictions:
    input:
        code=code("map_predictions.py"),
        bold="results/bold/{unit}.nc",
        prediction="results/predictions/{direction}/{unit}/{model}.nc",
        voxels="results/scores/{direction}/{unit}_voxels.nc",
        folds="results/folds.json",
    output:
        r="results/maps/{direction}/{unit}/{model}_r.nii.gz",
        q="results/maps/{direction}/{unit}/{model}_q.nii.gz",
        bold="results/maps/{direction}/{unit}/{model}_bold.nii.gz",
    log:
        "results/logs/map_predictions/{direction}_{unit}_{model}.log",
    benchmark:
        "results/benchmarks/map_predictions/{direction}_{unit}_{model}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
        model="(?!ceiling)[a-z0-9_-]+",
    conda:
        "../../envs/map_predictions.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    message:
        "Map and predicted BOLD of {wildcards.model}, {wildcards.direction}, {wildcards.unit}"
    shell:
        command(
            "map_predictions.py",
            " --bold {input.bold:q} --prediction {input.prediction:q}"
            " --voxels {input.voxels:q} --folds {input.folds:q} --model {wildcards.model:q}"
            " --r-map {output.r:q} --q-map {output.q:q} --predicted {output.bold:q}",
        )


rule map_ceiling:
    input:
        code=code("map_ceiling.py"),
        ceiling="results/scores/ceiling",
        voxels="results/scores/{direction}/{unit}_voxels.nc",
        bold="results/bold/{unit}.nc",
    output:
        r="results/maps/{direction}/{unit}/ceiling_r.nii.gz",
        q="results/maps/{direction}/{unit}/ceiling_q.nii.gz",
        normalised=expand(
            "results/maps/{{direction}}/{{unit}}/{model}_normalised.nii.gz",
            model=["vae", "ridge"],
        ),
        table="results/scores/normalised/{direction}/{unit}.tsv",
    log:
        "results/logs/map_ceiling/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/map_ceiling/{direction}_{unit}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
    conda:
        "../../envs/map_ceiling.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    message:
        "Ceiling of {wildcards.unit}, and models of {wildcards.direction} as shares of it"
    shell:
        command(
            "map_ceiling.py",
            " --unit {wildcards.unit:q}"
            " --ceiling {input.ceiling:q}/{wildcards.unit:q}.nc --voxels {input.voxels:q}"
            " --bold {input.bold:q} --r-map {output.r:q} --q-map {output.q:q}"
            " --normalised {output.normalised:q} --table {output.table:q}",
        )


rule map_group:
    input:
        code=code("map_group.py"),
        bold=[f"results/bold/sub-{participant}.nc" for participant in PARTICIPANTS],
        predictions=of_everyone("results/predictions/{direction}/{unit}/{model}.nc"),
        strengths=of_everyone("results/models/{direction}/{unit}_ridge.nc"),
        folds="results/folds.json",
    output:
        maps=expand(
            "results/maps/{{direction}}/group/{{model}}_{statistic}.nii.gz",
            statistic=["r", "q", "pmax", "t", "q-participants", "pmax-participants"],
        ),
    log:
        "results/logs/map_group/{direction}_{model}.log",
    benchmark:
        "results/benchmarks/map_group/{direction}_{model}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
    conda:
        "../../envs/map_group.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000 + 20 * len(PARTICIPANTS)),
        runtime=minutes(10 + len(PARTICIPANTS)),
    params:
        settings=json.dumps(
            {
                "seed": config["evaluation"]["seed"],
                "n": config["evaluation"]["surrogates"],
            }
        ),
    message:
        "Map of {wildcards.model} over participants, {wildcards.direction}"
    shell:
        command(
            "map_group.py",
            " --bold @<(printf '%s\\n' {input.bold:q})"
            " --predictions @<(printf '%s\\n' {input.predictions:q})"
            " --strengths @<(printf '%s\\n' {input.strengths:q})"
            " --folds {input.folds:q} --out {output.maps:q} --settings {params.settings:q}",
        )


rule project_maps:
    input:
        code=code("project_maps.py"),
        maps=lambda wildcards: maps_of(wildcards.direction, wildcards.unit),
    output:
        surfaces=directory("results/surfaces/{direction}/{unit}"),
    log:
        "results/logs/project_maps/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/project_maps/{direction}_{unit}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
        unit="group|sub-[A-Za-z0-9]+",
    conda:
        "../../envs/project_maps.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    message:
        "Maps of {wildcards.unit} on the surface, {wildcards.direction}"
    shell:
        command(
            "project_maps.py",
            " --unit {wildcards.unit:q} --maps {input.maps:q}"
            " --surfaces {output.surfaces:q}",
        )


rule score_regions:
    input:
        code=code("score_regions.py"),
        bold=[f"results/bold/sub-{participant}.nc" for participant in PARTICIPANTS],
        predictions=of_everyone("results/predictions/{direction}/{unit}/{model}.nc"),
        strengths=of_everyone("results/models/{direction}/{unit}_ridge.nc"),
    output:
        table="results/scores/regions/{direction}/{model}.tsv",
    log:
        "results/logs/score_regions/{direction}_{model}.log",
    benchmark:
        "results/benchmarks/score_regions/{direction}_{model}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
        model="(?!sub-)[a-z0-9-]+",
    conda:
        "../../envs/score_regions.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000 + 20 * len(PARTICIPANTS)),
        runtime=minutes(10 + len(PARTICIPANTS)),
    params:
        settings=json.dumps({"seed": config["evaluation"]["seed"]}),
    message:
        "Regions that {wildcards.model} predicts, {wildcards.direction}"
    shell:
        command(
            "score_regions.py",
            " --bold @<(printf '%s\\n' {input.bold:q})"
            " --predictions @<(printf '%s\\n' {input.predictions:q})"
            " --strengths @<(printf '%s\\n' {input.strengths:q})"
            " --table {output.table:q} --settings {params.settings:q}",
        )


rule partition_variance:
    input:
        code=code("partition_variance.py"),
        tables=tables_of(PARTITIONED),
        bold=BOLD,
        folds="results/folds.json",
    output:
        shares="results/partition/{unit}.tsv",
        voxels="results/partition/{unit}.nc",
        maps=expand("results/maps/partition/{{unit}}/{space}.nii.gz", space=PARTITIONED),
    log:
        "results/logs/partition_variance/{unit}.log",
    benchmark:
        "results/benchmarks/partition_variance/{unit}.tsv"
    conda:
        "../../envs/partition_variance.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(30),
    params:
        settings=section(
            "baselines",
            spaces=PARTITIONED,
            seed=config["seed"],
            resamplings=config["evaluation"]["draws"],
            block=config["evaluation"]["block"],
            resampling_seed=config["evaluation"]["seed"],
        ),
    message:
        "What each feature space explains in {wildcards.unit}"
    shell:
        command(
            "partition_variance.py",
            " --unit {wildcards.unit:q} --tables {input.tables:q}"
            " --bold {input.bold:q} --folds {input.folds:q}"
            " --shares {output.shares:q} --voxels {output.voxels:q} --maps {output.maps:q}"
            " --settings {params.settings:q}",
        )


rule draw_modalities:
    input:
        code=code("draw_modalities.py"),
        explained="results/partition/{unit}.nc",
        bold=BOLD,
    output:
        winner="results/modalities/{unit}_winner.nii.gz",
        figure=report(
            "results/modalities/{unit}.png",
            caption="../report/modalities.rst",
            category="Maps",
            labels={"participant": "{unit}", "figure": "modalities"},
        ),
    log:
        "results/logs/draw_modalities/{unit}.log",
    benchmark:
        "results/benchmarks/draw_modalities/{unit}.tsv"
    conda:
        "../../envs/draw_modalities.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    message:
        "Which modality explains which voxel of {wildcards.unit}"
    shell:
        command(
            "draw_modalities.py",
            " --explained {input.explained:q} --bold {input.bold:q}"
            " --winner {output.winner:q} --figure {output.figure:q}",
        )


# Made when asked for by name: as many fits as there are spaces and modalities.
rule leave_out_spaces:
    input:
        code=code("leave_out_spaces.py"),
        tables=tables_of(PARTITIONED),
        bold=BOLD,
        folds="results/folds.json",
    output:
        losses="results/partition/{unit}_left_out.tsv",
        voxels="results/partition/{unit}_left_out.nc",
    log:
        "results/logs/leave_out_spaces/{unit}.log",
    benchmark:
        "results/benchmarks/leave_out_spaces/{unit}.tsv"
    conda:
        "../../envs/leave_out_spaces.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        settings=section(
            "baselines",
            groups=groups_to_leave_out(PARTITIONED),
            seed=config["seed"],
            resamplings=config["evaluation"]["draws"],
            block=config["evaluation"]["block"],
            resampling_seed=config["evaluation"]["seed"],
        ),
    message:
        "What is lost of {wildcards.unit} without each feature space"
    shell:
        command(
            "leave_out_spaces.py",
            " --unit {wildcards.unit:q} --tables {input.tables:q}"
            " --bold {input.bold:q} --folds {input.folds:q} --losses {output.losses:q}"
            " --voxels {output.voxels:q} --settings {params.settings:q}",
        )


rule find_delays:
    input:
        code=code("find_delays.py"),
        source=source_of,
        target=target_of,
        folds="results/folds.json",
        scores="results/scores/{direction}/{unit}_voxels.nc",
    output:
        choices="results/delays/{direction}/{unit}.tsv",
        delays="results/delays/{direction}/{unit}.nc",
        map="results/maps/{direction}/{unit}/best_delay.nii.gz",
    log:
        "results/logs/find_delays/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/find_delays/{direction}_{unit}.tsv"
    wildcard_constraints:
        direction=one_of(FILM_TO_BOLD),
    conda:
        "../../envs/find_delays.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        settings=section("baselines", seed=config["seed"]),
    message:
        "Delays by which {wildcards.unit} follows the film, {wildcards.direction}"
    shell:
        command(
            "find_delays.py",
            " --direction {wildcards.direction:q} --source {input.source:q}"
            " --target {input.target:q} --folds {input.folds:q} --scores {input.scores:q}"
            " --choices {output.choices:q} --delays {output.delays:q} --map {output.map:q}"
            " --settings {params.settings:q}",
        )


rule average_regions:
    input:
        code=code("average_regions.py"),
        bold="results/bold/{unit}.nc",
        predictions=expand(
            "results/predictions/{{direction}}/{{unit}}/{model}.nc",
            model=["vae", "ridge"],
        ),
        strength="results/models/{direction}/{unit}_ridge.nc",
    output:
        series="results/regions/{direction}/{unit}.tsv",
        scores="results/regions/{direction}/{unit}_scores.tsv",
    log:
        "results/logs/average_regions/{direction}_{unit}.log",
    benchmark:
        "results/benchmarks/average_regions/{direction}_{unit}.tsv"
    wildcard_constraints:
        direction=one_of(TO_BOLD),
    conda:
        "../../envs/average_regions.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(10),
    message:
        "Regions of {wildcards.unit}, measured and predicted by {wildcards.direction}"
    shell:
        command(
            "average_regions.py",
            " --bold {input.bold:q} --predictions {input.predictions:q}"
            " --strength {input.strength:q} --series {output.series:q} --scores {output.scores:q}",
        )


rule summarise_scores:
    input:
        code=code("summarise_scores.py"),
        scores=[
            f"results/scores/{direction}/{unit}.tsv"
            for direction, units in UNITS.items()
            for unit in units
        ],
        voxels=[
            f"results/scores/{direction}/{unit}_voxels.nc"
            for direction, units in UNITS.items()
            for unit in units
        ],
        inputs="results/inputs.json",
    output:
        summary="results/scores/summary.tsv",
        participants="results/scores/participants.tsv",
    log:
        "results/logs/summarise_scores.log",
    benchmark:
        "results/benchmarks/summarise_scores.tsv"
    conda:
        "../../envs/summarise_scores.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    message:
        "Summary of the scores: {output.summary}"
    shell:
        command(
            "summarise_scores.py",
            " --scores @<(printf '%s\\n' {input.scores:q})"
            " --voxels @<(printf '%s\\n' {input.voxels:q})"
            " --inputs {input.inputs:q} --summary {output.summary:q}"
            " --participants {output.participants:q}",
        )
