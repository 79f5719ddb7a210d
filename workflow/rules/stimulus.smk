rule fetch_i3d_weights:
    input:
        # What it writes is fixed by checksums, so an edit of its code is no reason to fetch again,
        # and to run the network again after it.
        code=ancient(code("fetch_i3d_weights.py")),
        own=[config["i3d"]["weights"]] if config["i3d"]["weights"] else [],
    output:
        weights="results/weights/i3d_rgb.safetensors",
    log:
        "results/logs/fetch_i3d_weights.log",
    benchmark:
        "results/benchmarks/fetch_i3d_weights.tsv"
    conda:
        "../../envs/fetch_i3d_weights.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        read=as_read(config["i3d"]["weights"]),
        own="--own" if config["i3d"]["weights"] else "",
    message:
        "Weights of I3D: {output.weights}"
    shell:
        "python {input.code[0]:q} {params.own} {input.own:q} --weights {output.weights:q}"
        " > {log:q} 2>&1"


rule probe_film:
    input:
        code=code("probe_film.py"),
        validated=validated_before("results/stimulus/film.json"),
        film=FILM,
        sound=FILM_SOUND,
    output:
        frames="results/stimulus/frames.tsv",
        clock="results/stimulus/film.json",
    log:
        "results/logs/probe_film.log",
    benchmark:
        "results/benchmarks/probe_film.tsv"
    conda:
        "../../envs/probe_film.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(30),
    params:
        read=as_read(FILM, FILM_SOUND),
        settings=section("streams"),
    message:
        "True times of the film's frames: {output.frames}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --sound {input.sound:q} --frames {output.frames:q}"
        " --clock {output.clock:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('probe_film.py')}"


