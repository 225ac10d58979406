import signal
import socket
import threading

import pytest
import redis
from running_redis import running_redis

from service.errors import StoreError, StoreRefusedError
from service.store import redis_client
from service.store.redis_client import ANSWER_S, AWAY_S, CONNECT_S, RedisServer


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


def ping(server):
    with server.transaction() as together:
        together.ping()
        return together.execute()


def test_a_server_that_goes_and_comes_back(tmp_path, clock):
    with running_redis(tmp_path) as running:
        server = RedisServer(running.url, clock=clock)
        assert ping(server) == [True]
        running.stop()
        with pytest.raises(StoreError, match="away"):
            ping(server)
        running.start()
        with pytest.raises(StoreError, match="away"):
            ping(server)  # not asked: it has just failed
        clock.now_s += AWAY_S
        assert ping(server) == [True]
        assert ping(server) == [True]


def test_a_restart_between_two_requests_is_not_noticed(tmp_path):
    with running_redis(tmp_path) as running:
        server = RedisServer(running.url)
        ping(server)
        running.stop()
        running.start()
        assert ping(server) == [True]


def test_nobody_waits_for_a_server_that_hangs_but_one_at_a_time(tmp_path, clock):
    with running_redis(tmp_path) as running:
        server = RedisServer(f"{running.url}?socket_timeout=0.2", clock=clock)
        ping(server)
        running.signal(signal.SIGSTOP)
        try:
            with pytest.raises(StoreError, match="Timeout"):
                ping(server)
            clock.now_s += AWAY_S
            with server.transaction():  # one tries ...
                with pytest.raises(StoreError, match="away"):
                    ping(server)  # ... and no other does meanwhile
                clock.now_s += 2 * (CONNECT_S + ANSWER_S)
                with pytest.raises(StoreError, match="Timeout"):
                    ping(server)
        finally:
            running.signal(signal.SIGCONT)
        clock.now_s += AWAY_S
        assert ping(server) == [True]


class Resolver:
    """Knows a server's name; once it is gone, says so only when it is allowed to end."""

    def __init__(self):
        self.gone = threading.Event()
        self.may_end = threading.Event()
        self.asked_in_vain = 0

    def __call__(self, host, *args, **kwargs):
        if host == "store.test" and self.gone.is_set():
            self.asked_in_vain += 1
            self.may_end.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return _getaddrinfo("127.0.0.1", *args, **kwargs)


_getaddrinfo = socket.getaddrinfo


@pytest.fixture
def resolver(monkeypatch):
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    monkeypatch.setattr(redis_client, "CONNECT_S", 0.05)
    yield resolver
    resolver.may_end.set()


@pytest.mark.parametrize("connected_before", [True, False])
def test_a_name_that_is_looked_up_without_end_keeps_nobody_waiting(
    tmp_path, clock, resolver, connected_before
):
    with running_redis(tmp_path) as running:
        server = RedisServer(running.url.replace("127.0.0.1", "store.test"), clock=clock)
        if connected_before:
            assert ping(server) == [True]
        resolver.gone.set()
        running.stop()
        with pytest.raises(StoreError, match=r"away: expected the address of store\.test within"):
            ping(server)  # never comes back if the look-up is waited for
        assert resolver.asked_in_vain == 1
        running.start()
        resolver.gone.clear()
        clock.now_s += AWAY_S
        assert ping(server) == [True]


def test_a_url_with_tls_is_not_talked_to_in_the_clear():
    with redis_client.connection_pool("rediss://127.0.0.1:1", None) as connections:
        assert isinstance(connections.make_connection(), redis.SSLConnection)


def test_a_name_that_nobody_knows(resolver):
    resolver.gone.set()
    resolver.may_end.set()
    with pytest.raises(StoreError, match=r"store\.test has no address: .*Temporary failure"):
        ping(RedisServer("redis://store.test:1/0"))


@pytest.mark.parametrize("given", [{}, {"password": "catfish"}])
def test_without_the_password_it_is_refused_and_no_password_is_told(tmp_path, given):
    with running_redis(tmp_path, "--requirepass", "swordfish") as running:
        with pytest.raises(StoreRefusedError) as refused:
            ping(RedisServer(running.url, **given))
        assert "fish" not in str(refused.value)
        assert ping(RedisServer(running.url, "swordfish")) == [True]
        in_url = running.url.replace("://", "://:swordfish@")
        assert ping(RedisServer(in_url)) == [True]


@pytest.mark.parametrize("url", ["http://a", "redis://a?colour=red", "redis://a?socket_timeout=x"])
def test_urls_that_cannot_be_understood(url):
    with pytest.raises(ValueError, match=r"Redis URL|colour|socket_timeout"):
        RedisServer(url)
