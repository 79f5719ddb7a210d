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
    message:
        "Weights of I3D: {output.weights}"
    shell:
        "python {input.code[0]:q} --own {input.own:q} --weights {output.weights:q}"
        " > {log:q} 2>&1"


if FILM:

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
            command(
                "probe_film.py",
                " --film {input.film:q} --sound {input.sound:q} --frames {output.frames:q}"
                " --clock {output.clock:q} --settings {params.settings:q}",
            )

else:

    # The length of a film of which there is no file, by what else there is.
    rule time_film:
        input:
            code=code("time_film.py"),
            validated=validated_before("results/stimulus/film.json"),
            events=MARKED,
            tables=OWN_TABLES,
            annotations=ANNOTATIONS or [],
        output:
            clock="results/stimulus/film.json",
        log:
            "results/logs/time_film.log",
        benchmark:
            "results/benchmarks/time_film.tsv"
        conda:
            "../../envs/time_film.yaml"
        threads: 1
        resources:
            mem_mb=memory(500),
            runtime=minutes(5),
        params:
            read=as_read(
                MARKED,
                OWN_TABLES,
                ANNOTATIONS,
            ),
            tables=json.dumps(config["own_features"], sort_keys=True),
            settings=section("blocks", onsets=BLOCK_ONSETS),
        message:
            "Length of the film: {output.clock}"
        shell:
            command(
                "time_film.py",
                " --events {input.events:q} --tables {params.tables:q}"
                " --annotations {input.annotations:q} --clock {output.clock:q}"
                " --settings {params.settings:q}",
            )


