"""Who failed, and how to go on."""

from stim2bold.runtime.failed_jobs import Failure, advice, failures, told

LOCAL = """
[Mon Nov 23 02:13:29 2026]
Error in rule preprocess_motion:
    message: None
    jobid: 2
    output: results/preprocessed/sub-02/func/sub-02_xfm.txt, results/other.json
    log: results/logs/preprocess_motion/sub-02/sub-02.log (check log file(s) for error details)
    shell:
        python x
Exiting because a job execution failed. Look above for error messages
"""
CLUSTER = """
    message: Error in group g
    log: /a/.snakemake/slurm_logs/group_g_a/2.log (check log file(s) for error details)
    jobs:
        rule score_predictions:
            jobid: 2
            output: results/scores/film2bold/sub-03.tsv
    [Mon Nov 23 02:13:46 2026]
    Error in rule score_predictions:
        message: None
        jobid: 2
        output: results/scores/film2bold/sub-03.tsv
        log: results/logs/score/sub-03.log, /a/2.log (check log file(s) for error details)
        shell:
            python x
"""
MOTION = Failure("preprocess_motion", "results/logs/preprocess_motion/sub-02/sub-02.log", "02")
KILLED = Failure("preprocess_anatomy", "results/logs/anatomy/sub-04.log", "04")
SCORES = Failure("score_predictions", "results/logs/score/sub-03.log", "03")


def test_failures_are_read_from_both_kinds_of_log(tmp_path):
    assert failures(LOCAL + CLUSTER, folder=tmp_path) == [MOTION, SCORES]


def test_what_another_attempt_made_good_is_no_failure(tmp_path):
    made = tmp_path / "results" / "scores" / "film2bold" / "sub-03.tsv"
    made.parent.mkdir(parents=True)
    made.touch()
    assert failures(LOCAL + CLUSTER + LOCAL, folder=tmp_path) == [MOTION]


def test_the_reason_is_our_own_line_or_the_last(tmp_path):
    for step, text in (
        (MOTION, "12:00 working\nerror: x.nii.gz: has no y; add one\nmore\n"),
        (SCORES, "Traceback\nMemoryError\n\n"),
        (KILLED, "12:00 working\n"),
    ):
        (tmp_path / step.log).parent.mkdir(parents=True)
        (tmp_path / step.log).write_text(text)
    gone = Failure("probe_film", "results/logs/probe_film.log", None)
    silent = told([KILLED], folder=tmp_path)["04"]
    assert 'the last line is "12:00 working"' in silent and "mem_mb" in silent
    (tmp_path / KILLED.log).write_text("")
    assert "the log is empty" in told([KILLED], folder=tmp_path)["04"]
    assert told([MOTION, SCORES, gone, SCORES], folder=tmp_path) == {
        "02": "preprocess_motion failed: x.nii.gz: has no y; add one",
        "03": "score_predictions failed: MemoryError",
        None: f"probe_film failed: {tmp_path / gone.log} is not there",
    }


def test_participants_can_be_left_out_but_a_step_of_everybody_cannot():
    text = advice({"02": "preprocess_motion failed: no y"})
    assert text.startswith("participant 02: preprocess_motion failed: no y\nMend what failed")
    assert "--config failed=leave_out" in text
    text = advice({"02": "x", None: "probe_film failed: y"})
    assert "all participants: probe_film failed: y" in text
    assert "--config" not in text
    assert advice({}).startswith("Mend what failed")
