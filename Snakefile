from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/stimulus.smk"
include: "workflow/rules/preprocess.smk"
include: "workflow/rules/model.smk"
include: "workflow/rules/decode.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/planted.smk"
include: "workflow/rules/sound.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        "results/report",
        "results/methods.md",
        "results/decoding/summary.tsv",
        [
            f"results/surfaces/{direction}/{unit}"
            for direction in TO_BOLD
            for unit in MAPPED
        ],


onstart:
    refuse_unwritable("results")


onsuccess:
    say_where_the_report_lies()


onerror:
    say_how_to_go_on(log)
