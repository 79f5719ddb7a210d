PREPROCESSED = "results/preprocessed"
CLEANED = "results/cleaned"
SPACE = "MNI152NLin2009aSym"

ANAT = PREPROCESSED + "/{folder}/anat/{anat}"
FUNC = PREPROCESSED + "/{folder}/func/{run}"
FIGURES = PREPROCESSED + "/{folder}/figures"
CLEAN = CLEANED + "/{folder}/func/{run}"


wildcard_constraints:
    space=f"{SPACE}|T1w",


def preprocessing(part):
    """Return one part of the configuration section preprocessing as one JSON string."""
    return json.dumps(config["preprocessing"][part], sort_keys=True)


def sidecars_of(wildcards):
    """Return the sidecars that apply to {run}, nearest last."""
    return list(RUNS[wildcards.run].sidecars)


def raw_t1w_of_run(wildcards):
    """Return the raw T1w that serves {run}; nothing where there is none."""
    t1w = RUNS[wildcards.run].t1w
    return [t1w] if t1w else []


def of_anat(suffix):
    """Return an input function: the product of the T1w that serves {run}, or nothing."""

    def find(wildcards):
        anat = anat_of_run(wildcards.run)
        return [f"{PREPROCESSED}/{anat}_{suffix}"] if anat else []

    return find


def normalisation_of(wildcards):
    """Return the transform to the template: of the T1w, or of the BOLD where there is none."""
    if wildcards.get("space") == "T1w":
        return []
    anat = anat_of_run(wildcards.run)
    if anat:
        return f"{PREPROCESSED}/{anat}_from-T1w_to-{SPACE}_mode-image_xfm.h5"
    return f"{FUNC}_from-boldref_to-{SPACE}_mode-image_xfm.h5".format(**wildcards)


def coregistration_of(wildcards):
    """Return the transform from BOLD to T1w; nothing where there is no T1w."""
    if not anat_of_run(wildcards.run):
        return []
    return f"{FUNC}_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt".format(
        **wildcards
    )


def brain_of_run(wildcards):
    """Return the brain mask that serves {run}: of its T1w, or its own."""
    return of_anat("desc-brain_mask.nii.gz")(wildcards) or (
        f"{FUNC}_desc-brain_mask.nii.gz".format(**wildcards)
    )


def tissues_of_run(wildcards):
    """Return GM, WM and CSF of the T1w that serves {run}; nothing where there is none."""
    return [
        path
        for tissue in ("GM", "WM", "CSF")
        for path in of_anat(f"label-{tissue}_probseg.nii.gz")(wildcards)
    ]


def events_of_run(wildcards):
    """Return the blocks of {run}."""
    return RUNS[wildcards.run].events


def cleaned_of(suffix):
    """Return an input function: a product of cleaning for every run of {participant}."""

    def find(wildcards):
        return [
            f"{CLEANED}/{folder}/func/{run}_space-{SPACE}_{suffix}"
            for folder, run in runs_of(wildcards.participant)
        ]

    return find


rule describe_derivatives:
    input:
        code=code("describe_derivatives.py"),
    output:
        description="results/{derivatives}/dataset_description.json",
    log:
        "results/logs/describe_derivatives/{derivatives}.log",
    benchmark:
        "results/benchmarks/describe_derivatives/{derivatives}.tsv"
    wildcard_constraints:
        derivatives="preprocessed|cleaned",
    conda:
        "../../envs/describe_derivatives.yaml"
    threads: 1
    resources:
        mem_mb=memory(500),
        runtime=minutes(5),
    message:
        "Description of the {wildcards.derivatives} images"
    shell:
        "python {input.code[0]:q}"
        " --name {wildcards.derivatives:q} --description {output.description:q}"
        " > {log:q} 2>&1"


