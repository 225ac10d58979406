"""otoscope.bulk.plan: every content once, in tasks of about the same cost."""

import pytest

from otoscope.bulk.plan import TASK_S, Look, make_plan, name_of


def looks(lengths_s):
    return [Look(f"{n}.wav", f"{n:064x}", 1, (length_s,)) for n, length_s in enumerate(lengths_s)]


def keys(plan):
    return [piece.key for task in plan.tasks for piece in task]


def test_each_content_is_in_one_task():
    found = looks([30.0] * 1000)
    plan = make_plan(found, set(), set(), cost=0.1, workers=2)
    assert sorted(keys(plan)) == [look.sha256 for look in found]
    assert (plan.held, plan.copies, plan.audio_s) == (0, 0, pytest.approx(30_000))


def test_tasks_take_a_minute_where_there_is_much_to_do_and_fewer_seconds_where_there_is_little():
    much = make_plan(looks([30.0] * 10_000), set(), set(), cost=0.1, workers=2)
    costs_s = [sum(3.0 + 0.05 for _ in task) for task in much.tasks]
    assert TASK_S - 4 < max(costs_s) <= TASK_S
    little = make_plan(looks([30.0] * 40), set(), set(), cost=0.1, workers=2)
    assert len(little.tasks) >= 16


def test_what_is_a_row_is_left_out_and_copies_are_one_recording():
    first, second, third = looks([5.0, 5.0, 5.0])
    copy = Look("copy.wav", first.sha256, 1, (5.0,))
    plan = make_plan([first, second, copy, third], {second.sha256}, set(), cost=0.1, workers=1)
    [task] = plan.tasks
    assert [piece.sources for piece in task] == [("0.wav", "copy.wav"), ("2.wav",)]
    assert (plan.held, plan.copies) == (1, 1)


def test_parts_of_long_recordings_are_tasks_that_are_done_or_not():
    [short] = looks([5.0])
    long = Look("long.wav", "f" * 64, 1, (590.0, 580.0, 400.0))
    done = f"{long.sha256}-1-of-3"
    plan = make_plan([short, long], set(), {done}, cost=0.1, workers=1)
    assert [[piece.key for piece in task] for task in plan.tasks] == [
        [f"{long.sha256}-0-of-3"],
        [f"{long.sha256}-2-of-3"],
        [short.sha256],
    ]
    assert [piece.part for piece in plan.long[0]] == [0, 1, 2]


def test_what_can_not_be_read_is_told():
    gone = Look("gone.wav", problem=("file", "no such file"))
    plan = make_plan([gone], set(), set(), cost=0.1, workers=1)
    assert (plan.tasks, plan.unread) == ((), (gone,))


def test_a_task_has_the_same_name_whoever_plans_it():
    one, other = (make_plan(looks([5.0] * 3), set(), set(), 0.1, 1).tasks[0] for _ in range(2))
    assert name_of(one) == name_of(other) != name_of(one[:2])
