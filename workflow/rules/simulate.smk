rule simulate_film:
    input:
        code=code("simulate_film.py"),
    output:
        film="results/simulated/film.mp4",
        annotations=directory("results/simulated/bids/stimuli/annotations"),
        truth="results/simulated/truth/film_features.nc",
    log:
        "results/logs/simulate_film.log",
    benchmark:
        "results/benchmarks/simulate_film.tsv"
    conda:
        "../../envs/simulate_film.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        # The film depends neither on the participants nor on their images.
        settings=section(
            "simulation", seed=config["seed"], participants=None, images=None
        ),
    message:
        "Simulated film: {output.film}"
    shell:
        command(
            "simulate_film.py",
            " --film {output.film:q} --annotations {output.annotations:q}"
            " --truth {output.truth:q} --settings {params.settings:q}",
        )


rule watch_film:
    input:
        code=code("watch_film.py"),
        film=FILM,
        sound=FILM_SOUND,
        words=WORDS,
    output:
        truth="results/simulated/truth/own_film_features.nc",
    log:
        "results/logs/watch_film.log",
    benchmark:
        "results/benchmarks/watch_film.tsv"
    conda:
        "../../envs/watch_film.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        read=as_read(FILM, FILM_SOUND, WORDS),
        settings=section(
            "simulation",
            seed=config["seed"],
            streams=config["streams"],
            participants=None,
            images=None,
        ),
    message:
        "What the simulation sees and hears in the film: {output.truth}"
    shell:
        command(
            "watch_film.py",
            " --film {input.film:q} --sound {input.sound:q} --words {input.words:q}"
            " --truth {output.truth:q} --settings {params.settings:q}",
        )


rule simulate_participant:
    input:
        code=code("simulate_participant.py"),
        film_truth=FILM_TRUTH,
        head=[HEAD] if HEAD else [],
    output:
        t1w="results/simulated/bids/sub-{participant}/ses-mri3t/anat/sub-{participant}_ses-mri3t_run-1_T1w.nii.gz",
        t1w_json="results/simulated/bids/sub-{participant}/ses-mri3t/anat/sub-{participant}_ses-mri3t_run-1_T1w.json",
        bold="results/simulated/bids/sub-{participant}/ses-mri3t/func/sub-{participant}_ses-mri3t_task-film_run-1_bold.nii.gz",
        bold_json="results/simulated/bids/sub-{participant}/ses-mri3t/func/sub-{participant}_ses-mri3t_task-film_run-1_bold.json",
        events="results/simulated/bids/sub-{participant}/ses-mri3t/func/sub-{participant}_ses-mri3t_task-film_run-1_events.tsv",
        motion="results/simulated/truth/sub-{participant}_motion.tsv",
        spaces="results/simulated/truth/sub-{participant}_spaces.json",
        deformation="results/simulated/truth/sub-{participant}_deformation.nc",
        signal="results/simulated/truth/sub-{participant}_signal.nc",
        regions="results/simulated/truth/sub-{participant}_space-MNI_regions.nii.gz",
        tissue="results/simulated/truth/sub-{participant}_space-T1w_dseg.nii.gz",
        bias="results/simulated/truth/sub-{participant}_space-T1w_bias.nii.gz",
    log:
        "results/logs/simulate_participant/{participant}.log",
    benchmark:
        "results/benchmarks/simulate_participant/{participant}.tsv"
    conda:
        "../../envs/simulate_participant.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        runtime=minutes(20),
    params:
        read=as_read(HEAD),
        # One more participant changes nothing for the others.
        settings=section("simulation", seed=config["seed"], participants=None),
    message:
        "Simulated participant {wildcards.participant}: {output.bold}"
    shell:
        command(
            "simulate_participant.py",
            " --participant {wildcards.participant:q}"
            " --film-truth {input.film_truth:q} --bids results/simulated/bids --truth results/simulated/truth"
            " --settings {params.settings:q}",
        )


rule simulate_dataset:
    input:
        code=code("simulate_dataset.py"),
    output:
        description="results/simulated/bids/dataset_description.json",
        participants="results/simulated/bids/participants.tsv",
        participants_json="results/simulated/bids/participants.json",
        readme="results/simulated/bids/README",
    log:
        "results/logs/simulate_dataset.log",
    benchmark:
        "results/benchmarks/simulate_dataset.tsv"
    conda:
        "../../envs/simulate_dataset.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(5),
    params:
        settings=section("simulation", seed=config["seed"]),
    message:
        "Simulated data set: {output.description}"
    shell:
        command(
            "simulate_dataset.py",
            " --bids results/simulated/bids --settings {params.settings:q}",
        )
