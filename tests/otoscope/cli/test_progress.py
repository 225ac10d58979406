"""The bar: on terminals, for several files."""

import io
import re

import pytest

from otoscope.cli.progress import Progress


class Terminal(io.StringIO):
    """Remembers what is shown on it."""

    def isatty(self):
        return True


def show(monkeypatch):
    """The terminal that standard error is from here on; pytest takes its own for each phase."""
    pytest.importorskip("tqdm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    return terminal


def test_the_bar_shows_files_and_speed(monkeypatch):
    terminal = show(monkeypatch)
    with Progress(files=3) as progress:
        progress.advance(audio_s=3600.0)
        progress.advance(audio_s=0.0)
        shown = terminal.getvalue()
    assert "1/3" in shown
    assert "2/3" in shown
    speeds = re.findall(r"([\d.]+) s of audio a second", shown)
    assert float(speeds[-1]) > 0


def test_lines_are_written_above_the_bar(monkeypatch):
    terminal = show(monkeypatch)
    with Progress(files=2) as progress:
        progress.advance(1.0)
        progress.write_line("otoscope: one.wav: no such file")
    assert "\rotoscope: one.wav: no such file\n" in terminal.getvalue()


def test_one_file_has_no_bar(monkeypatch):
    terminal = show(monkeypatch)
    with Progress(files=1) as progress:
        progress.advance(1.0)
        progress.write_line("a line")
    assert terminal.getvalue() == "a line\n"


def test_without_a_terminal_there_is_no_bar(capsys):
    with Progress(files=9) as progress:
        progress.advance(1.0)
    assert capsys.readouterr().err == ""
