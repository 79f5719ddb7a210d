rule validate_inputs:
    input:
        code=code("validate_inputs.py"),
        film=FILM,
        description=f"{STUDY['bids_dir']}/dataset_description.json",
        bold=[run.bold for run in RUNS.values()],
        sidecars=sorted({path for run in RUNS.values() for path in run.sidecars}),
        events=sorted({run.events for run in RUNS.values()}),
        t1w=sorted({run.t1w for run in RUNS.values() if run.t1w}),
    output:
        inputs="results/inputs.json",
    log:
        "results/logs/validate_inputs.log",
    benchmark:
        "results/benchmarks/validate_inputs.tsv"
    # What is wrong with the input is said first: every heavy step waits for this one (VALIDATED).
    priority: 100
    conda:
        "../../envs/validate_inputs.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        settings=json.dumps({"study": STUDY, "timing": TIMING}, sort_keys=True),
    message:
        "Checks of the input: {output.inputs}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --inputs {output.inputs:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"
