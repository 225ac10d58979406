"""Attacks on the service. Each is bounded, and returns its finding."""

import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import connections
from mutations import mutate
from seeds import seeds
from target import LATE_S, LIMIT_S, Finding, long_flac, watched

FAILURES = Path(__file__).resolve().parents[1] / "otoscope" / "audio" / "failures"


def damaged_files(service, count):
    """Files that once killed it, and damaged ones, beside whole ones of other clients."""
    finding, whole = Finding("damaged files, whole ones between"), seeds()
    chance, names = random.Random(1), sorted(whole)
    bad = [path.read_bytes() for path in sorted(FAILURES.iterdir())]
    while len(bad) < count:
        bad.append(mutate(whole[chance.choice(names)], whole[chance.choice(names)], chance))
    expected = service.post(decoder="greedy").json()["text"]

    def post_bad(data):
        return service.post(data=data, decoder="greedy").status_code

    def post_good():
        answer = service.post(decoder="greedy")
        finding.expect(answer.json().get("text") == expected, "another client's answer")
        return answer.status_code

    attempts = [lambda data=data: post_bad(data) for data in bad]
    for at in range(0, len(attempts), 5):
        attempts.insert(at, post_good)
    with watched(service, finding):
        finding.run(attempts, at_a_time=4)
    return finding


def dying_processes(service, count):
    """Something else than a file ends decoding and search processes while they work."""
    finding = Finding("processes killed while they work")
    m4a = seeds()["m4a"]
    attempts = [lambda: service.post().status_code, lambda: service.post(data=m4a).status_code]
    pid = service.process.pid

    def kill():
        for name in ("decode_process", "decode_worker"):
            for each in service.children(name):
                with suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGKILL)
        return "killed"

    with watched(service, finding):
        finding.run([kill, *attempts, *attempts] * count, at_a_time=4)
    finding.expect(service.process.pid == pid, "the service is gone")
    finding.expect(set(finding.statuses) <= {"200", "503", "killed"}, "a file was blamed")
    return finding


def stopped_searches(service, _):
    """Every search process stands still."""
    finding = Finding("search processes stopped")
    stopped = service.children("decode_worker")
    for each in stopped:
        each.suspend()
    attempts = [lambda: service.post().status_code] * 4
    attempts += [lambda: service.post(decoder="greedy").status_code] * 4
    with watched(service, finding):
        finding.run(attempts, at_a_time=8)
    finding.expect(finding.slowest_s < LIMIT_S + LATE_S, "later than the limit")
    finding.note = f"{len(stopped)} stopped, replaced"
    return finding


def phrases(service, _):
    """Long lists of phrases, and longer ones than are allowed, alone and of a long recording."""
    finding = Finding("phrases: 1,000 short, 1,000 long, 50,000; long ones in five minutes")
    lists = [
        [f"word {'ab' * (number % 40)}" for number in range(1000)],
        ["ab" * 480 + "c" * (number % 7) + "" for number in range(999)] + ["it was"],
        ["a" * (1 + number % 30) for number in range(50_000)],
    ]
    attempts = [
        lambda each=each: service.post(phrases="\n".join(each)).status_code for each in lists * 2
    ]
    long = long_flac(300)
    attempts += [lambda: service.post(data=long, phrases="\n".join(lists[1])).status_code]
    with watched(service, finding):
        finding.run(attempts, at_a_time=3)
    finding.expect(finding.slowest_s < LIMIT_S + LATE_S, "later than the limit")
    return finding


def long_work(service, _):
    """A text is aligned with, and searched in, twenty minutes: more than the limit allows."""
    finding = Finding("long recordings: align, wide search")
    long = long_flac(1200)
    wide = {"beam_width": 2000, "n_best": 100}
    attempts = [
        lambda: service.post("/align", long, text="his father came home " * 1000).status_code,
        lambda: service.post(data=long, **wide).status_code,
        lambda: service.post(data=long, **wide).status_code,
        *[lambda: service.post(decoder="greedy").status_code] * 5,
    ]
    with watched(service, finding):
        finding.run(attempts, at_a_time=8)
    finding.expect(finding.slowest_s < LIMIT_S + LATE_S, "later than the limit")
    return finding


def leaving(service, _):
    """Clients leave in the middle of a search."""
    finding = Finding("clients that leave their search")
    long = long_flac(600)

    def leave():
        try:
            service.post(data=long, timeout_s=4.0, beam_width=2000)
        except Exception:  # noqa: BLE001 - it leaves
            return "left"
        return "answered"

    with watched(service, finding):
        finding.run([leave] * 4, at_a_time=4)
        left_s = time.monotonic()
        while _running(service) and time.monotonic() < left_s + 60:
            time.sleep(0.1)
        finding.note = f"all dropped {time.monotonic() - left_s:.1f} s after the last one left"
    return finding


def _running(service):
    lines = service.get("/metrics").text.splitlines()
    names = ("otoscope_recordings_running", "otoscope_recordings_waiting")
    return sum(float(line.split()[-1]) for line in lines if line.startswith(names))


def deleted_store(service, _):
    """The file of results is deleted under the service, again and again."""
    finding, kept = Finding("results' file deleted five times"), {}

    def transcribe():
        answer = service.post(decoder="greedy")
        if (result_id := answer.json()["id"]) is not None:
            kept[result_id] = answer.json()["text"]
        return answer.status_code

    with watched(service, finding):
        for _ in range(5):
            finding.run([transcribe] * 4, at_a_time=2)
            kept.clear()
            (service.folder / "results.sqlite3").unlink()
        finding.run([transcribe] * 8, at_a_time=2)
    lost = [each for each in kept if service.get(f"/transcriptions/{each}").status_code != 200]
    finding.note = f"{len(kept)} acknowledged since the last time, {len(lost)} lost"
    finding.expect(not lost, "acknowledged results lost")
    return finding


def log_is_json(service, _):
    """Every line of the log, after all of this."""
    finding = Finding("lines of the log")
    lines = service.log.read_text(errors="replace").splitlines()
    raw = [line for line in lines if not _is_json(line)]
    finding.note = f"{len(lines)} lines, {len(raw)} of them no JSON"
    finding.expect(not raw, f"raw lines: {raw[:2]}")
    return finding


def _is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


ALL = (
    *(damaged_files, dying_processes, stopped_searches, phrases, long_work, leaving),
    *connections.ALL,
    *(deleted_store, log_is_json),
)
