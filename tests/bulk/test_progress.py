"""Progress of a job, on a terminal and elsewhere."""

import os
import pty
import sys
import termios
from contextlib import suppress

from otoscope.bulk import progress
from otoscope.bulk.progress import JobProgress


def rest(main):
    """All that was written to a terminal that is closed."""
    found = b""
    with os.fdopen(main, "rb", buffering=0) as terminal, suppress(OSError):  # its end, on Linux
        while part := terminal.read(2**12):
            found += part
    return found.decode()


def test_a_terminal_has_a_bar(monkeypatch):
    main, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    lines = []
    with os.fdopen(terminal, "w") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with JobProgress(7200.0, lines.append) as shown:
            shown.add(1800.0)
    bar = rest(main)
    assert "25%" in bar
    assert "1.80k/7.20k" in bar
    assert lines == []


def test_a_log_has_lines(monkeypatch):
    monkeypatch.setattr(progress, "_BETWEEN_LINES_S", 0.0)
    lines = []
    with JobProgress(7200.0, lines.append) as shown:
        shown.add(0.0)  # nothing done tells no speed
        shown.add(1800.0)
    [line] = lines
    assert line.startswith("0.50 of 2.00 h, ")
    assert line.endswith(" left")