rule extract_i3d:
    input:
        code=code("extract_i3d.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        weights="results/weights/i3d_rgb.safetensors",
    output:
        features="results/stimulus/i3d_rgb.nc",
    log:
        "results/logs/extract_i3d.log",
    benchmark:
        "results/benchmarks/extract_i3d.tsv"
    conda:
        "../../envs/extract_i3d.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
        gpu=GPU,
    params:
        read=as_read(FILM),
        settings=section("i3d", device=config["device"]),
    message:
        "I3D features of the film: {output.features}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --clock {input.clock:q}"
        " --weights {input.weights:q} --features {output.features:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('extract_i3d.py')}"


rule resample_i3d:
    input:
        code=code("resample_i3d.py"),
        features="results/stimulus/i3d_rgb.nc",
        clock="results/stimulus/film.json",
    output:
        resampled="results/features/i3d_rgb.nc",
    log:
        "results/logs/resample_i3d.log",
    benchmark:
        "results/benchmarks/resample_i3d.tsv"
    group:
        "stimulus"
    conda:
        "../../envs/resample_i3d.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        settings=json.dumps(TIMING, sort_keys=True),
    message:
        "I3D features at the TRs: {output.resampled}"
    shell:
        "python {input.code[0]:q} --features {input.features:q} --clock {input.clock:q}"
        " --resampled {output.resampled:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('resample_i3d.py')}"


rule extract_spectrogram:
    input:
        code=code("extract_spectrogram.py"),
        film=FILM_SOUND or FILM,
        clock="results/stimulus/film.json",
    output:
        spectrogram="results/stimulus/{scale}.nc",
    log:
        "results/logs/extract_spectrogram/{scale}.log",
    benchmark:
        "results/benchmarks/extract_spectrogram/{scale}.tsv"
    conda:
        "../../envs/extract_spectrogram.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(10),
    params:
        read=as_read(FILM_SOUND or FILM),
        settings=section("spectrogram"),
    message:
        "Log {wildcards.scale} spectrogram of the film: {output.spectrogram}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --clock {input.clock:q}"
        " --scale {wildcards.scale:q} --spectrogram {output.spectrogram:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('extract_spectrogram.py')}"


rule resample_spectrogram:
    input:
        code=code("resample_spectrogram.py"),
        spectrogram="results/stimulus/{scale}.nc",
        clock="results/stimulus/film.json",
    output:
        resampled="results/features/{scale}.nc",
    log:
        "results/logs/resample_spectrogram/{scale}.log",
    benchmark:
        "results/benchmarks/resample_spectrogram/{scale}.tsv"
    group:
        "stimulus"
    conda:
        "../../envs/resample_spectrogram.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        settings=json.dumps(TIMING, sort_keys=True),
    message:
        "Log {wildcards.scale} spectrogram of each TR: {output.resampled}"
    shell:
        "python {input.code[0]:q} --spectrogram {input.spectrogram:q} --clock {input.clock:q}"
        " --resampled {output.resampled:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('resample_spectrogram.py')}"


rule tabulate_annotations:
    input:
        code=code("tabulate_annotations.py"),
        tables=ANNOTATIONS or [],
        events=EVENTS,
        clock="results/stimulus/film.json",
    output:
        # A film that nobody annotated has blocks alone.
        annotations=["results/features/annotations.nc"] if ANNOTATIONS else [],
        blocks="results/features/blocks.nc",
    log:
        "results/logs/tabulate_annotations.log",
    benchmark:
        "results/benchmarks/tabulate_annotations.tsv"
    group:
        "stimulus"
    conda:
        "../../envs/tabulate_annotations.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        read=as_read(ANNOTATIONS),
        settings=section("annotations", timing=TIMING),
        tables="--tables" if ANNOTATIONS else "",
        annotations="--annotations" if ANNOTATIONS else "",
    message:
        "Annotations and blocks at the TRs: {output.blocks}"
    shell:
        "python {input.code[0]:q} {params.tables} {input.tables:q} --events {input.events:q}"
        " --clock {input.clock:q} {params.annotations} {output.annotations:q}"
        " --blocks {output.blocks:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('tabulate_annotations.py')}"


rule extract_lowlevel:
    input:
        code=code("extract_lowlevel.py"),
        film=FILM,
        sound_file=FILM_SOUND,
        clock="results/stimulus/film.json",
        frames="results/stimulus/frames.tsv",
    output:
        pictures="results/stimulus/lowlevel_picture.nc",
        sound=["results/stimulus/lowlevel_sound.nc"] if HEARD else [],
    log:
        "results/logs/extract_lowlevel.log",
    benchmark:
        "results/benchmarks/extract_lowlevel.tsv"
    conda:
        "../../envs/extract_lowlevel.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(20),
    params:
        read=as_read(FILM, FILM_SOUND),
        settings=section("spectrogram"),
    message:
        "Low-level features of the film: {output.pictures}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --sound-file {input.sound_file:q} --clock {input.clock:q}"
        " --frames {input.frames:q} --pictures {output.pictures:q} --sound {output.sound:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('extract_lowlevel.py')}"


rule resample_lowlevel:
    input:
        code=code("resample_lowlevel.py"),
        features=[
            "results/stimulus/lowlevel_picture.nc",
            *(["results/stimulus/lowlevel_sound.nc"] if HEARD else []),
        ],
        clock="results/stimulus/film.json",
    output:
        resampled="results/features/lowlevel.nc",
    log:
        "results/logs/resample_lowlevel.log",
    benchmark:
        "results/benchmarks/resample_lowlevel.tsv"
    group:
        "stimulus"
    conda:
        "../../envs/resample_lowlevel.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        settings=json.dumps(TIMING, sort_keys=True),
    message:
        "Low-level features at the TRs: {output.resampled}"
    shell:
        "python {input.code[0]:q} --features {input.features:q} --clock {input.clock:q}"
        " --resampled {output.resampled:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('resample_lowlevel.py')}"


rule adapt_flow_weights:
    input:
        code=ancient(code("adapt_flow_weights.py")),
        rgb="results/weights/i3d_rgb.safetensors",
        own=[config["flow"]["weights"]] if config["flow"]["weights"] else [],
    output:
        weights="results/weights/i3d_flow.safetensors",
    log:
        "results/logs/adapt_flow_weights.log",
    benchmark:
        "results/benchmarks/adapt_flow_weights.tsv"
    conda:
        "../../envs/adapt_flow_weights.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        read=as_read(config["flow"]["weights"]),
        own="--own" if config["flow"]["weights"] else "",
    message:
        "Weights of I3D for optical flow: {output.weights}"
    shell:
        "python {input.code[0]:q} {params.own} {input.own:q} --rgb {input.rgb:q}"
        " --weights {output.weights:q} > {log:q} 2>&1"


rule extract_i3d_flow:
    input:
        code=code("extract_i3d_flow.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        weights="results/weights/i3d_flow.safetensors",
    output:
        features="results/stimulus/i3d_flow.nc",
    log:
        "results/logs/extract_i3d_flow.log",
    benchmark:
        "results/benchmarks/extract_i3d_flow.tsv"
    conda:
        "../../envs/extract_i3d_flow.yaml"
    threads: 2
    resources:
        mem_mb=memory(3000),
        runtime=minutes(180),
        gpu=GPU,
    params:
        read=as_read(FILM),
        settings=section(
            "i3d",
            device=config["device"],
            flow={k: v for k, v in config["flow"].items() if k != "weights"},
        ),
    message:
        "I3D features of the film's optical flow: {output.features}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --clock {input.clock:q}"
        " --weights {input.weights:q} --features {output.features:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('extract_i3d_flow.py')}"


use rule resample_i3d as resample_i3d_flow with:
    input:
        code=code("resample_i3d.py"),
        features="results/stimulus/i3d_flow.nc",
        clock="results/stimulus/film.json",
    output:
        resampled="results/features/i3d_flow.nc",
    log:
        "results/logs/resample_i3d_flow.log",
    benchmark:
        "results/benchmarks/resample_i3d_flow.tsv"
    message:
        "I3D features of optical flow at the TRs: {output.resampled}"


rule extract_r2plus1d:
    input:
        code=code("extract_r2plus1d.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        # The script finds the files in it by the settings.
        weights=(
            [config["backbones"]["r2plus1d"]["weights"]]
            if config["backbones"]["r2plus1d"]["weights"]
            else []
        ),
    output:
        features="results/stimulus/r2plus1d.nc",
    log:
        "results/logs/extract_r2plus1d.log",
    benchmark:
        "results/benchmarks/extract_r2plus1d.tsv"
    conda:
        "../../envs/extract_r2plus1d.yaml"
    threads: 2
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
        gpu=GPU,
    params:
        read=as_read(FILM, config["backbones"]["r2plus1d"]["weights"]),
        settings=json.dumps(
            {**config["backbones"]["r2plus1d"], "device": config["device"]},
            sort_keys=True,
        ),
    message:
        "R(2+1)D features of the film: {output.features}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --clock {input.clock:q}"
        " --features {output.features:q} --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('extract_r2plus1d.py')}"


rule extract_transformer:
    input:
        code=code("extract_transformer.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        weights=lambda wildcards: config["backbones"][wildcards.backbone]["weights"]
        or [],
    output:
        features="results/stimulus/{backbone}.nc",
    log:
        "results/logs/extract_transformer/{backbone}.log",
    benchmark:
        "results/benchmarks/extract_transformer/{backbone}.tsv"
    wildcard_constraints:
        backbone="timesformer|videomae|vjepa2",
    conda:
        "../../envs/extract_transformer.yaml"
    threads: 2
    resources:
        mem_mb=memory(6000),
        runtime=minutes(240),
        gpu=GPU,
    params:
        read=as_read(
            FILM, lambda wildcards: config["backbones"][wildcards.backbone]["weights"]
        ),
        settings=lambda wildcards: json.dumps(
            {**config["backbones"][wildcards.backbone], "device": config["device"]},
            sort_keys=True,
        ),
    message:
        "{wildcards.backbone} features of the film: {output.features}"
    shell:
        "python {input.code[0]:q} --backbone {wildcards.backbone} --film {input.film:q}"
        " --clock {input.clock:q} --features {output.features:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('extract_transformer.py')}"


use rule resample_i3d as resample_backbone with:
    input:
        code=code("resample_i3d.py"),
        features="results/stimulus/{backbone}.nc",
        clock="results/stimulus/film.json",
    output:
        resampled="results/features/{backbone}.nc",
    log:
        "results/logs/resample_backbone/{backbone}.log",
    benchmark:
        "results/benchmarks/resample_backbone/{backbone}.tsv"
    wildcard_constraints:
        backbone="r2plus1d|timesformer|videomae|vjepa2",
    message:
        "{wildcards.backbone} features at the TRs: {output.resampled}"


rule draw_stimulus:
    input:
        code=code("draw_stimulus.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        mel=["results/stimulus/mel.nc"] if HEARD else [],
        tables=ANNOTATIONS or [],
        events=EVENTS,
        features=[
            "results/features/i3d_rgb.nc",
            *(["results/features/mel.nc"] if HEARD else []),
            "results/features/lowlevel.nc",
            *rules.tabulate_annotations.output,
        ],
    output:
        sheet=report(
            "results/stimulus/sheet.png",
            caption="../report/sheet.rst",
            category="Film",
            labels={"figure": "sheet"},
        ),
    log:
        "results/logs/draw_stimulus.log",
    benchmark:
        "results/benchmarks/draw_stimulus.tsv"
    conda:
        "../../envs/draw_stimulus.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=minutes(10),
    params:
        read=as_read(FILM, ANNOTATIONS),
        settings=json.dumps(TIMING, sort_keys=True),
        tables="--tables" if ANNOTATIONS else "",
    message:
        "Sheet to check the film by: {output.sheet}"
    shell:
        "python {input.code[0]:q} --film {input.film:q} --clock {input.clock:q}"
        " --mel {input.mel:q} {params.tables} {input.tables:q} --events {input.events:q}"
        " --features {input.features:q} --sheet {output.sheet:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"
        f"{sources('draw_stimulus.py')}"
