rule describe_derivatives:
    input:
        code=code("describe_derivatives.py"),
    output:
        description="results/{derivatives}/dataset_description.json",
        ignored="results/{derivatives}/.bidsignore",
        readme="results/{derivatives}/README",
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
    params:
        sources=lambda wildcards: {
            "preprocessed": [BIDS_DIR] if FIT == PREPROCESSED else [BIDS_DIR, FIT],
            "cleaned": [DERIVATIVES if RESAMPLED else PREPROCESSED],
        }[wildcards.derivatives],
    message:
        "Description of the {wildcards.derivatives} images"
    shell:
        command(
            "describe_derivatives.py",
            " --sources {params.sources:q} --description {output.description:q}"
            " --ignored {output.ignored:q} --readme {output.readme:q}",
        )


rule preprocess_anatomy:
    input:
        code=code("preprocess_anatomy.py"),
        validated=validated_before(f"{ANAT}_desc-preproc_T1w.nii.gz"),
        t1w=t1w_of,
    output:
        preprocessed=f"{ANAT}_desc-preproc_T1w.nii.gz",
        mask=f"{ANAT}_desc-brain_mask.nii.gz",
        sidecars=[f"{ANAT}_desc-preproc_T1w.json", f"{ANAT}_desc-brain_mask.json"],
    log:
        "results/logs/preprocess_anatomy/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_anatomy/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_anatomy.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(60),
    params:
        read=as_read(t1w_of),
        settings=preprocessing("anatomy"),
    message:
        "Brain of {wildcards.anat}"
    shell:
        command(
            "preprocess_anatomy.py",
            " --t1w {input.t1w:q} --preprocessed {output.preprocessed:q}"
            " --mask {output.mask:q}"
            " --derivatives results/preprocessed --settings {params.settings:q}",
        )


