"""What happens to the stack while it is asked, and what may come of it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stack import Stack
from traffic import Outcome

OK = 200
_STORE_AWAY = 503
_OUTAGE_S = 60.0
"""Longer than the health checks of a container need to give it up."""

_CALM_S = 10.0
"""How long clients ask before anything happens."""


@dataclass
class Seen:
    """What a disturbance took, and when.

    Attributes:
        began_s: by the monotonic clock, as the outcomes have it.
        gone_s: when what was killed had ended; until then the kernel took connections for it.
        ended_s: when everything was as before.
        measured: what else is worth telling, by name.
        complaints: what was seen beside the requests and must not be.
    """

    began_s: float = 0.0
    gone_s: float = 0.0
    ended_s: float = 0.0
    measured: dict[str, float] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Scenario:
    """One of the proofs.

    Attributes:
        title: for the report.
        disturb: what happens; it notes in `Seen` when.
        faults: the outcomes that must not be, of a clip that reads so when nothing happens.
    """

    title: str
    disturb: Callable[[Stack, Seen], None]
    faults: Callable[[list[Outcome], Seen, str], list[Outcome]]

    async def happen(self, stack: Stack, seen: Seen) -> None:
        """Let it happen, beside the traffic."""
        await asyncio.sleep(_CALM_S)
        seen.began_s = time.monotonic()
        await asyncio.to_thread(self.disturb, stack, seen)
        seen.ended_s = time.monotonic()


def _kill(stack: Stack, seen: Seen) -> None:
    victim = stack.containers("api")[0]
    before = stack.starts(victim)
    seen.began_s, seen.gone_s = stack.crash(victim)
    seen.measured["milliseconds until the killed process had ended"] = 1000 * (
        seen.gone_s - seen.began_s
    )
    stack.wait_started_again(victim, before)
    stack.wait_healthy(victim)
    seen.measured["seconds until the killed replica was healthy again"] = (
        time.monotonic() - seen.began_s
    )


def _restart_each(stack: Stack, seen: Seen) -> None:
    started_s = time.monotonic()
    containers = stack.containers("api")
    for container in containers:
        stack.restart(container)
    seen.measured["seconds to restart all replicas, one by one"] = time.monotonic() - started_s


def _replace_all(stack: Stack, seen: Seen) -> None:
    started_s = time.monotonic()
    stack.replace("api")
    seen.measured["seconds to replace all replicas"] = time.monotonic() - started_s


def _store_away(stack: Stack, seen: Seen) -> None:
    store = stack.containers("redis")[0]
    stack.stop(store)
    stack.wait_status("degraded")
    _watch_replicas(stack, seen)
    stack.start(store)
    back_s = time.monotonic()
    stack.wait_status("ready")
    seen.measured["seconds from a healthy store to /health/ready saying ready"] = (
        time.monotonic() - back_s
    )


def _watch_replicas(stack: Stack, seen: Seen) -> None:
    """Look at them for as long as the outage lasts: they work, and have to be taken for such."""
    containers = stack.containers("api")
    given_up: set[str] = set()
    slowest_s = 0.0
    until_s = time.monotonic() + _OUTAGE_S
    while time.monotonic() < until_s:
        given_up |= {each for each in containers if stack.health(each) != "healthy"}
        asked_s = time.monotonic()
        stack.wait_status("degraded")
        slowest_s = max(slowest_s, time.monotonic() - asked_s)
        time.sleep(1)
    seen.measured["slowest answer of /health/ready while Redis was away, s"] = slowest_s
    seen.complaints += [f"{each} was not healthy while Redis was away" for each in given_up]


def wrong(outcomes: list[Outcome], text: str) -> list[Outcome]:
    """Requests that failed, or whose text is another one."""
    return [
        each
        for each in outcomes
        if each.status != OK or (each.kind == "transcribe" and each.text != text)
    ]


def _after_kill(outcomes: list[Outcome], seen: Seen, text: str) -> list[Outcome]:
    """Recordings may be lost that were under way when the replica went; reads may not."""
    return [
        each
        for each in wrong(outcomes, text)
        if each.kind == "read" or not each.under_way(seen.began_s, seen.gone_s)
    ]


def _nothing_may_fail(outcomes: list[Outcome], _: Seen, text: str) -> list[Outcome]:
    return wrong(outcomes, text)


def _after_store(outcomes: list[Outcome], seen: Seen, text: str) -> list[Outcome]:
    """Results can't be read while their store is away, and that is said as 503."""
    return [
        each
        for each in wrong(outcomes, text)
        if each.kind == "transcribe"
        or each.status != _STORE_AWAY
        or each.ended_s < seen.began_s
        or each.started_s > seen.ended_s
    ]


SCENARIOS = {
    "kill": Scenario("a replica is killed with SIGKILL", _kill, _after_kill),
    "restart": Scenario("replicas are restarted one by one", _restart_each, _nothing_may_fail),
    "replace": Scenario("replicas are replaced, as in an upgrade", _replace_all, _nothing_may_fail),
    "store": Scenario("Redis is stopped and started", _store_away, _after_store),
}
