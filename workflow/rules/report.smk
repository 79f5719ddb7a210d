# Whose maps are drawn; of a single participant there is no group.
MAPPED = UNITS.get("video2bold", [])
MAPPED = [*(["group"] if len(MAPPED) > 1 else []), *MAPPED]


rule draw_maps:
    input:
        code=code("draw_maps.py"),
        maps=expand(
            "results/maps/video2bold/{{unit}}/{model}_r.nii.gz", model=["vae", "ridge"]
        ),
    output:
        figure=report(
            "results/maps/video2bold/{unit}.png",
            caption="../report/maps.rst",
            category="Maps",
            labels={"participant": "{unit}"},
        ),
    log:
        "results/logs/draw_maps/{unit}.log",
    benchmark:
        "results/benchmarks/draw_maps/{unit}.tsv"
    wildcard_constraints:
        unit="group|sub-[A-Za-z0-9]+",
    conda:
        "../../envs/draw_maps.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    message:
        "Picture of the maps of {wildcards.unit}"
    shell:
        "python {input.code[0]:q} --maps {input.maps:q} --names vae ridge"
        " --figure {output.figure:q} > {log:q} 2>&1"


rule write_methods:
    input:
        code=code("write_methods.py"),
        inputs="results/inputs.json",
        film="results/stimulus/film.json",
        folds="results/folds.json",
        cleaned=[
            "results/cleaned/{}/func/{}_space-{}_desc-cleaned_bold.json".format(
                run.folder, run.name, ANALYSIS_SPACE
            )
            for run in runs
        ],
        dataset=f"{BIDS_DIR}/dataset_description.json",
        references=project_file("workflow/datasets/references.tsv"),
        derivatives=f"{DERIVATIVES}/dataset_description.json" if DERIVATIVES else [],
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
        derivatives="--derivatives" if DERIVATIVES else "",
        settings=json.dumps({"simulated": SIMULATED, "configuration": config}),
    message:
        "Methods section: {output.text}"
    shell:
        "python {input.code[0]:q} --inputs {input.inputs:q} --film {input.film:q}"
        " --folds {input.folds:q} --cleaned results/cleaned --dataset {input.dataset:q}"
        " {params.derivatives} {input.derivatives:q} --references {input.references:q} --text {output.text:q}"
        " --section {output.section:q} --settings {params.settings:q} > {log:q} 2>&1"


rule render_report:
    input:
        code=code("render_report.py"),
        template=project_file("workflow/report/report.html.j2"),
        requirements=project_file("requirements.txt"),
        inputs="results/inputs.json",
        summary="results/scores/summary.tsv",
        partition=[
            f"results/partition/{unit}.tsv" for unit in UNITS.get("video2bold", [])
        ],
        ceiling="results/scores/ceiling.tsv" if "video2bold" in UNITS else [],
        folds="results/folds.json",
        leakage="results/leakage.json",
        film="results/stimulus/film.json",
        sheet="results/stimulus/sheet.png",
        maps=[f"results/maps/video2bold/{unit}.png" for unit in MAPPED],
        sounds=[
            f"results/sounds/{direction}/{unit}"
            for direction in UNITS
            if direction.endswith("audio")
            for unit in UNITS[direction]
        ],
        sound_scores=[
            f"results/scores/sounds/{direction}/{unit}.tsv"
            for direction in UNITS
            if direction.endswith("audio")
            for unit in UNITS[direction]
        ],
        confounds=[confounds_of(run) for run in RUNS.values()],
        figures=sorted(
            {picture for run in RUNS.values() for picture in figures_of(run)}
        ),
        descriptions=[
            f"results/{folder}/dataset_description.json"
            for folder in ([] if DERIVATIVES else ["preprocessed"]) + ["cleaned"]
        ],
    output:
        index="results/report/index.html",
        assets=directory("results/report/assets"),
    log:
        "results/logs/render_report.log",
    benchmark:
        "results/benchmarks/render_report.tsv"
    conda:
        "../../envs/render_report.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        ceiling="--ceiling" if "video2bold" in UNITS else "",
        settings=json.dumps(
            {
                "simulation": config["simulation"] if SIMULATED else None,
                "configuration": config,
            }
        ),
    message:
        "Report: {output.index}"
    shell:
        "python {input.code[0]:q} --template {input.template:q} --inputs {input.inputs:q}"
        " --summary {input.summary:q} --folds {input.folds:q} --leakage {input.leakage:q}"
        " {params.ceiling} {input.ceiling:q} --film {input.film:q} --sheet {input.sheet:q} --requirements {input.requirements:q}"
        " --maps @<(printf '%s\\n' {input.maps:q})"
        " --sounds @<(printf '%s\\n' {input.sounds:q})"
        " --sound-scores @<(printf '%s\\n' {input.sound_scores:q})"
        " --confounds @<(printf '%s\\n' {input.confounds:q})"
        " --figures @<(printf '%s\\n' {input.figures:q})"
        " --index {output.index:q} --assets {output.assets:q} --settings {params.settings:q} > {log:q} 2>&1"
