"""What is done to the service. Each attack is bounded, and tells what it found."""

import io
import json
import os
import random
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import soundfile
from mutations import mutate
from seeds import seeds
from target import LIMIT_S, SAMPLE, Finding, temporary_bytes, watched

FAILURES = Path(__file__).resolve().parents[1] / "otoscope" / "audio" / "failures"
LATE_S = 2.0
"""Beside the limit, for a busy machine."""


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
    long = _long_flac(300)
    attempts += [lambda: service.post(data=long, phrases="\n".join(lists[1])).status_code]
    with watched(service, finding):
        finding.run(attempts, at_a_time=3)
    finding.expect(finding.slowest_s < LIMIT_S + LATE_S, "later than the limit")
    return finding


def long_work(service, _):
    """A text is aligned with, and searched in, twenty minutes: more than the limit allows."""
    finding = Finding("long recordings: align, wide search")
    long = _long_flac(1200)
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
    long = _long_flac(600)

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


def _long_flac(seconds):
    samples, rate_hz = soundfile.read(io.BytesIO(SAMPLE), dtype="int16")
    file = io.BytesIO()
    soundfile.write(
        file, np.tile(samples, -(-seconds * rate_hz // len(samples))), rate_hz, format="FLAC"
    )
    return file.getvalue()


def _running(service):
    lines = service.get("/metrics").text.splitlines()
    names = ("otoscope_recordings_running", "otoscope_recordings_waiting")
    return sum(float(line.split()[-1]) for line in lines if line.startswith(names))


def trickling(service, _):
    """A byte each 1.5 s: of a head, and of a body."""
    finding = Finding("a byte each 1.5 s, of heads and bodies")
    starts = [b"GET /health/live HTTP/1.1\r\nA: ", _head(10**6)]
    with watched(service, finding):
        finding.run(
            [lambda start=start: _trickle(service, start) for start in starts * 5], at_a_time=10
        )
    finding.expect(finding.slowest_s < LIMIT_S + LATE_S, "later than the limit")
    return finding


def _head(size, path="/transcribe"):
    boundary = b"--x\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n"
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x"
        f"\r\nContent-Length: {size}\r\n\r\n"
    ).encode() + boundary


def _trickle(service, start, pause_s=1.5):
    with socket.create_connection(("127.0.0.1", service.port), timeout=pause_s) as client:
        client.sendall(start)
        while True:
            try:
                return _status(client.recv(4096))
            except TimeoutError:
                client.sendall(b"x")


def _status(said):
    return said.split()[1].decode() if said else "closed"


def endless_head(service, _):
    """64 MB of headers."""
    finding = Finding("64 MB of headers")

    def flood():
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
            client.sendall(b"GET / HTTP/1.1\r\n")
            sent = 0
            try:
                while sent < 2**26:
                    client.sendall(b"A: " + b"x" * 8000 + b"\r\n")
                    sent += 8005
            except OSError:
                pass
            finding.note = f"{sent / 1e6:.1f} MB were read and dropped"
            return _status(client.recv(4096))

    with watched(service, finding):
        finding.run([flood] * 4, at_a_time=4)
    return finding


def unread_answers(service, _):
    """60 clients ask for a large matrix and do not read it."""
    finding = Finding("60 clients that read nothing of their answer")
    path = f"/features?id={_kept(service, _long_flac(150))}"
    size = len(service.get(path).content)
    clients = []

    def ask():
        client = socket.create_connection(("127.0.0.1", service.port), timeout=20)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        clients.append(client)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return _status(client.recv(64))

    before = service.memory_mib()
    with watched(service, finding):
        finding.run([ask] * 60, at_a_time=60)
        time.sleep(3)
    finding.note = f"{size / 1e6:.1f} MB each, {before:.0f} MiB before"
    for client in clients:
        client.close()
    return finding


def _kept(service, data):
    """The id of a result; a machine that is busy with what went before gets three attempts."""
    for _ in range(3):
        answer = service.post(data=data, decoder="greedy")
        if answer.status_code == 200:
            break
    answer.raise_for_status()
    return answer.json()["id"]


def unfinished_uploads(service, _):
    """90 uploads of 3 MB that never end."""
    finding = Finding("90 uploads of 3 MB without an end")
    most = 0

    def upload():
        nonlocal most
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
            client.sendall(_head(2**23))
            try:
                client.sendall(bytes(3 * 10**6))
                most = max(most, temporary_bytes(service))
                return _status(client.recv(4096))
            except OSError:
                return _status(client.recv(4096))

    with watched(service, finding):
        finding.run([upload] * 90, at_a_time=90)
    finding.note = f"at most {most / 1e6:.0f} MB of temporary files"
    return finding


def large_bodies(service, _):
    """200 MB where 64 MiB are allowed, announced and not."""
    finding = Finding("200 MB where 64 MiB are allowed")

    def pieces():
        for _ in range(200):
            yield bytes(10**6)

    def announced():
        return service.post(data=bytes(200 * 10**6)).status_code

    def in_pieces():
        headers = {"Content-Type": "audio/wav"}
        url = service.address + "/transcribe"
        return httpx.post(url, content=pieces(), headers=headers, timeout=60).status_code

    with watched(service, finding):
        finding.run([announced, in_pieces] * 4, at_a_time=2)
    finding.expect(set(finding.statuses) <= {"413"}, "not 413")
    return finding


def rebinding(service, _):
    """A page of another name."""
    finding = Finding("Host of another name")
    paths = ["/", "/health/live", "/model", "/openapi.json"]
    asked = [
        lambda path=path: service.get(path, headers={"Host": "evil.example"}).status_code
        for path in paths
    ]
    with watched(service, finding):
        finding.run(asked, at_a_time=2)
    finding.expect(set(finding.statuses) == {"421"}, "answered")
    return finding


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
    *(damaged_files, dying_processes, stopped_searches, phrases, long_work, leaving, trickling),
    *(endless_head, unread_answers, unfinished_uploads, large_bodies, rebinding, deleted_store),
    log_is_json,
)