rule extract_i3d:
    input:
        code=code("extract_i3d.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        weights="results/weights/i3d_{stream}.safetensors",
    output:
        features="results/stimulus/i3d_{stream}{layer}.nc",
    log:
        "results/logs/extract_i3d/{stream}{layer}.log",
    benchmark:
        "results/benchmarks/extract_i3d/{stream}{layer}.tsv"
    wildcard_constraints:
        stream="rgb|flow",
        layer=LAYER,
    conda:
        "../../envs/extract_i3d.yaml"
    threads: 2
    resources:
        mem_mb=memory(3000),
        runtime=minutes(180),
        gpu=GPU,
    params:
        read=as_read(FILM),
        settings=i3d_settings,
    message:
        "I3D features of the film, {wildcards.stream}: {output.features}"
    shell:
        command(
            "extract_i3d.py",
            " --film {input.film:q} --clock {input.clock:q}"
            " --weights {input.weights:q} --features {output.features:q}"
            " --settings {params.settings:q}",
        )


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
        command(
            "extract_spectrogram.py",
            " --film {input.film:q} --clock {input.clock:q}"
            " --scale {wildcards.scale:q} --spectrogram {output.spectrogram:q} --settings {params.settings:q}",
        )


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
    message:
        "Annotations and blocks at the TRs: {output.blocks}"
    shell:
        command(
            "tabulate_annotations.py",
            " --tables {input.tables:q} --events {input.events:q}"
            " --clock {input.clock:q} --annotations {output.annotations:q}"
            " --blocks {output.blocks:q} --settings {params.settings:q}",
        )


rule extract_lowlevel:
    input:
        code=code("extract_lowlevel.py"),
        film=FILM,
        sound_file=FILM_SOUND,
        clock="results/stimulus/film.json",
        frames="results/stimulus/frames.tsv",
    output:
        video="results/stimulus/lowlevel_video.nc",
        sound=["results/stimulus/lowlevel_audio.nc"] if STIMULUS["sound"] else [],
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
        "Low-level features of the film: {output.video}"
    shell:
        command(
            "extract_lowlevel.py",
            " --film {input.film:q} --sound-file {input.sound_file:q} --clock {input.clock:q}"
            " --frames {input.frames:q} --video {output.video:q} --sound {output.sound:q}"
            " --settings {params.settings:q}",
        )


rule extract_modulation:
    input:
        code=code("extract_modulation.py"),
        film=FILM_SOUND or FILM,
        clock="results/stimulus/film.json",
    output:
        features="results/stimulus/modulation.nc",
    log:
        "results/logs/extract_modulation.log",
    benchmark:
        "results/benchmarks/extract_modulation.tsv"
    conda:
        "../../envs/extract_modulation.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        read=as_read(FILM_SOUND or FILM),
        settings=section("spectrogram"),
    message:
        "Spectro-temporal modulation of the film's sound: {output.features}"
    shell:
        command(
            "extract_modulation.py",
            " --film {input.film:q} --clock {input.clock:q}"
            " --features {output.features:q} --settings {params.settings:q}",
        )


# As networks/language_models.py has them.
LANGUAGE_MODEL = "causal_lm|masked_lm"
# As networks/sound_networks.py has them.
SOUND_NETWORK = "speech_activity|voice|pitch"


rule fetch_sound_weights:
    input:
        code=ancient(code("fetch_sound_weights.py")),
        own=config["sound_networks"]["weights"] or [],
    output:
        weights="results/weights/{network}.safetensors",
    log:
        "results/logs/fetch_sound_weights/{network}.log",
    benchmark:
        "results/benchmarks/fetch_sound_weights/{network}.tsv"
    wildcard_constraints:
        network=SOUND_NETWORK,
    conda:
        "../../envs/fetch_sound_weights.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        read=as_read(config["sound_networks"]["weights"]),
    message:
        "Weights of {wildcards.network}: {output.weights}"
    shell:
        "python {input.code[0]:q} --network {wildcards.network} --own {input.own:q}"
        " --weights {output.weights:q} > {log:q} 2>&1"


rule extract_sound_network:
    input:
        code=code("extract_sound_network.py"),
        film=FILM_SOUND or FILM,
        clock="results/stimulus/film.json",
        weights="results/weights/{network}.safetensors",
    output:
        features="results/stimulus/{network}.nc",
    log:
        "results/logs/extract_sound_network/{network}.log",
    benchmark:
        "results/benchmarks/extract_sound_network/{network}.tsv"
    wildcard_constraints:
        network=SOUND_NETWORK,
    conda:
        "../../envs/extract_sound_network.yaml"
    threads: 2
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        read=as_read(FILM_SOUND or FILM),
    message:
        "{wildcards.network} features of the film's sound: {output.features}"
    shell:
        command(
            "extract_sound_network.py",
            " --network {wildcards.network} --film {input.film:q}"
            " --clock {input.clock:q} --weights {input.weights:q} --features {output.features:q}",
        )


rule extract_sound_transformer:
    input:
        code=code("extract_sound_transformer.py"),
        film=FILM_SOUND or FILM,
        clock="results/stimulus/film.json",
        weights=lambda wildcards: config["backbones"][wildcards.network]["weights"]
        or [],
    output:
        features="results/stimulus/{network}{layer}.nc",
    log:
        "results/logs/extract_sound_transformer/{network}{layer}.log",
    benchmark:
        "results/benchmarks/extract_sound_transformer/{network}{layer}.tsv"
    wildcard_constraints:
        network="wav2vec2|hubert|wavlm|whisper|ast",
        layer=LAYER,
    conda:
        "../../envs/extract_sound_transformer.yaml"
    threads: 2
    resources:
        mem_mb=memory(6000),
        runtime=minutes(120),
        gpu=GPU,
    params:
        read=as_read(
            FILM_SOUND or FILM,
            lambda wildcards: config["backbones"][wildcards.network]["weights"],
        ),
        settings=lambda wildcards: backbone_settings(wildcards.network),
    message:
        "{wildcards.network} features of the film's sound: {output.features}"
    shell:
        command(
            "extract_sound_transformer.py",
            " --space {wildcards.network}{wildcards.layer}"
            " --film {input.film:q} --clock {input.clock:q} --features {output.features:q}"
            " --settings {params.settings:q}",
        )


rule tabulate_words:
    input:
        code=code("tabulate_words.py"),
        tables=ANNOTATIONS or [],
        clock="results/stimulus/film.json",
    output:
        features="results/features/words.nc",
    log:
        "results/logs/tabulate_words.log",
    benchmark:
        "results/benchmarks/tabulate_words.tsv"
    group:
        "stimulus"
    conda:
        "../../envs/tabulate_words.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        read=as_read(ANNOTATIONS),
        settings=section("words", timing=TIMING),
    message:
        "What is said in the film, at the TRs: {output.features}"
    shell:
        command(
            "tabulate_words.py",
            " --tables {input.tables:q} --clock {input.clock:q}"
            " --features {output.features:q} --settings {params.settings:q}",
        )


rule tabulate_word_vectors:
    input:
        code=code("tabulate_word_vectors.py"),
        vectors=config["backbones"]["word_vectors"]["weights"] or [],
        tables=ANNOTATIONS or [],
        clock="results/stimulus/film.json",
    output:
        features="results/features/word_vectors.nc",
    log:
        "results/logs/tabulate_word_vectors.log",
    benchmark:
        "results/benchmarks/tabulate_word_vectors.tsv"
    conda:
        "../../envs/tabulate_word_vectors.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(20),
    params:
        read=as_read(config["backbones"]["word_vectors"]["weights"], ANNOTATIONS),
        settings=json.dumps(TIMING, sort_keys=True),
    message:
        "Vectors of the film's words at the TRs: {output.features}"
    shell:
        command(
            "tabulate_word_vectors.py",
            " --vectors {input.vectors:q} --tables {input.tables:q}"
            " --clock {input.clock:q} --features {output.features:q}"
            " --settings {params.settings:q}",
        )


rule extract_language_model:
    input:
        code=code("extract_language_model.py"),
        weights=lambda wildcards: config["backbones"][wildcards.model]["weights"] or [],
        tables=ANNOTATIONS or [],
        clock="results/stimulus/film.json",
    output:
        features="results/features/{model}{layer}.nc",
    log:
        "results/logs/extract_language_model/{model}{layer}.log",
    benchmark:
        "results/benchmarks/extract_language_model/{model}{layer}.tsv"
    wildcard_constraints:
        model=LANGUAGE_MODEL,
        layer=LAYER,
    conda:
        "../../envs/extract_language_model.yaml"
    threads: 2
    resources:
        mem_mb=memory(6000),
        runtime=minutes(60),
        gpu=GPU,
    params:
        read=as_read(
            ANNOTATIONS,
            lambda wildcards: config["backbones"][wildcards.model]["weights"],
        ),
        settings=lambda wildcards: backbone_settings(wildcards.model, timing=TIMING),
    message:
        "The film's words by a language model, at the TRs: {output.features}"
    shell:
        command(
            "extract_language_model.py",
            " --space {wildcards.model}{wildcards.layer}"
            " --tables {input.tables:q} --clock {input.clock:q} --features {output.features:q}"
            " --settings {params.settings:q}",
        )


rule tabulate_own_features:
    input:
        code=code("tabulate_own_features.py"),
        table=lambda wildcards: config["own_features"][wildcards.own]["file"],
        times=lambda wildcards: config["own_features"][wildcards.own].get("times") or [],
        clock="results/stimulus/film.json",
    output:
        features="results/features/{own}.nc",
    log:
        "results/logs/tabulate_own_features/{own}.log",
    benchmark:
        "results/benchmarks/tabulate_own_features/{own}.tsv"
    wildcard_constraints:
        own=one_of(config["own_features"]),
    group:
        "stimulus"
    conda:
        "../../envs/tabulate_own_features.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        read=as_read(
            lambda wildcards: config["own_features"][wildcards.own]["file"],
            lambda wildcards: config["own_features"][wildcards.own].get("times"),
        ),
        settings=json.dumps(TIMING, sort_keys=True),
    message:
        "{wildcards.own} at the TRs: {output.features}"
    shell:
        command(
            "tabulate_own_features.py",
            " --table {input.table:q} --times {input.times:q}"
            " --clock {input.clock:q} --features {output.features:q}"
            " --settings {params.settings:q}",
        )


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
    message:
        "Weights of I3D for optical flow: {output.weights}"
    shell:
        "python {input.code[0]:q} --own {input.own:q} --rgb {input.rgb:q}"
        " --weights {output.weights:q} > {log:q} 2>&1"


