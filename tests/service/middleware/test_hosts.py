import socket

import pytest
from fastapi.testclient import TestClient

from service.app import create_app
from service.middleware.hosts import host_name
from service.settings import Settings

BY_DEFAULT = ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:9", "[::1]:8000", "10.0.0.7"]
OTHERS = ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]


@pytest.fixture(scope="module")
def defaults(tmp_path_factory, sentence_model):
    store_path = tmp_path_factory.mktemp("store") / "results.sqlite3"
    settings = Settings(store_path=store_path, model_path=sentence_model, hosts=())
    with TestClient(create_app(settings)) as client:
        yield client


def ask(client, host, path="/health/live"):
    return client.get(path, headers={"Host": host})


@pytest.mark.parametrize("host", BY_DEFAULT)
def test_this_machine_and_addresses_are_served(defaults, host):
    assert ask(defaults, host).status_code == 200


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.parametrize("path", ["/health/live", "/", "/v1/models", "/nowhere", "/openapi.json"])
def test_other_names_are_refused_everywhere(defaults, host, path):
    answer = ask(defaults, host, path)
    assert answer.status_code == 421
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert "OTOSCOPE_HOSTS" in answer.text
    assert "evil" not in answer.text


def test_a_page_of_another_name_transcribes_nothing(defaults, short_wav):
    answer = defaults.post(
        "/transcribe", files={"file": short_wav}, headers={"Host": "evil.example"}
    )
    assert answer.status_code == 421
    assert answer.json()["type"] == "urn:otoscope:problem:host-unknown"


@pytest.mark.parametrize(
    ("hosts", "served", "refused"),
    [
        (("speech.example.org",), ["speech.example.org", "Speech.Example.Org."], ["localhost"]),
        (("*.example.org",), ["a.example.org", "a.b.example.org"], ["example.org", "xexample.org"]),
        (("*",), ["anything", "evil.example"], []),
    ],
)
def test_names_that_are_chosen(make_settings, hosts, served, refused):
    client = TestClient(create_app(make_settings(hosts=hosts)))
    assert [ask(client, host).status_code for host in served] == [200] * len(served)
    assert [ask(client, host).status_code for host in refused] == [421] * len(refused)


def test_two_hosts_are_refused(make_settings):
    client = TestClient(create_app(make_settings(hosts=("localhost",))))
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert client.get("/health/live", headers=headers).status_code == 421


SENT = [
    ("http://evil.example/health/live", "Host: localhost\r\n", 421),
    ("http://localhost/health/live", "Host: localhost\r\n", 200),
    ("/health/live", "Host: localhost\r\n", 200),
    ("/health/live", "Host:\r\n", 421),
    ("/health/live", "", 421),
]


def test_no_host_and_that_of_a_whole_url(serve):
    """As proxies send it, and programs that no rule about hosts should overlook."""
    with serve(OTOSCOPE_HOSTS="localhost") as address:
        port = int(address.rpartition(":")[2])
        for target, header, status in SENT:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(f"GET {target} HTTP/1.1\r\n{header}\r\n".encode())
                answer = connection.recv(1000).decode()
            assert answer.startswith(f"HTTP/1.1 {status} "), (target, header)


def test_the_address_that_is_bound_is_served(make_settings):
    client = TestClient(create_app(make_settings(hosts=(), host="speech.lan")))
    assert ask(client, "speech.lan:8000").status_code == 200


@pytest.mark.parametrize(
    ("value", "name"),
    [("a.b:1", "a.b"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("A.B.", "a.b"), ("", "")],
)
def test_names_of_hosts(value, name):
    assert host_name(value) == name