rule preprocess_anatomy:
    input:
        code=code("preprocess_anatomy.py"),
        t1w=t1w_of,
    output:
        preprocessed=ANAT + "_desc-preproc_T1w.nii.gz",
        mask=ANAT + "_desc-brain_mask.nii.gz",
        sidecars=[ANAT + "_desc-preproc_T1w.json", ANAT + "_desc-brain_mask.json"],
    log:
        "results/logs/preprocess_anatomy/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_anatomy/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_anatomy.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        derivatives=PREPROCESSED,
        settings=preprocessing("anatomy"),
    message:
        "Brain of {wildcards.anat}"
    shell:
        "python {input.code[0]:q}"
        " --t1w {input.t1w:q} --preprocessed {output.preprocessed:q}"
        " --mask {output.mask:q} --derivatives {params.derivatives:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule preprocess_tissues:
    input:
        code=code("preprocess_tissues.py"),
        t1w=ANAT + "_desc-preproc_T1w.nii.gz",
        mask=ANAT + "_desc-brain_mask.nii.gz",
        inverse=f"{ANAT}_from-{SPACE}_to-T1w_mode-image_xfm.h5",
    output:
        gm=ANAT + "_label-GM_probseg.nii.gz",
        wm=ANAT + "_label-WM_probseg.nii.gz",
        csf=ANAT + "_label-CSF_probseg.nii.gz",
        dseg=ANAT + "_dseg.nii.gz",
        sidecars=[
            ANAT + f"_{part}.json"
            for part in (
                "label-GM_probseg",
                "label-WM_probseg",
                "label-CSF_probseg",
                "dseg",
            )
        ],
    log:
        "results/logs/preprocess_tissues/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_tissues/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_tissues.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        derivatives=PREPROCESSED,
    message:
        "Tissues of {wildcards.anat}"
    shell:
        "python {input.code[0]:q}"
        " --t1w {input.t1w:q} --mask {input.mask:q} --inverse {input.inverse:q}"
        " --gm {output.gm:q} --wm {output.wm:q} --csf {output.csf:q}"
        " --dseg {output.dseg:q} --derivatives {params.derivatives:q}"
        " > {log:q} 2>&1"


