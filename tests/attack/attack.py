"""Attack a service that this script starts on loopback, and print what became of it: `make attack`.

    python tests/attack/attack.py --files 300

Ends with 1 if the service died, answered 500, answered later than its limit, or lost what it had
acknowledged.
"""

import argparse
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "fuzz")]

import connections  # noqa: E402 - these lie beside this file and there
import scenarios  # noqa: E402
from target import Finding, target  # noqa: E402

HEADER = "| attack | statuses | slowest s | ready s | MiB | what else | wrong |"


def row(finding):
    statuses = ", ".join(f"{count} x {each}" for each, count in sorted(finding.statuses.items()))
    cells = (
        *(finding.name, statuses, f"{finding.slowest_s:.1f}", f"{finding.ready_s:.1f}"),
        *(f"{finding.memory_mib:.0f}", finding.note, "; ".join(dict.fromkeys(finding.wrong))),
    )
    return f"| {' | '.join(cells)} |"


def end_of(service):
    """SIGTERM while an upload trickles."""
    finding = Finding("SIGTERM while an upload trickles")
    with socket.create_connection(("127.0.0.1", service.port)) as client:
        client.sendall(connections.head(10**6))
        started_s = time.monotonic()
        service.process.send_signal(signal.SIGTERM)
        while service.process.poll() is None and time.monotonic() < started_s + 60:
            time.sleep(0.5)
            try:
                client.sendall(b"x")
            except OSError:
                continue
    finding.slowest_s = time.monotonic() - started_s
    finding.note = f"exit code {service.process.poll()}"
    finding.expect(finding.slowest_s < 20, "the server did not end")
    return finding


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="damaged files")
    parser.add_argument("--only", nargs="*", help="names of attacks")
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, target(Path(folder)) as service:
        sys.stdout.write(f"{HEADER}\n|{'---|' * HEADER.count(' | ')}---|\n")
        for attack in scenarios.ALL:
            if arguments.only and attack.__name__ not in arguments.only:
                continue
            count = arguments.files if attack is scenarios.damaged_files else 3
            finding = attack(service, count)
            wrong += bool(finding.wrong)
            sys.stdout.write(f"{row(finding)}\n")
            sys.stdout.flush()
        finding = end_of(service)
        wrong += bool(finding.wrong)
        sys.stdout.write(f"{row(finding)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