rule extract_video_network:
    input:
        code=code("extract_video_network.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        weights=lambda wildcards: config["backbones"][wildcards.backbone]["weights"]
        or [],
    output:
        features="results/stimulus/{backbone}.nc",
    log:
        "results/logs/extract_video_network/{backbone}.log",
    benchmark:
        "results/benchmarks/extract_video_network/{backbone}.tsv"
    wildcard_constraints:
        backbone="r2plus1d|timesformer|videomae|vjepa2",
    conda:
        "../../envs/extract_video_network.yaml"
    threads: 2
    resources:
        mem_mb=memory(6000),
        runtime=minutes(240),
        gpu=GPU,
    params:
        read=as_read(
            FILM, lambda wildcards: config["backbones"][wildcards.backbone]["weights"]
        ),
        settings=lambda wildcards: backbone_settings(wildcards.backbone),
    message:
        "{wildcards.backbone} features of the film: {output.features}"
    shell:
        command(
            "extract_video_network.py",
            " --backbone {wildcards.backbone} --film {input.film:q}"
            " --clock {input.clock:q} --features {output.features:q}"
            " --settings {params.settings:q}",
        )


# Of what a feature space at the TRs is made, where not of a table of its own name.
PARTS = {
    "lowlevel": ["lowlevel_video", *(["lowlevel_audio"] if STIMULUS["sound"] else [])]
}
# Tables that are made at the TRs.
TABULATED = ["annotations", "blocks", "words", "word_vectors", *config["own_features"]]
TABULATED.append(f"(?:{LANGUAGE_MODEL}){LAYER}")


rule resample_features:
    input:
        code=code("resample_features.py"),
        features=lambda wildcards: [
            f"results/stimulus/{part}.nc"
            for part in PARTS.get(wildcards.features, [wildcards.features])
        ],
        clock="results/stimulus/film.json",
    output:
        resampled="results/features/{features}.nc",
    log:
        "results/logs/resample_features/{features}.log",
    benchmark:
        "results/benchmarks/resample_features/{features}.tsv"
    wildcard_constraints:
        features=rf"(?!(?:{'|'.join(TABULATED)})\.)[a-z0-9_]+(-[A-Za-z0-9_]+)?",
    group:
        "stimulus"
    conda:
        "../../envs/resample_features.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=minutes(5),
    params:
        settings=json.dumps(TIMING, sort_keys=True),
    message:
        "{wildcards.features} at the TRs: {output.resampled}"
    shell:
        command(
            "resample_features.py",
            " --features {input.features:q} --clock {input.clock:q}"
            " --resampled {output.resampled:q} --settings {params.settings:q}",
        )


rule draw_stimulus:
    input:
        code=code("draw_stimulus.py"),
        film=FILM,
        clock="results/stimulus/film.json",
        mel=["results/stimulus/mel.nc"] if STIMULUS["sound"] else [],
        tables=ANNOTATIONS or [],
        events=EVENTS,
        features=[
            *tables_of(dict.fromkeys([*USED, "lowlevel"])),
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
    message:
        "Sheet to check the film by: {output.sheet}"
    shell:
        command(
            "draw_stimulus.py",
            " --film {input.film:q} --clock {input.clock:q}"
            " --mel {input.mel:q} --tables {input.tables:q} --events {input.events:q}"
            " --features {input.features:q} --sheet {output.sheet:q}"
            " --settings {params.settings:q}",
        )
