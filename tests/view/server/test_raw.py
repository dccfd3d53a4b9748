"""Bytes that no browser sends, at the real server in its own process: nothing falls over, and nothing is held up."""

from __future__ import annotations

import os
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .rigs import PATIENT_S, Rig, goes_on, rig

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HELLO = b'{"type": "hello", "version": 1, "token": "s3cret"}'
TEXT, PING, CONTINUED = 1, 9, 0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One view for all, which has to outlive everything that is sent to it."""
    with rig(tmp_path_factory.mktemp("run"), token="s3cret") as made:
        yield made


@pytest.fixture(autouse=True)
def _goes_on(run: Rig) -> Iterator[None]:
    pid = run.view.pid
    yield
    goes_on(run)
    assert run.view.pid == pid
    assert not [event.message for event in run.events if event.bad]


def sent(run: Rig, *parts: bytes) -> socket.socket:
    """A connection to which these bytes were sent, as far as it took them."""
    made = socket.create_connection(("127.0.0.1", run.view.port), timeout=PATIENT_S)
    with suppress(OSError):
        for part in parts:
            made.sendall(part)
    return made


def opened(run: Rig, *parts: bytes, known: bool = True) -> socket.socket:
    """A WebSocket, of a viewer or a stranger, to which these bytes were sent."""
    made = sent(run, upgrade())
    head = b""
    while b"\r\n\r\n" not in head:  # what comes before the answer is no frame
        more = made.recv(4096)
        assert more
        head += more
    assert head.startswith(b"HTTP/1.1 101")
    with suppress(OSError):
        for part in (frame(HELLO), *parts) if known else parts:
            made.sendall(part)
    return made


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    found = b""
    with closing(connection), suppress(ConnectionError):
        while more := connection.recv(65536):
            found += more
    return found


def asking(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, "Host: localhost", *headers, "", ""]).encode("latin-1")


def upgrade(*more: str) -> bytes:
    return asking(
        "GET /live HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {KEY}",
        *more,
    )


def frame(data: bytes, opcode: int = TEXT, *, last: bool = True, length: int | None = None, bits: int = 0) -> bytes:
    """A masked frame of a viewer; `length`: the one that it claims."""
    size = len(data) if length is None else length
    head = struct.pack("!B", (0x80 if last else 0) | bits | opcode)
    if size < 126:
        head += struct.pack("!B", 0x80 | size)
    elif size < 1 << 16:
        head += struct.pack("!BH", 0x80 | 126, size)
    else:
        head += struct.pack("!BQ", 0x80 | 127, size)
    return head + bytes(4) + data


@pytest.mark.parametrize(
    "request_line",
    ["HEAD /health HTTP/1.1", "GET http://evil.example/health HTTP/1.1", "GET /%00%ff%2e%2e%2fx HTTP/1.1"],
)
def test_odd_requests_are_answered(run: Rig, request_line: str) -> None:
    told = answer(sent(run, asking(request_line, "Connection: close")))
    assert told.split(b" ")[1] in (b"200", b"404")
    assert b"content-security-policy: default-src 'self'" in told.lower()


@pytest.mark.parametrize("method", ["POST", "TRACE", "CONNECT", "PROPFIND"])
def test_nothing_but_reading(run: Rig, method: str) -> None:
    told = answer(sent(run, asking(f"{method} /health HTTP/1.1", "Connection: close", "Content-Length: 99999999999")))
    assert told.startswith(b"HTTP/1.1 405")


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/1.0\r\n\r\n",
        asking("GET /health HTTP/1.1", "Host: evil.example"),
        asking("GET /health HTTP/1.1", "X: " + "x" * 200_000),
        asking("GET /" + "x" * 200_000 + " HTTP/1.1"),
        asking("GET /health HTTP/1.1", "Transfer-Encoding: chunked", "Content-Length: 3"),
    ],
    ids=range(8),
)
def test_wrong_requests_are_refused(run: Rig, wrong: bytes) -> None:
    told = answer(sent(run, wrong + b"\r\n\r\n"))
    assert not told or told.split(b" ")[1] in (b"400", b"403", b"431")


@pytest.mark.parametrize(
    "host",
    [
        "localhost.",
        "evil.localhost",
        "[::1].evil.example",
        "[::1]evil",
        "[evil.example]",
        "127.0.0.1@evil.example",
        "2130706433",
        "0x7f.1",
        "0.0.0.0",
        "::1",
        "",
        "127.0.0.1:80 evil",
        "lócalhost",
    ],
)
def test_other_hosts(run: Rig, host: str) -> None:
    told = answer(sent(run, f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1")))
    assert told.split(b" ")[1] in (b"400", b"403")


@pytest.mark.parametrize("host", ["LOCALHOST", "127.0.0.1", "127.8.8.8:1", "[::1]", "[::1]:8765", "localhost:"])
def test_this_machine(run: Rig, host: str) -> None:
    told = answer(sent(run, f"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()))
    assert told.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "headers",
    [
        ["Origin: http://localhost", "Origin: http://evil.example"],
        ["Origin: "],
        ["Origin: http://localhost.evil.example"],
        ["Origin: file://"],
    ],
)
def test_other_origins(run: Rig, headers: list[str]) -> None:
    assert answer(sent(run, upgrade(*headers))).split(b" ")[1] in (b"400", b"403")


def test_nothing_is_compressed(run: Rig) -> None:
    with closing(sent(run, upgrade("Sec-WebSocket-Extensions: permessage-deflate"))) as connection:
        told = connection.recv(4096)
    assert told.startswith(b"HTTP/1.1 101")
    assert b"sec-websocket-extensions" not in told.lower()


@pytest.mark.parametrize(
    "wrong",
    [
        frame(b"", length=1 << 62),
        frame(bytes(1000), bits=0x40),
        frame(b"x" * 200_000),
        frame(b"\xff\xfe"),
        frame(b"x" * 126, PING),
        frame(b"", 3),
        frame(b"x", CONTINUED),
        b"\x81\x05hello",
        b"".join([frame(b"{", last=False), *[frame(b"", CONTINUED, last=False)] * 5000]),
        b"".join([frame(b"x" * 60_000, last=False), *[frame(b"x" * 60_000, CONTINUED, last=False)] * 5]),
    ],
    ids=range(10),
)
@pytest.mark.parametrize("known", [False, True], ids=["stranger", "viewer"])
def test_wrong_frames_end_the_connection(run: Rig, wrong: bytes, known: bool) -> None:
    assert b"picture" not in answer(opened(run, wrong, known=known))


def test_pings_that_are_not_read_about_cost_no_memory(run: Rig) -> None:
    server = psutil.Process(run.view.pid)
    before = server.memory_info().rss
    flood = frame(b"x" * 125, PING) * 8000
    with closing(opened(run)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(20):  # twenty times 1 MB
            deaf.sendall(flood)
        assert server.memory_info().rss - before < 10 << 20


@pytest.mark.long
def test_who_asks_for_nothing_is_sent_away(run: Rig) -> None:
    begun = sent(run, b"GET /health HTTP/1.1\r\nHost: local")
    assert not answer(begun)


def test_strangers_do_not_take_the_viewers_places(run: Rig) -> None:
    strangers = [opened(run, known=False) for _ in range(70)]
    with run.eyes() as viewer:
        assert viewer.text("status")
    for each in strangers:
        each.close()


SAID = [HELLO, b'{"type": "credit", "n": 2}', b'{"type": "show", "views": []}']
PIECES = st.one_of(
    st.binary(max_size=40),
    st.builds(
        frame,
        st.binary(max_size=200)
        | st.sampled_from([HELLO, b'{"type": "credit", "n": 2}', b'{"type": "show", "views": []}']),
        st.integers(0, 15),
        last=st.booleans(),
        length=st.none() | st.integers(0, 1 << 40),
        bits=st.sampled_from([0, 0, 0, 0x40, 0x70]),
    ),
)
BEGINS = st.sampled_from(["nothing", "stranger", "viewer"])


def thrown(run: Rig, begin: str, pieces: list[bytes]) -> None:
    made = sent(run, *pieces) if begin == "nothing" else opened(run, *pieces, known=begin == "viewer")
    with closing(made) as connection, suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(0.05)
        connection.recv(4096)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(begin=BEGINS, pieces=st.lists(PIECES, max_size=6))
def test_any_bytes(run: Rig, begin: str, pieces: list[bytes]) -> None:
    thrown(run, begin, pieces)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(begin=BEGINS, pieces=st.lists(PIECES, max_size=12))
def test_many_bytes(run: Rig, begin: str, pieces: list[bytes]) -> None:
    thrown(run, begin, pieces)


@pytest.mark.slow
def test_a_lot_of_noise(run: Rig) -> None:
    rng = random.Random(1)
    for _ in range(500):
        opened(run, os.urandom(rng.randrange(1, 100_000)), known=rng.random() < 0.5).close()
