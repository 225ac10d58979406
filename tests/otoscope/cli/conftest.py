"""The command in this process, and what it wrote."""

import io
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

import pytest
from running_service import running_service

from otoscope.cli import main

ROOT = Path(__file__).resolve().parents[3]
Done = namedtuple("Done", "code out err")
KEY = "swordfish"


class Piped(io.StringIO):
    """Standard input that is a pipe."""

    def __init__(self, data):
        super().__init__()
        self.buffer = io.BytesIO(data)


@pytest.fixture(scope="session")
def sample():
    return ROOT / "examples/sample.flac"


@pytest.fixture
def otoscope(capfdbinary, monkeypatch, sentence_model):
    """Run the command with these arguments: its exit code, output and errors."""
    monkeypatch.setattr("otoscope.cli.local_backend._DEFAULT_MODEL", sentence_model)
    monkeypatch.delenv("OTOSCOPE_API_KEY", raising=False)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr("sys.stdin", Piped(stdin))
        try:
            code = main([str(one) for one in arguments])
        except SystemExit as left:  # argparse
            code = left.code
        out, err = capfdbinary.readouterr()
        return Done(code, out, err.decode())

    return run


@contextmanager
def serving(model, folder):
    """The address of a service."""
    variables = {"OTOSCOPE_API_KEYS": KEY, "OTOSCOPE_MODEL_PATH": str(model)}
    with (
        (folder / "log").open("wb") as log,  # not among what the command writes
        running_service(folder / "results.sqlite3", stderr=log, **variables) as address,
    ):
        yield address


@pytest.fixture(scope="session")
def address(tmp_path_factory, sentence_model):
    with serving(sentence_model, tmp_path_factory.mktemp("cli")) as address:
        yield address


@pytest.fixture(scope="session")
def writing_address(tmp_path_factory, written_model):
    with serving(written_model, tmp_path_factory.mktemp("cli")) as address:
        yield address


@pytest.fixture(params=["local", "service"])
def writing_backend(request, written_model):
    """Arguments that choose a model with punctuation, or a service that has one."""
    if request.param == "local":
        return "--model", written_model
    return "--server", request.getfixturevalue("writing_address"), "--api-key", KEY


@pytest.fixture(params=["local", "service"])
def backend(request):
    """Arguments that choose the model or the service."""
    if request.param == "local":
        return ()
    return "--server", request.getfixturevalue("address"), "--api-key", KEY