rule preprocess_normalise:
    input:
        code=code("preprocess_normalise.py"),
        image=ANAT + "_desc-preproc_T1w.nii.gz",
        mask=ANAT + "_desc-brain_mask.nii.gz",
    output:
        forward=f"{ANAT}_from-T1w_to-{SPACE}_mode-image_xfm.h5",
        inverse=f"{ANAT}_from-{SPACE}_to-T1w_mode-image_xfm.h5",
    log:
        "results/logs/preprocess_normalise/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_normalise/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_normalise.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        settings=preprocessing("normalisation"),
    message:
        "{wildcards.anat} to the template"
    shell:
        "python {input.code[0]:q}"
        " --image {input.image:q} --mask {input.mask:q}"
        " --forward {output.forward:q} --inverse {output.inverse:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule preprocess_normalise_bold:
    input:
        code=code("preprocess_normalise.py"),
        image=FUNC + "_desc-coreg_boldref.nii.gz",
        mask=FUNC + "_desc-brain_mask.nii.gz",
    output:
        forward=f"{FUNC}_from-boldref_to-{SPACE}_mode-image_xfm.h5",
        inverse=f"{FUNC}_from-{SPACE}_to-boldref_mode-image_xfm.h5",
    log:
        "results/logs/preprocess_normalise_bold/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_normalise_bold/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_normalise.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        settings=preprocessing("normalisation"),
    message:
        "{wildcards.run} to the template"
    shell:
        "python {input.code[0]:q}"
        " --image {input.image:q} --mask {input.mask:q}"
        " --forward {output.forward:q} --inverse {output.inverse:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule preprocess_reference:
    input:
        code=code("preprocess_reference.py"),
        bold=bold_of,
        sidecars=sidecars_of,
        t1w=raw_t1w_of_run,
    output:
        reference=FUNC + "_desc-hmc_boldref.nii.gz",
        flat=FUNC + "_desc-coreg_boldref.nii.gz",
        mask=FUNC + "_desc-brain_mask.nii.gz",
        sidecar=FUNC + "_desc-hmc_boldref.json",
        sidecars=[FUNC + "_desc-coreg_boldref.json", FUNC + "_desc-brain_mask.json"],
    log:
        "results/logs/preprocess_reference/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_reference/{folder}/{run}.tsv"
    wildcard_constraints:
        run=r"(?!.*_space-)sub-[A-Za-z0-9]+_[A-Za-z0-9_-]*task-[A-Za-z0-9_-]+",
    conda:
        "../../envs/preprocess_reference.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(30),
    params:
        t1w=lambda wildcards, input: "--t1w" if input.t1w else "",
        derivatives=PREPROCESSED,
        settings=preprocessing("motion"),
    message:
        "Reference volume of {wildcards.run}"
    shell:
        "python {input.code[0]:q}"
        " --bold {input.bold:q} --sidecars {input.sidecars:q}"
        " {params.t1w} {input.t1w:q} --reference {output.reference:q}"
        " --flat {output.flat:q} --mask {output.mask:q}"
        " --derivatives {params.derivatives:q} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule preprocess_motion:
    input:
        code=code("preprocess_motion.py"),
        bold=bold_of,
        reference=FUNC + "_desc-hmc_boldref.nii.gz",
        mask=FUNC + "_desc-brain_mask.nii.gz",
    output:
        motion=FUNC + "_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
    log:
        "results/logs/preprocess_motion/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_motion/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_motion.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(60),
    params:
        settings=preprocessing("motion"),
    message:
        "Head motion of {wildcards.run}"
    shell:
        "python {input.code[0]:q}"
        " --bold {input.bold:q} --reference {input.reference:q}"
        " --mask {input.mask:q} --motion {output.motion:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule preprocess_coregister:
    input:
        code=code("preprocess_coregister.py"),
        reference=FUNC + "_desc-coreg_boldref.nii.gz",
        reference_mask=FUNC + "_desc-brain_mask.nii.gz",
        t1w=of_anat("desc-preproc_T1w.nii.gz"),
        t1w_mask=of_anat("desc-brain_mask.nii.gz"),
    output:
        transform=FUNC + "_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt",
    log:
        "results/logs/preprocess_coregister/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_coregister/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_coregister.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    message:
        "{wildcards.run} to its T1w image"
    shell:
        "python {input.code[0]:q}"
        " --reference {input.reference:q}"
        " --reference-mask {input.reference_mask:q} --t1w {input.t1w:q}"
        " --t1w-mask {input.t1w_mask:q} --transform {output.transform:q}"
        " > {log:q} 2>&1"