rule preprocess_tissues:
    input:
        code=code("preprocess_tissues.py"),
        t1w=f"{ANAT}_desc-preproc_T1w.nii.gz",
        mask=f"{ANAT}_desc-brain_mask.nii.gz",
        inverse=f"{ANAT}_from-{TEMPLATE}_to-T1w_mode-image_xfm.h5",
    output:
        gm=f"{ANAT}_label-GM_probseg.nii.gz",
        wm=f"{ANAT}_label-WM_probseg.nii.gz",
        csf=f"{ANAT}_label-CSF_probseg.nii.gz",
        dseg=f"{ANAT}_dseg.nii.gz",
        sidecars=[
            f"{ANAT}_{part}.json"
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
        mem_mb=memory(4500),
        runtime=minutes(60),
    message:
        "Tissues of {wildcards.anat}"
    shell:
        command(
            "preprocess_tissues.py",
            " --t1w {input.t1w:q} --mask {input.mask:q} --inverse {input.inverse:q}"
            " --gm {output.gm:q} --wm {output.wm:q} --csf {output.csf:q}"
            " --dseg {output.dseg:q} --derivatives results/preprocessed",
        )


rule preprocess_normalise:
    input:
        code=code("preprocess_normalise.py"),
        image=f"{ANAT}_desc-preproc_T1w.nii.gz",
        mask=f"{ANAT}_desc-brain_mask.nii.gz",
    output:
        forward=f"{ANAT}_from-T1w_to-{TEMPLATE}_mode-image_xfm.h5",
        inverse=f"{ANAT}_from-{TEMPLATE}_to-T1w_mode-image_xfm.h5",
    log:
        "results/logs/preprocess_normalise/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_normalise/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_normalise.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(60),
    params:
        settings=preprocessing("normalisation"),
    message:
        "{wildcards.anat} to the template"
    shell:
        command(
            "preprocess_normalise.py",
            " --image {input.image:q} --mask {input.mask:q}"
            " --forward {output.forward:q} --inverse {output.inverse:q}"
            " --settings {params.settings:q}",
        )


rule preprocess_normalise_bold:
    input:
        code=code("preprocess_normalise.py"),
        image=f"{FUNC}_desc-coreg_boldref.nii.gz",
        mask=f"{FUNC}_desc-brain_mask.nii.gz",
    output:
        forward=f"{FUNC}_from-boldref_to-{TEMPLATE}_mode-image_xfm.h5",
        inverse=f"{FUNC}_from-{TEMPLATE}_to-boldref_mode-image_xfm.h5",
    log:
        "results/logs/preprocess_normalise_bold/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_normalise_bold/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_normalise.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        settings=preprocessing("normalisation"),
    message:
        "{wildcards.run} to the template"
    shell:
        command(
            "preprocess_normalise.py",
            " --image {input.image:q} --mask {input.mask:q}"
            " --forward {output.forward:q} --inverse {output.inverse:q}"
            " --settings {params.settings:q}",
        )


rule preprocess_reference:
    input:
        code=code("preprocess_reference.py"),
        validated=validated_before(f"{FUNC}_desc-hmc_boldref.nii.gz"),
        bold=bold_of,
        sidecars=sidecars_of,
    output:
        reference=f"{FUNC}_desc-hmc_boldref.nii.gz",
        flat=f"{FUNC}_desc-coreg_boldref.nii.gz",
        mask=f"{FUNC}_desc-brain_mask.nii.gz",
        sidecar=f"{FUNC}_desc-hmc_boldref.json",
        sidecars=[f"{FUNC}_desc-coreg_boldref.json", f"{FUNC}_desc-brain_mask.json"],
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
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        read=as_read(bold_of, sidecars_of),
        settings=preprocessing("motion"),
    message:
        "Reference volume of {wildcards.run}"
    shell:
        command(
            "preprocess_reference.py",
            " --bold {input.bold:q} --sidecars {input.sidecars:q}"
            " --reference {output.reference:q}"
            " --flat {output.flat:q} --mask {output.mask:q}"
            " --derivatives results/preprocessed --settings {params.settings:q}",
        )


rule preprocess_motion:
    input:
        code=code("preprocess_motion.py"),
        bold=bold_of,
        reference=f"{FUNC}_desc-hmc_boldref.nii.gz",
        mask=f"{FUNC}_desc-brain_mask.nii.gz",
    output:
        motion=f"{FUNC}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
    log:
        "results/logs/preprocess_motion/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_motion/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_motion.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(60),
    params:
        read=as_read(bold_of),
        settings=preprocessing("motion"),
    message:
        "Head motion of {wildcards.run}"
    shell:
        command(
            "preprocess_motion.py",
            " --bold {input.bold:q} --reference {input.reference:q}"
            " --mask {input.mask:q} --motion {output.motion:q}"
            " --settings {params.settings:q}",
        )


rule preprocess_distortion:
    input:
        code=code("preprocess_distortion.py"),
        bold=bold_of,
        sidecars=sidecars_of,
        reference=f"{FUNC}_desc-coreg_boldref.nii.gz",
        reference_mask=f"{FUNC}_desc-brain_mask.nii.gz",
        t1w=of_anat("desc-preproc_T1w.nii.gz"),
        t1w_mask=of_anat("desc-brain_mask.nii.gz"),
        tissues=tissues_of_run,
    output:
        displacement=f"{FUNC}_desc-distortion_displacement.nii.gz",
        unwarped=f"{FUNC}_desc-unwarped_boldref.nii.gz",
        mask=f"{FUNC}_desc-unwarped_mask.nii.gz",
        sidecars=[
            f"{FUNC}_desc-{part}.json"
            for part in (
                "distortion_displacement",
                "unwarped_boldref",
                "unwarped_mask",
            )
        ],
    log:
        "results/logs/preprocess_distortion/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_distortion/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_distortion.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(30),
    params:
        read=as_read(sidecars_of),
    message:
        "Distortion of {wildcards.run}"
    shell:
        command(
            "preprocess_distortion.py",
            " --bold {input.bold:q} --sidecars {input.sidecars:q}"
            " --reference {input.reference:q}"
            " --reference-mask {input.reference_mask:q} --t1w {input.t1w:q}"
            " --t1w-mask {input.t1w_mask:q} --tissues {input.tissues:q}"
            " --displacement {output.displacement:q} --unwarped {output.unwarped:q}"
            " --mask {output.mask:q} --derivatives results/preprocessed",
        )


rule preprocess_coregister:
    input:
        code=code("preprocess_coregister.py"),
        reference=undistorted(
            "desc-coreg_boldref.nii.gz", "desc-unwarped_boldref.nii.gz"
        ),
        reference_mask=undistorted(
            "desc-brain_mask.nii.gz", "desc-unwarped_mask.nii.gz"
        ),
        t1w=of_anat("desc-preproc_T1w.nii.gz"),
        t1w_mask=of_anat("desc-brain_mask.nii.gz"),
    output:
        transform=f"{FUNC}_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt",
    log:
        "results/logs/preprocess_coregister/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_coregister/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_coregister.yaml"
    threads: 1
    resources:
        mem_mb=memory(3500),
        runtime=minutes(30),
    message:
        "{wildcards.run} to its T1w image"
    shell:
        command(
            "preprocess_coregister.py",
            " --reference {input.reference:q}"
            " --reference-mask {input.reference_mask:q} --t1w {input.t1w:q}"
            " --t1w-mask {input.t1w_mask:q} --transform {output.transform:q}",
        )


rule preprocess_resample:
    input:
        code=code("preprocess_resample.py"),
        # What fMRIPrep fitted has been looked at before anything is computed from it.
        validated=validated_before(f"{FUNC}_space-{{space}}_desc-preproc_bold.nii.gz"),
        bold=echoes_of,
        sidecars=sidecars_of,
        motion=f"{FIT_FUNC}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
        coregistration=coregistration_of,
        displacement=undistorted(None, "desc-distortion_displacement.nii.gz"),
        normalisation=normalisation_of,
        brain=brain_of_run,
    output:
        series=f"{FUNC}_space-{{space}}_desc-preproc_bold.nii.gz",
        mask=f"{FUNC}_space-{{space}}_desc-brain_mask.nii.gz",
        reference=f"{FUNC}_space-{{space}}_boldref.nii.gz",
        sidecars=[
            f"{FUNC}_space-{{space}}{part}"
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
        # Every echo of a run is held at once.
        mem_mb=memory(2500, each=echoes_of),
        runtime=minutes(60),
    params:
        read=as_read(echoes_of, sidecars_of, fit_of),
        settings=lambda wildcards: json.dumps(
            {
                "resolution": config["preprocessing"]["resolution"],
                "echo_times": ECHO_TIMES[wildcards.run],
            }
        ),
    message:
        "{wildcards.run} in space {wildcards.space}"
    shell:
        command(
            "preprocess_resample.py",
            " --bold {input.bold:q} --sidecars {input.sidecars:q}"
            " --motion {input.motion:q}"
            " --coregistration {input.coregistration:q}"
            " --displacement {input.displacement:q}"
            " --normalisation {input.normalisation:q} --brain {input.brain:q}"
            " --space {wildcards.space:q} --series {output.series:q}"
            " --mask {output.mask:q} --reference {output.reference:q}"
            " --derivatives results/preprocessed --settings {params.settings:q}",
        )


rule preprocess_confounds:
    input:
        code=code("preprocess_confounds.py"),
        series=f"{FUNC}_space-{SPACE}_desc-preproc_bold.nii.gz",
        mask=f"{FUNC}_space-{SPACE}_desc-brain_mask.nii.gz",
        motion=f"{FIT_FUNC}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt",
        sidecar=f"{FUNC}_space-{SPACE}_desc-preproc_bold.json",
        reference_mask=f"{FIT_FUNC}_desc-brain_mask.nii.gz",
        normalisation=normalisation_of,
        tissues=tissues_of_run,
    output:
        confounds=f"{FUNC}_desc-confounds_timeseries.tsv",
        metadata=f"{FUNC}_desc-confounds_timeseries.json",
    log:
        "results/logs/preprocess_confounds/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/preprocess_confounds/{folder}/{run}.tsv"
    conda:
        "../../envs/preprocess_confounds.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=minutes(30),
    params:
        read=as_read(fit_of),
        settings=preprocessing("confounds"),
    message:
        "Confounds of {wildcards.run}"
    shell:
        command(
            "preprocess_confounds.py",
            " --series {input.series:q} --mask {input.mask:q}"
            " --sidecar {input.sidecar:q} --motion {input.motion:q}"
            " --reference-mask {input.reference_mask:q}"
            " --normalisation {input.normalisation:q}"
            " --tissues {input.tissues:q} --confounds {output.confounds:q}"
            " --metadata {output.metadata:q} --settings {params.settings:q}",
        )


rule preprocess_anatomy_figures:
    input:
        code=code("preprocess_anatomy_figures.py"),
        validated=validated_before(f"{FIGURES}/{{anat}}_desc-tissues_T1w.png"),
        t1w=f"{FIT_ANAT}_desc-preproc_T1w.nii.gz",
        mask=f"{FIT_ANAT}_desc-brain_mask.nii.gz",
        dseg=f"{FIT_ANAT}_dseg.nii.gz",
        normalisation=f"{FIT_ANAT}_from-T1w_to-{SPACE}_mode-image_xfm.h5",
    output:
        tissues=report(
            f"{FIGURES}/{{anat}}_desc-tissues_T1w.png",
            caption="../report/tissues.rst",
            category="Quality",
            labels={"image": "{anat}", "figure": "tissues"},
        ),
        normalised=report(
            f"{FIGURES}/{{anat}}_space-{SPACE}_T1w.png",
            caption="../report/t1w_normalised.rst",
            category="Quality",
            labels={"image": "{anat}", "figure": "T1w to MNI"},
        ),
        template=report(
            f"{FIGURES}/{{anat}}_space-{SPACE}_template.png",
            caption="../report/template.rst",
            category="Quality",
            labels={"image": "{anat}", "figure": "T1w to MNI: template"},
        ),
    log:
        "results/logs/preprocess_anatomy_figures/{folder}/{anat}.log",
    benchmark:
        "results/benchmarks/preprocess_anatomy_figures/{folder}/{anat}.tsv"
    conda:
        "../../envs/preprocess_anatomy_figures.yaml"
    threads: 1
    resources:
        mem_mb=memory(4500),
        runtime=minutes(15),
    params:
        read=as_read(fit_of_t1w),
    message:
        "Figures of {wildcards.anat}"
    shell:
        command(
            "preprocess_anatomy_figures.py",
            " --t1w {input.t1w:q} --mask {input.mask:q} --dseg {input.dseg:q}"
            " --normalisation {input.normalisation:q} --tissues {output.tissues:q}"
            " --normalised {output.normalised:q} --template {output.template:q}",
        )


rule preprocess_figures:
    input:
        code=code("preprocess_figures.py"),
        bold=bold_of,
        series=f"{FUNC}_space-{SPACE}_desc-preproc_bold.nii.gz",
        mask=f"{FUNC}_space-{SPACE}_desc-brain_mask.nii.gz",
        confounds=f"{FUNC}_desc-confounds_timeseries.tsv",
        reference=undistorted(
            "desc-coreg_boldref.nii.gz", "desc-unwarped_boldref.nii.gz"
        ),
        reference_mask=undistorted(
            "desc-brain_mask.nii.gz", "desc-unwarped_mask.nii.gz"
        ),
        coregistration=coregistration_of,
        normalisation=normalisation_of,
        t1w=of_anat("desc-preproc_T1w.nii.gz"),
        dseg=of_anat("dseg.nii.gz"),
    output:
        carpet=report(
            f"{FIGURES}/{{run}}_desc-carpet_bold.png",
            caption="../report/carpet.rst",
            category="Quality",
            labels={"image": "{run}", "figure": "carpet"},
        ),
        motion=report(
            f"{FIGURES}/{{run}}_desc-motion_bold.png",
            caption="../report/motion.rst",
            category="Quality",
            labels={"image": "{run}", "figure": "motion"},
        ),
        alignment=report(
            f"{FIGURES}/{{run}}_desc-coregistration_bold.png",
            caption="../report/coregistration.rst",
            category="Quality",
            labels={"image": "{run}", "figure": "BOLD to T1w"},
        ),
        anatomy=report(
            f"{FIGURES}/{{run}}_desc-coregistration_T1w.png",
            caption="../report/coregistration_t1w.rst",
            category="Quality",
            labels={"image": "{run}", "figure": "BOLD to T1w: T1w"},
        ),
        normalised=report(
            f"{FIGURES}/{{run}}_desc-normalised_bold.png",
            caption="../report/normalised.rst",
            category="Quality",
            labels={"image": "{run}", "figure": "BOLD to MNI"},
        ),
        template=report(
            f"{FIGURES}/{{run}}_desc-normalised_template.png",
            caption="../report/template.rst",
            category="Quality",
            labels={"image": "{run}", "figure": "BOLD to MNI: template"},
        ),
        tsnr=report(
            f"{FIGURES}/{{run}}_desc-tsnr_bold.png",
            caption="../report/tsnr.rst",
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
        mem_mb=memory(2500),
        runtime=minutes(15),
    params:
        read=as_read(bold_of, fit_of),
        settings=preprocessing("confounds"),
    message:
        "Figures of {wildcards.run}"
    shell:
        command(
            "preprocess_figures.py",
            " --settings {params.settings:q}"
            " --series {input.series:q} --mask {input.mask:q}"
            " --confounds {input.confounds:q} --reference {input.reference:q}"
            " --reference-mask {input.reference_mask:q}"
            " --coregistration {input.coregistration:q}"
            " --t1w {input.t1w:q} --dseg {input.dseg:q}"
            " --carpet {output.carpet:q} --motion {output.motion:q}"
            " --alignment {output.alignment:q} --anatomy {output.anatomy:q}"
            " --normalised {output.normalised:q} --template {output.template:q}"
            " --tsnr {output.tsnr:q}",
        )


rule clean_bold:
    input:
        code=code("clean_bold.py"),
        # What fMRIPrep wrote has been looked at before anything is computed from it.
        validated=validated_before(
            f"{CLEAN}_space-{ANALYSIS_SPACE}_desc-cleaned_bold.nii.gz"
        ),
        series=preprocessed_of(f"space-{SPACE}_desc-preproc_bold.nii.gz", "bold"),
        mask=preprocessed_of(f"space-{SPACE}_desc-brain_mask.nii.gz", "mask"),
        confounds=preprocessed_of("desc-confounds_timeseries.tsv", "confounds"),
    output:
        cleaned=f"{CLEAN}_space-{ANALYSIS_SPACE}_desc-cleaned_bold.nii.gz",
        mask=f"{CLEAN}_space-{ANALYSIS_SPACE}_desc-cleaned_mask.nii.gz",
        sidecars=[
            f"{CLEAN}_space-{ANALYSIS_SPACE}_desc-cleaned_bold.json",
            f"{CLEAN}_space-{ANALYSIS_SPACE}_desc-cleaned_mask.json",
        ],
    log:
        "results/logs/clean_bold/{folder}/{run}.log",
    benchmark:
        "results/benchmarks/clean_bold/{folder}/{run}.tsv"
    conda:
        "../../envs/clean_bold.yaml"
    threads: 1
    resources:
        mem_mb=memory(2500),
        runtime=minutes(30),
    params:
        read=as_read(
            preprocessed_of("", "bold"),
            preprocessed_of("", "mask"),
            preprocessed_of("", "confounds"),
        ),
        settings=lambda wildcards: json.dumps(
            {
                "cleaning": config["preprocessing"]["cleaning"],
                "TR": TR,
                "reference": REFERENCES[wildcards.run],
            },
            sort_keys=True,
        ),
    message:
        "Nuisance and drift out of {wildcards.run}"
    shell:
        command(
            "clean_bold.py",
            " --series {input.series:q} --mask {input.mask:q}"
            " --cleaned {output.cleaned:q}"
            " --cleaned-mask {output.mask:q} --derivatives results/cleaned"
            " --settings {params.settings:q}",
        )


rule extract_bold:
    input:
        code=code("extract_bold.py"),
        cleaned=cleaned_of("desc-cleaned_bold.nii.gz"),
        masks=cleaned_of("desc-cleaned_mask.nii.gz"),
        parcels=config["preprocessing"]["parcels"] or [],
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
        mem_mb=memory(2000),
        runtime=minutes(15),
    params:
        read=as_read(config["preprocessing"]["parcels"]),
        settings=lambda wildcards: json.dumps(
            {
                **TIMING,
                "space": ANALYSIS_SPACE,
                "onsets": [
                    ROW_ONSETS[run.name] for run in RUNS_OF[wildcards.participant]
                ],
            },
            sort_keys=True,
        ),
    message:
        "Voxels of participant {wildcards.participant} at film times"
    shell:
        command(
            "extract_bold.py",
            " --cleaned {input.cleaned:q} --masks {input.masks:q}"
            " --parcels {input.parcels:q} --bold {output.bold:q}"
            " --settings {params.settings:q}",
        )
