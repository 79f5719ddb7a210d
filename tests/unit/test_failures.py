"""Who failed, and how to go on."""

from stim2bold.failures import Failure, advice, failures

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
            output: results/scores/video2bold/sub-03.tsv
    [Mon Nov 23 02:13:46 2026]
    Error in rule score_predictions:
        message: None
        jobid: 2
        output: results/scores/video2bold/sub-03.tsv
        log: results/logs/score/sub-03.log (check log file(s) for error details)
        shell:
            python x
"""
MOTION = Failure("preprocess_motion", "results/logs/preprocess_motion/sub-02/sub-02.log", "02")
SCORES = Failure("score_predictions", "results/logs/score/sub-03.log", "03")


def test_failures_are_read_from_both_kinds_of_log(tmp_path):
    assert failures(LOCAL + CLUSTER, folder=tmp_path) == [MOTION, SCORES]


def test_what_another_attempt_made_good_is_no_failure(tmp_path):
    made = tmp_path / "results" / "scores" / "video2bold" / "sub-03.tsv"
    made.parent.mkdir(parents=True)
    made.touch()
    assert failures(LOCAL + CLUSTER + LOCAL, folder=tmp_path) == [MOTION]


def test_the_others_are_named_as_a_command_takes_them():
    text = advice([MOTION], ["01", "02", "03"])
    assert "participant 02: preprocess_motion failed" in text and MOTION.log in text
    assert "--config \"participants=['01','03']\"" in text


def test_a_step_of_everybody_cannot_be_left_out():
    text = advice([Failure("probe_film", "results/logs/probe_film.log", None)], ["01", "02"])
    assert "all participants: probe_film failed" in text
    assert "--config" not in text


def test_without_a_report_the_way_on_is_still_said():
    assert advice([], ["01"]).startswith("Mend that")