rule preprocess_resample:
    input:
        code=code("preprocess_resample.py"),
        bold=bold_of,
        sidecars=sidecars_of,
        motion=FUNC + "_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
        coregistration=coregistration_of,
        normalisation=normalisation_of,
        brain=brain_of_run,
    output:
        series=FUNC + "_space-{space}_desc-preproc_bold.nii.gz",
        mask=FUNC + "_space-{space}_desc-brain_mask.nii.gz",
        reference=FUNC + "_space-{space}_boldref.nii.gz",
        sidecars=[
            FUNC + "_space-{space}" + part
            for part in (
                "_desc-preproc_bold.json",
                "_desc-brain_mask.json",
                "_boldref.json",
            )
        ],
    log:
        "results/logs/preprocess_resample/{folder}/{run}_{space}.log",
    benchmark:
        "results/benchmarks/preprocess_resample/{folder}/{run}_{space}.tsv"
    conda:
        "../../envs/preprocess_resample.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(60),
    params:
        coregistration=lambda wildcards, input: (
            "--coregistration" if input.coregistration else ""
        ),
        normalisation=lambda wildcards, input: (
            "--normalisation" if input.normalisation else ""
        ),
        derivatives=PREPROCESSED,
        settings=json.dumps({"resolution": config["preprocessing"]["resolution"]}),
    message:
        "{wildcards.run} in space {wildcards.space}"
    shell:
        "python {input.code[0]:q}"
        " --bold {input.bold:q} --sidecars {input.sidecars:q}"
        " --motion {input.motion:q}"
        " {params.coregistration} {input.coregistration:q}"
        " {params.normalisation} {input.normalisation:q} --brain {input.brain:q}"
        " --space {wildcards.space:q} --series {output.series:q}"
        " --mask {output.mask:q} --reference {output.reference:q}"
        " --derivatives {params.derivatives:q} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule preprocess_confounds:
    input:
        code=code("preprocess_confounds.py"),
        series=f"{FUNC}_space-{SPACE}_desc-preproc_bold.nii.gz",
        mask=f"{FUNC}_space-{SPACE}_desc-brain_mask.nii.gz",
        motion=FUNC + "_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
        reference=FUNC + "_desc-hmc_boldref.json",
        reference_mask=FUNC + "_desc-brain_mask.nii.gz",
        normalisation=normalisation_of,
        tissues=tissues_of_run,
    output:
        confounds=FUNC + "_desc-confounds_timeseries.tsv",
        metadata=FUNC + "_desc-confounds_timeseries.json",
    log:
        "results/logs/preprocess_confounds/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_confounds/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_confounds.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        tissues=lambda wildcards, input: "--tissues" if input.tissues else "",
        settings=preprocessing("confounds"),
    message:
        "Confounds of {wildcards.run}"
    shell:
        "python {input.code[0]:q}"
        " --series {input.series:q} --mask {input.mask:q}"
        " --motion {input.motion:q} --reference {input.reference:q}"
        " --reference-mask {input.reference_mask:q}"
        " --normalisation {input.normalisation:q}"
        " {params.tissues} {input.tissues:q} --confounds {output.confounds:q}"
        " --metadata {output.metadata:q} --settings {params.settings:q}"
        " > {log:q} 2>&1"


rule preprocess_anatomy_figures:
    input:
        code=code("preprocess_anatomy_figures.py"),
        t1w=ANAT + "_desc-preproc_T1w.nii.gz",
        mask=ANAT + "_desc-brain_mask.nii.gz",
        dseg=ANAT + "_dseg.nii.gz",
        normalisation=f"{ANAT}_from-T1w_to-{SPACE}_mode-image_xfm.h5",
    output:
        tissues=report(
            FIGURES + "/{anat}_desc-tissues_T1w.png",
            category="Quality",
            labels={"image": "{anat}", "figure": "tissues"},
        ),
        normalised=report(
            f"{FIGURES}/{{anat}}_space-{SPACE}_T1w.png",
            category="Quality",
            labels={"image": "{anat}", "figure": "T1w to MNI"},
        ),
    log:
        "results/logs/preprocess_anatomy_figures/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_anatomy_figures/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_anatomy_figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(15),
    message:
        "Figures of {wildcards.anat}"
    shell:
        "python {input.code[0]:q}"
        " --t1w {input.t1w:q} --mask {input.mask:q} --dseg {input.dseg:q}"
        " --normalisation {input.normalisation:q} --tissues {output.tissues:q}"
        " --normalised {output.normalised:q} > {log:q} 2>&1"


