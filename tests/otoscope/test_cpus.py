import os

import pytest

from otoscope.cpus import available


def allowed():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("written", "expected"),
    [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("900000 100000", 9)],
)
def test_the_limit_of_control_groups_2(tmp_path, written, expected):
    (tmp_path / "cpu.max").write_text(f"{written}\n")
    assert available(tmp_path) == min(allowed(), expected or allowed())


@pytest.mark.parametrize(("quota", "expected"), [(-1, None), (100000, 1), (20000, 1)])
def test_the_limit_of_control_groups_1(tmp_path, quota, expected):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert available(tmp_path) == min(allowed(), expected or allowed())


def test_a_part_of_a_processor_counts_as_one_more(tmp_path):
    (tmp_path / "cpu.max").write_text("110000 100000\n")
    assert available(tmp_path) == min(allowed(), 2)


def test_without_control_groups(tmp_path):
    assert available(tmp_path) == allowed()
