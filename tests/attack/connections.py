"""What is done to the service's connections: slow, endless, unread and foreign requests."""

import socket
import time

import httpx
from target import LATE_S, LIMIT_S, Finding, long_flac, temporary_bytes, watched


def trickling(service, _):
    """A byte each 1.5 s: of a head, and of a body."""
    finding = Finding("a byte each 1.5 s, of heads and bodies")
    starts = [b"GET /health/live HTTP/1.1\r\nA: ", head(10**6)]
    with watched(service, finding):
        finding.run(
            [lambda start=start: _trickle(service, start) for start in starts * 5], at_a_time=10
        )
    finding.expect(finding.slowest_s < LIMIT_S + LATE_S, "later than the limit")
    return finding


def head(size, path="/transcribe"):
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
    path = f"/features?id={_kept(service, long_flac(150))}"
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
            client.sendall(head(2**23))
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


ALL = (trickling, endless_head, unread_answers, unfinished_uploads, large_bodies, rebinding)