rule preprocess_figures:
    input:
        code=code("preprocess_figures.py"),
        bold=bold_of,
        series=f"{FUNC}_space-{SPACE}_desc-preproc_bold.nii.gz",
        mask=f"{FUNC}_space-{SPACE}_desc-brain_mask.nii.gz",
        confounds=FUNC + "_desc-confounds_timeseries.tsv",
        reference=FUNC + "_desc-coreg_boldref.nii.gz",
        reference_mask=FUNC + "_desc-brain_mask.nii.gz",
        coregistration=coregistration_of,
        normalisation=normalisation_of,
        t1w=of_anat("desc-preproc_T1w.nii.gz"),
        dseg=of_anat("dseg.nii.gz"),
    output:
        carpet=report(
            FIGURES + "/{run}_desc-carpet_bold.png",
            category="Quality",
            labels={"image": "{run}", "figure": "carpet"},
        ),
        motion=report(
            FIGURES + "/{run}_desc-motion_bold.png",
            category="Quality",
            labels={"image": "{run}", "figure": "motion"},
        ),
        alignment=report(
            FIGURES + "/{run}_desc-coregistration_bold.png",
            category="Quality",
            labels={"image": "{run}", "figure": "BOLD to T1w"},
        ),
        normalised=report(
            FIGURES + "/{run}_desc-normalised_bold.png",
            category="Quality",
            labels={"image": "{run}", "figure": "BOLD to MNI"},
        ),
        tsnr=report(
            FIGURES + "/{run}_desc-tsnr_bold.png",
            category="Quality",
            labels={"image": "{run}", "figure": "tSNR"},
        ),
    log:
        "results/logs/preprocess_figures/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_figures/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(15),
    params:
        t1w=(lambda wildcards, input: "--t1w" if input.t1w else ""),
        dseg=lambda wildcards, input: "--dseg" if input.dseg else "",
        coregistration=lambda wildcards, input: (
            "--coregistration" if input.coregistration else ""
        ),
    message:
        "Figures of {wildcards.run}"
    shell:
        "python {input.code[0]:q}"
        " --series {input.series:q} --mask {input.mask:q}"
        " --confounds {input.confounds:q} --reference {input.reference:q}"
        " --reference-mask {input.reference_mask:q}"
        " {params.coregistration} {input.coregistration:q}"
        " {params.t1w} {input.t1w:q} {params.dseg} {input.dseg:q}"
        " --carpet {output.carpet:q} --motion {output.motion:q}"
        " --alignment {output.alignment:q} --normalised {output.normalised:q}"
        " --tsnr {output.tsnr:q} > {log:q} 2>&1"


rule clean_bold:
    input:
        code=code("clean_bold.py"),
        series=f"{FUNC}_space-{SPACE}_desc-preproc_bold.nii.gz",
        mask=f"{FUNC}_space-{SPACE}_desc-brain_mask.nii.gz",
        confounds=FUNC + "_desc-confounds_timeseries.tsv",
        metadata=FUNC + "_desc-confounds_timeseries.json",
        events=events_of_run,
    output:
        cleaned=f"{CLEAN}_space-{SPACE}_desc-cleaned_bold.nii.gz",
        mask=f"{CLEAN}_space-{SPACE}_desc-cleaned_mask.nii.gz",
        sidecars=[
            f"{CLEAN}_space-{SPACE}_desc-cleaned_bold.json",
            f"{CLEAN}_space-{SPACE}_desc-cleaned_mask.json",
        ],
    log:
        "results/logs/clean_bold/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/clean_bold/{folder}/{run}.tsv"
    conda:
        "../../envs/clean_bold.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        derivatives=CLEANED,
        settings=preprocessing("cleaning"),
    message:
        "Nuisance and drift out of {wildcards.run}"
    shell:
        "python {input.code[0]:q}"
        " --series {input.series:q} --mask {input.mask:q}"
        " --events {input.events:q} --cleaned {output.cleaned:q}"
        " --cleaned-mask {output.mask:q} --derivatives {params.derivatives:q}"
        " --settings {params.settings:q} > {log:q} 2>&1"


rule extract_bold:
    input:
        code=code("extract_bold.py"),
        cleaned=cleaned_of("desc-cleaned_bold.nii.gz"),
        masks=cleaned_of("desc-cleaned_mask.nii.gz"),
    output:
        bold="results/bold/sub-{participant}.nc",
    log:
        "results/logs/extract_bold/{participant}.log",
    benchmark:
        "results/benchmarks/extract_bold/{participant}.tsv"
    conda:
        "../../envs/extract_bold.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=minutes(15),
    params:
        settings=json.dumps({**TIMING, "space": SPACE}, sort_keys=True),
    message:
        "Voxels of participant {wildcards.participant} at film times"
    shell:
        "python {input.code[0]:q}"
        " --cleaned {input.cleaned:q} --masks {input.masks:q}"
        " --bold {output.bold:q} --settings {params.settings:q} > {log:q} 2>&1"
