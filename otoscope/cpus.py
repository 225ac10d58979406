"""The number of CPUs this process may use, also in a container; priorities of threads."""

import math
import os
import sys
import threading
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")

_NICENESS = 5
"""Added to a thread's; each step gives the other threads about a quarter more of the time."""


def available(cgroup: Path = _CGROUP) -> int:
    """CPUs that are there, that the scheduler allows and that the container's limit pays for.

    Args:
        cgroup: where the kernel's control groups are mounted, of version 2 or 1.

    Returns:
        At least 1; a limit of one and a half counts as two.
    """
    if hasattr(os, "sched_getaffinity"):
        allowed = len(os.sched_getaffinity(0))
    else:
        allowed = os.cpu_count() or 1  # macOS
    return max(1, math.ceil(min(allowed, _limit(cgroup))))


def lower_thread_priority() -> None:
    """Let other threads go before the calling one from now on, where threads have priorities.

    Those are Linux's own: elsewhere niceness is the process's, which stays as it is.
    """
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)


def _limit(cgroup: Path) -> float:
    """CPUs' worth of time that the control group may take; infinite without a limit."""
    try:
        quota, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
    except FileNotFoundError:
        return _limit_of_version_1(cgroup / "cpu")
    return math.inf if quota == "max" else int(quota) / int(period)


def _limit_of_version_1(cpu: Path) -> float:
    try:
        quota = int((cpu / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((cpu / "cpu.cfs_period_us").read_text(encoding="ascii"))
    except FileNotFoundError:
        return math.inf
    return math.inf if quota < 0 else quota / period
