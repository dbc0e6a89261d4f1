"""What the display says of a run's state."""

import pytest

from qsmstudy.run.progress import Progress, about, clock

PLANNED = {"simulate_scan": 4, "fit_field": 4, "invert_dipole": 4, "table3": 1, "all": 1}


def run(finished, planned=PLANNED, seconds=10.0, start=0.0):
    """One job after another, each of the same length."""
    progress = Progress(planned, start)
    for number, (rule, scan) in enumerate(finished):
        begun = start + number * seconds
        progress.begin(number, rule, {"scan": scan} if scan else {}, begun)
        progress.finish(number, begun + seconds)
    return progress


def chain(scan):
    return [(rule, scan) for rule in ("simulate_scan", "fit_field", "invert_dipole")]


def test_participant_is_done_with_its_last_planned_step():
    assert run(chain("sub-1")[:2]).participants == (0, 4)
    assert run(chain("sub-1")).participants == (1, 4)


def test_last_step_is_the_last_that_this_run_plans():
    planned = {"fit_field": 2, "table3": 1}
    assert run([("fit_field", "sub-1")], planned).participants == (1, 2)


def test_run_without_scans_has_no_participants():
    assert run([], {"table3": 1}).participants is None
    assert "participants" not in run([], {"table3": 1}).line(0)


def test_time_left_is_the_work_left_over_the_jobs_side_by_side():
    progress = run(chain("sub-1"))
    # 11 jobs of 10 s are left, one after another; rules not yet seen cost the mean.
    assert progress.seconds_left(30.0) == pytest.approx(110.0)
    twice = Progress(PLANNED, 0.0)
    for number, (rule, scan) in enumerate(chain("sub-1") + chain("sub-2")):
        begun = 10.0 * (number % 3)
        twice.begin(number, rule, {"scan": scan}, begun)
        twice.finish(number, begun + 10.0)
    assert twice.seconds_left(30.0) == pytest.approx(8 * 10 / 2)


def test_time_left_is_not_told_before_it_is_known():
    assert run([]).seconds_left(5.0) is None
    many = {"simulate_scan": 64, "invert_dipole": 64}
    assert "not yet known" in run(chain("sub-1")[:1], many).line(10.0)


def test_failed_job_is_counted_until_it_starts_again():
    progress = run([])
    progress.begin(7, "fit_field", {"scan": "sub-1"}, 1.0)
    progress.fail(7)
    assert "1 failed" in progress.line(2.0)
    progress.begin(7, "fit_field", {"scan": "sub-1"}, 3.0)
    assert "failed" not in progress.line(4.0)


def test_lines_name_running_jobs_and_keep_to_the_width():
    progress = run(chain("sub-1"))
    for number in range(10, 16):
        progress.begin(number, "fit_field", {"scan": "sub-2", "rater": "A"}, 30.0)
    lines = progress.display(42.0, width=100)
    assert "fit field sub-2 rater A" in lines[-2]
    assert "0:12" in lines[-2]
    assert "and 2 more" in lines[-1]
    assert max(len(line) for line in progress.display(42.0, width=40)) <= 40


def test_finished_run_says_all_and_no_time_left():
    done = [*chain("sub-1"), *chain("sub-2"), *chain("sub-3"), *chain("sub-4")]
    line = run([*done, ("table3", ""), ("all", "")]).line(140.0)
    assert line == "14 of 14 jobs (100 %), participants 4 of 4, 2:20 gone"


def test_jobs_that_a_checkpoint_adds_are_counted():
    planned = {"check_scan": 2, "list_scans": 1, "chimaps": 1}
    progress = run([("check_scan", "sub-1"), ("check_scan", "sub-2"), ("list_scans", "")], planned)
    progress.replan(8, {"invert_dipole": 2, "fit_field": 2} | planned)
    assert progress.participants == (0, 2)
    assert progress.line(30.0).startswith("3 of 8 jobs (37 %), participants 0 of 2, stage")
    assert progress.seconds_left(30.0) == pytest.approx(50.0)
    assert list(progress.planned)[:3] == list(planned)


def test_jobs_that_are_added_by_unknown_rules_are_counted_too():
    planned = {"check_scan": 2, "chimaps": 1}
    progress = run([("check_scan", "sub-1"), ("check_scan", "sub-2")], planned)
    progress.replan(5)
    assert progress.jobs == (2, 5)
    assert progress.seconds_left(20.0) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.9, "0:07"), (61, "1:01"), (3723, "1:02:03"), (0, "0:00")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(20, "less than a minute left"), (150, "about 2 min left"), (9000, "about 2.5 h left")],
)
def test_time_left_is_no_finer_than_known(seconds, text):
    assert about(seconds) == text


def test_stage_between_jobs_is_that_of_the_latest():
    planned = {"describe_maps": 1, "fit_field": 2}  # in Snakemake's order
    assert run([], planned).stage == "describe maps"
    assert run([("fit_field", "sub-1")], planned).stage == "fit field"
    everything = [("fit_field", "sub-1"), ("fit_field", "sub-2"), ("describe_maps", "")]
    assert run(everything, planned).stage == "finished"
