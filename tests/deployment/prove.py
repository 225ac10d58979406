"""Disturb a stack that is up while it is asked, and count what fails and what is lost.

On the host of the containers, as root (processes are killed from outside), with httpx installed:

    docker compose up --detach --scale api=3
    python tests/deployment/prove.py --key-file secrets/api_keys
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from scenarios import SCENARIOS, Scenario, Seen, wrong
from stack import REPOSITORY, Stack, StackError
from traffic import Outcome, Traffic

_REPLICAS = 2
_SHOWN = 5
_LISTED = 100


def main() -> int:
    """Run the scenarios; 0 if all hold, 1 if not, 2 if they can't be run."""
    options = _parser().parse_args()
    stack = Stack(options.compose, options.url)
    try:
        stack.require("api", _REPLICAS)
        reports = []
        for name in options.only:
            reports.append(asyncio.run(_prove(options, stack, SCENARIOS[name])))
            if options.json is not None:
                options.json.write_text(json.dumps(reports, indent=2) + "\n", encoding="utf-8")
    except (StackError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(_table(reports))
    return 0 if all(report["holds"] for report in reports) else 1


async def _prove(options: argparse.Namespace, stack: Stack, scenario: Scenario) -> dict[str, Any]:
    sys.stderr.write(f"{scenario.title}: {options.requests} requests ...\n")
    headers = {}
    if options.key_file is not None:
        key = options.key_file.read_text(encoding="utf-8").split()[0]
        headers["Authorization"] = f"Bearer {key}"
    async with httpx.AsyncClient(base_url=options.url, headers=headers) as http:
        traffic = Traffic(http, options.clip.read_bytes(), options.clients)
        first = await traffic.transcribe()
        if not first.text or first.result_id is None:
            raise StackError(f"expected a transcription that is kept, got {first}")
        seen = Seen()
        await traffic.run(options.requests, lambda: scenario.happen(stack, seen))
        lost = await traffic.lost()
    return _report(scenario, traffic, seen, lost, first.text)


def _report(
    scenario: Scenario, traffic: Traffic, seen: Seen, lost: list[Outcome], text: str
) -> dict[str, Any]:
    outcomes = traffic.outcomes
    failed = wrong(outcomes, text)
    faults = scenario.faults(outcomes, seen, text)
    transcriptions = [each for each in outcomes if each.kind == "transcribe"]
    return {
        "title": scenario.title,
        "requests": len(outcomes),
        "transcriptions": len(transcriptions),
        "reads": len(outcomes) - len(transcriptions),
        "under_way_at_begin": sum(each.under_way(seen.began_s, seen.began_s) for each in outcomes),
        "transcriptions_failed": sum(each.kind == "transcribe" for each in failed),
        "reads_failed": sum(each.kind == "read" for each in failed),
        "faults": len(faults),
        "text_without_result": sum(
            bool(each.text) and each.result_id is None for each in transcriptions
        ),
        "kept": len(traffic.kept),
        "lost": len(lost),
        "disturbed_s": round(seen.ended_s - seen.began_s, 1),
        "slowest_s": round(max(each.ended_s - each.started_s for each in outcomes), 2),
        "measured": {name: round(value, 1) for name, value in seen.measured.items()},
        "failed_from_to_s": [
            (round(each.started_s - seen.began_s, 3), round(each.ended_s - seen.began_s, 3))
            for each in failed[:_LISTED]
        ],
        "complaints": seen.complaints,
        "statuses": Counter(f"{each.kind} {each.status}" for each in outcomes),
        "examples": [repr(each) for each in (faults + lost or failed)[:_SHOWN]],
        "holds": not faults and not lost and not seen.complaints,
    }


def _table(reports: list[dict[str, Any]]) -> str:
    columns = {
        "while": "title",
        "requests": "requests",
        "under way when it began": "under_way_at_begin",
        "transcriptions failed": "transcriptions_failed",
        "reads failed": "reads_failed",
        "of both, not as allowed": "faults",
        "text, nothing kept": "text_without_result",
        "acknowledged as kept": "kept",
        "of those lost": "lost",
        "slowest answer s": "slowest_s",
    }
    rows = [list(columns), ["---"] * len(columns)]
    rows += [[str(report[name]) for name in columns.values()] for report in reports]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    for report in reports:
        lines += [f"\n{name}: {value}" for name, value in report["measured"].items()]
        if not report["holds"]:
            lines += [f"\n{report['title']}: does not hold", *report["complaints"]]
            lines += report["examples"]
    return "\n".join(lines) + "\n"


def _scenario(name: str) -> str:
    if name not in SCENARIOS:
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(SCENARIOS)}, got {name!r}")
    return name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="the proxy (%(default)s)")
    parser.add_argument("--key-file", type=Path, help="a file with an API key, if one is needed")
    parser.add_argument(
        "--compose",
        default="docker compose",
        help="the command (%(default)s); DOCKER_HOST and COMPOSE_PROJECT_NAME are heeded",
    )
    parser.add_argument(
        "--requests", type=int, default=2000, help="for each scenario, at least (%(default)s)"
    )
    parser.add_argument("--clients", type=int, default=12, help="at a time (%(default)s)")
    parser.add_argument(
        "--clip",
        type=Path,
        default=REPOSITORY / "examples/sample.flac",
        help="a recording (%(default)s)",
    )
    parser.add_argument("--json", type=Path, help="write all that was counted into this file")
    parser.add_argument(
        "only",
        nargs="*",
        type=_scenario,
        metavar="SCENARIO",
        default=list(SCENARIOS),
        help=f"{', '.join(SCENARIOS)}; by default each",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
