"""docs/architecture.md lists the calls from an upload to the graph and from posteriors to a search.

A real request is watched: the stack of this project's functions is noted where the graph runs and
where the search begins, across threads and processes.
"""

import json
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from calls import stack
from fastapi.testclient import TestClient

from otoscope import job_processes, recognizer
from service.app import create_app
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
ROUTE = "service/routes/transcribe.py:transcribe"
HANDS_OVER = "service/inference/watched_threads.py:"  # as ThreadPoolExecutor, which it is
FEWEST, MOST_TO_GRAPH, MOST_TO_SEARCH = 4, 9, 9
OF_THE_PROCESS = """
import json, os, sys

sys.path.append({here!r})
from calls import stack

def watch(frame, event, _):
    if event == "call" and frame.f_code.co_filename.endswith("/prefix_search.py"):
        calls = stack(frame)
        if calls and calls[-1].endswith("/prefix_search.py:search"):
            sys.setprofile(None)
            with open({out!r}, "w") as file:
                json.dump(calls, file)

sys.setprofile(watch)
"""


def listed(heading):
    """The calls below a heading of the document, as file:function."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    [section] = re.findall(rf"^### {heading}\n(.*?)^#", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\d+\. `([\w/.]+:[\w.]+)`", section, re.MULTILINE)


@pytest.fixture(scope="module")
def monkeypatch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def calls_here(monkeypatch):
    """A function that gives the calls which led to it, across hand-overs to threads."""
    handed_over = threading.local()

    def calls():
        here = [call for call in stack(sys._getframe(1)) if not call.startswith(HANDS_OVER)]
        return getattr(handed_over, "calls", []) + here

    submit = ThreadPoolExecutor.submit

    def submit_noted(pool, work, *args, **kwargs):
        before = calls()

        def noted():
            handed_over.calls = before
            return work(*args, **kwargs)

        return submit(pool, noted)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", submit_noted)
    return calls


@pytest.fixture(scope="module")
def ways(calls_here, monkeypatch, tmp_path_factory):
    """What a request went through: calls to the graph, and from there to a search."""
    graph, search = [], []
    open_session, load = recognizer.open_session, job_processes.pickle.loads
    folder = tmp_path_factory.mktemp("ways")
    in_process = folder / "calls.json"

    class Session:
        """onnxruntime's, watched."""

        def __init__(self, session):
            self._session = session

        def __getattr__(self, name):
            return getattr(self._session, name)

        def run(self, *args):
            graph.append(calls_here())
            return self._session.run(*args)

    def open_watched(*args):
        session, digest = open_session(*args)
        return Session(session), digest

    def load_noted(*args):
        search.append(calls_here())
        return load(*args)

    monkeypatch.setattr(recognizer, "open_session", open_watched)
    monkeypatch.setattr(job_processes.pickle, "loads", load_noted)
    code = OF_THE_PROCESS.format(here=str(ROOT / "tests/support"), out=str(in_process))
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)  # the process gets this path
    settings = Settings(store_path=folder / "results", search_processes=1)
    with TestClient(create_app(settings)) as client:
        file = (ROOT / "examples/sample.flac").read_bytes()
        answer = client.post("/transcribe", files={"file": file}, data={"decoder": "beam"})
    assert answer.status_code == 200, answer.text
    [to_graph] = [calls for calls in graph if ROUTE in calls]  # the others are of the warm-up
    [to_search] = search
    to_search += json.loads(in_process.read_text(encoding="utf-8"))
    return to_graph, to_search


def test_an_upload_goes_the_documented_way_to_the_graph(ways):
    calls, _ = ways
    calls = calls[calls.index(ROUTE) + 1 :]
    assert calls == listed("Upload to graph")
    assert FEWEST <= len(calls) <= MOST_TO_GRAPH


def test_posteriors_go_the_documented_way_to_a_search(ways):
    _, calls = ways
    calls = calls[next(i for i, call in enumerate(calls) if "/decode_workers.py:" in call) :]
    assert calls == listed("Posteriors to search")
    assert FEWEST <= len(calls) <= MOST_TO_SEARCH
