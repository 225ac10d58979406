"""What a HorizontalPodAutoscaler would decide, from its manifest: the documented algorithm.

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/ (autoscaling/v2)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SYNC_S = 15.0
"""How often it decides."""

_TOLERANCE = 0.1


def replicas_wanted(replicas: int, values: Sequence[float], target: float) -> int:
    """How many replicas would bring the mean of `values` to `target`.

    Args:
        replicas: how many there are.
        values: of the replicas that report one. A missing value counts as 0 when scaling up, and as
            the target when scaling down.
        target: above 0.
    """
    if not values:
        return replicas
    more = sum(values) / len(values) > target
    assumed = (replicas - len(values)) * (0.0 if more else target)
    ratio = (sum(values) + assumed) / replicas / target
    return replicas if abs(ratio - 1) <= _TOLERANCE else math.ceil(replicas * ratio)


@dataclass
class Autoscaler:
    """One autoscaler; times are seconds of any monotonic clock.

    Attributes:
        spec: `spec` of its manifest.
        pace: how many times faster than in a cluster its windows and periods pass.
    """

    spec: dict[str, Any]
    pace: float = 1.0
    _recommended: list[tuple[float, int]] = field(default_factory=list)
    _changes: list[tuple[float, int]] = field(default_factory=list)

    def decide(
        self, now_s: float, replicas: int, waits_s: Sequence[float], cpu_shares: Sequence[float]
    ) -> int:
        """How many replicas there should be from now on.

        Args:
            now_s: the time.
            replicas: how many there are.
            waits_s: the metric of type `Pods`, of each replica that reports it.
            cpu_shares: of the processor time that each replica requests, 1.0 being all of it.
        """
        of_pods, of_cpu = (each[each["type"].lower()]["target"] for each in self.spec["metrics"])
        wanted = max(
            replicas_wanted(replicas, waits_s, _number(of_pods["averageValue"])),
            replicas_wanted(replicas, cpu_shares, of_cpu["averageUtilization"] / 100),
        )
        least: int = self.spec["minReplicas"]
        most: int = self.spec["maxReplicas"]
        chosen = min(max(self._stabilized(now_s, replicas, wanted), least), most)
        self._changes.append((now_s, chosen - replicas))
        return chosen

    def _stabilized(self, now_s: float, replicas: int, wanted: int) -> int:
        """`wanted`, limited by the stabilization window and policies of `behavior`."""
        self._recommended.append((now_s, wanted))
        up, down = self.spec["behavior"]["scaleUp"], self.spec["behavior"]["scaleDown"]
        since_s = now_s - down["stabilizationWindowSeconds"] / self.pace
        highest = max(number for at_s, number in self._recommended if at_s >= since_s)
        if wanted > replicas:
            [policy] = up["policies"]
            before = replicas - self._changed(now_s, policy, 1)
            most: int = math.ceil(before * (1 + policy["value"] / 100))
            return min(wanted, most)
        [policy] = down["policies"]
        before = replicas + self._changed(now_s, policy, -1)
        least: int = before - policy["value"]
        return max(min(highest, replicas), least)

    def _changed(self, now_s: float, policy: dict[str, Any], sign: int) -> int:
        """Replicas added (1) or taken away (-1) in the policy's period."""
        since_s = now_s - policy["periodSeconds"] / self.pace
        return sum(max(sign * each, 0) for at_s, each in self._changes if at_s > since_s)


def read_autoscaler(manifest: Path, pace: float) -> Autoscaler:
    """The autoscaler of a manifest."""
    return Autoscaler(yaml.safe_load(manifest.read_text(encoding="utf-8"))["spec"], pace)


def _number(quantity: str) -> float:
    """The number of a Kubernetes quantity, whole or in thousandths ("500m")."""
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)
