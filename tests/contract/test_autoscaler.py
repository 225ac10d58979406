"""The autoscaler that benchmarks simulate, against cases done by hand."""

from pathlib import Path

import pytest

from benchmarks.autoscaler import read_autoscaler, replicas_wanted

MANIFEST = Path(__file__).resolve().parents[2] / "deploy/kubernetes/service/autoscaler.yaml"


@pytest.mark.parametrize(
    ("replicas", "values", "target", "wanted"),
    [
        (2, [200.0, 200.0], 100.0, 4),  # the documentation's: twice the target, twice the replicas
        (2, [50.0, 50.0], 100.0, 1),  # and half of it, half of them
        (4, [1.0, 1.0, 1.1, 1.2], 1.0, 4),  # within a tenth
        (4, [1.3] * 4, 1.0, 6),  # 5.2, rounded up
        (4, [2.0, 2.0], 1.0, 4),  # two without a value count as 0: a mean of 1
        (4, [0.4, 0.4], 1.0, 3),  # or as the target: a mean of 0.7
        (3, [], 1.0, 3),
    ],
)
def test_replicas_wanted(replicas, values, target, wanted):
    assert replicas_wanted(replicas, values, target) == wanted


@pytest.fixture
def autoscaler():
    """0.5 s of wait, 95 % of a processor; 2 to 10; doubled in 60 s, less after 300 s."""
    return read_autoscaler(MANIFEST, pace=1.0)


def test_it_doubles_once_a_minute(autoscaler):
    seen, replicas = [], 2
    for now_s in range(0, 150, 15):
        replicas = autoscaler.decide(now_s, replicas, [5.0] * replicas, [1.0] * replicas)
        seen.append(replicas)
    assert seen == [4, 4, 4, 4, 8, 8, 8, 8, 10, 10]


def test_it_grows_by_the_wait_and_not_by_busy_processors(autoscaler):
    assert autoscaler.decide(0, 4, [0.1] * 4, [1.0] * 4) == 4
    assert autoscaler.decide(15, 4, [0.7] * 4, [1.0] * 4) == 6


def test_it_does_not_shrink_while_processors_are_busy(autoscaler):
    for now_s in range(0, 1200, 15):
        assert autoscaler.decide(now_s, 4, [0.0] * 4, [0.9] * 4) == 4


def test_it_shrinks_one_a_minute_after_five_quiet_minutes(autoscaler):
    replicas = autoscaler.decide(0, 4, [0.5] * 4, [1.0] * 4)
    shrunk = {}
    for now_s in range(15, 600, 15):
        before = replicas
        replicas = autoscaler.decide(now_s, replicas, [0.0] * replicas, [0.1] * replicas)
        if replicas < before:
            shrunk[now_s] = replicas
    assert shrunk == {315: 3, 375: 2}
