"""Servers that lie, flood, send elsewhere or say nothing: the client names it, holds no more, and can always leave."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets", reason="the view's client needs websockets: install onscope[view]")

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from onscope.view._values import Wanted
from onscope.view._wire import MOST_HEAD, pack
from onscope.view.client import ViewClient, ViewError
from tests.view.client.standin import StandIn, standin
from tests.view.client.test_client import WAIT_S, Heard
from tests.view.client.values import layout

HELLO = {"type": "hello", "version": 1, "layout": layout()}


@contextmanager
def serving(handler: Callable[[ServerConnection], object], **more: Any) -> Iterator[str]:
    with serve(handler, "127.0.0.1", 0, compression=None, **more) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def ended(client: ViewClient) -> bool:
    client.close()
    return not client._line._thread.is_alive()


def test_redirects_are_not_followed() -> None:
    asked = []

    def elsewhere(connection: ServerConnection, request: Request) -> Response:
        asked.append(request.path)
        return Response(302, "Found", Headers({"Location": "/live"}))

    with serving(lambda _: None, process_request=elsewhere) as url, ViewClient(url) as client:
        with pytest.raises(ViewError, match="answered 302"):
            client.wait(WAIT_S)
        assert (client.state, asked) == ("refused", ["/live"])


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x82\x7f" + (1 << 40).to_bytes(8, "big"), "message too big"),  # a terabyte is announced
        (b"\x82\x7f" + b"\xff" * 8, "message too big"),
        (b"\xf2\x05hello", "protocol error"),
        (b"\x81\x02\xff\xff", ""),  # text that is no text; who notices first has other words for it
    ],
)
def test_frames_that_lie_end_the_connection_and_not_the_client(raw: bytes, words: str) -> None:
    visits = []

    def lie(connection: ServerConnection) -> None:
        connection.recv()
        visits.append(1)  # before the client can hear of it
        connection.send(json.dumps(HELLO))
        if len(visits) == 1:
            connection.socket.sendall(raw)
        for _ in connection:
            pass

    heard = Heard()
    with serving(lie) as url, ViewClient(url, heard=heard) as client:
        assert words in heard.until("lost")["words"]
        heard.until("connected")
        assert len(visits) == 2
        assert ended(client)


@pytest.mark.parametrize(
    "first",
    [
        "no JSON",
        "[" * 100_000,
        "3",
        json.dumps(HELLO | {"layout": {"run": 1}}),
        json.dumps(HELLO | {"version": 2}),
        json.dumps({"type": "status"}),
        b"bytes",
    ],
)
def test_who_does_not_say_hello_is_left(first: str | bytes) -> None:
    def speak(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(first)
        for _ in connection:
            pass

    with serving(speak) as url, ViewClient(url) as client:
        with pytest.raises(ViewError, match="found"):
            client.wait(WAIT_S)
        assert client.state == "refused"
        assert client.words.startswith("found")


def test_one_who_says_nothing_can_be_left() -> None:
    came = threading.Event()

    def silent(connection: ServerConnection) -> None:
        connection.recv()
        came.set()
        for _ in connection:
            pass

    with serving(silent) as url, ViewClient(url) as client:
        assert came.wait(WAIT_S)
        assert ended(client)
        assert client.state == "closed"


def test_one_who_does_not_even_shake_hands_can_be_left() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        ViewClient(f"127.0.0.1:{server.getsockname()[1]}") as client,
        server.accept()[0] as there,
    ):
        there.settimeout(WAIT_S)
        assert there.recv(4).startswith(b"GET")
        assert ended(client)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standin() as made:
        yield made


def test_texts_that_cannot_be_used_are_told(server: StandIn) -> None:
    heard = Heard()
    with ViewClient(server.url, heard=heard) as client:
        heard.until("status")
        for told, words in (
            ({"type": "status", "filled": "x" * (1 << 20)}, "expected at most"),
            ({"type": "layout", "layout": layout(frames=1e400)}, "layout that cannot be read"),
            ({"type": "layout", "layout": layout(images=[{"name": "a", "dtype": "O", "shape": [1, 1]}])}, "image of O"),
            ({"kind": "of nothing"}, "JSON with a type"),
        ):
            server.tell(told)
            assert words in heard.until("bad")["words"]
        assert client.layout is not None
        assert "filled" not in client.status
        client.show([Wanted(0)])
        assert client.take(WAIT_S) is not None


@pytest.mark.long
def test_an_update_that_cannot_be_used_is_followed_by_another(server: StandIn) -> None:
    good, heard = server.update, Heard()
    head = pack({"frame": {}, "views": [{"id": n, "image": "raw", "rect": [0, 0, 1, 1], "array": 0} for n in range(9)]},
                [np.zeros((1, 1), np.uint8)])  # fmt: skip
    long = b"OSV1" + (MOST_HEAD + 1).to_bytes(4, "little") + bytes(MOST_HEAD + 1)
    deep = b"OSV1" + (1 << 19).to_bytes(4, "little") + b"[" * (1 << 19)
    bad = [b"", b"OSV1" + b"\xff" * 4, b"nothing of ours", head, long, deep]
    server.update = lambda views: bad.pop() if bad else good(views)  # type: ignore[method-assign]
    with ViewClient(server.url, heard=heard) as client:
        client.wait(WAIT_S)
        client.show([Wanted(0)])
        update = client.take(WAIT_S)
        assert update is not None
        assert update.frame["seq"] == 0
        said = [heard.until("bad")["words"] for _ in range(6)]
        assert "whose head cannot be used" in said[0]
        assert f"a head of {MOST_HEAD + 1} bytes" in said[1]
        assert "9 pictures" in said[2]


def test_snapshots_that_nobody_asked_for_are_not_kept(server: StandIn) -> None:
    heard = Heard()
    with ViewClient(server.url, heard=heard) as client:
        heard.until("status")
        with server._lock:  # it was told before it was among them
            sockets = list(server._sockets)
        for each in sockets:
            each.send(pack({"snapshot": "unasked.png"}, [np.zeros(8, np.uint8)]))
        assert "nobody asked for it" in heard.until("bad")["words"]
        assert client.snapshot("unasked.png", 0) is None


def test_a_run_without_a_layout_yet_is_waited_for(server: StandIn) -> None:
    server.layout = {"run": "", "images": [], "tables": [], "actions": []}
    heard = Heard()
    with ViewClient(server.url, heard=heard) as client:
        heard.until("status")
        assert (client.state, client.layout) == ("connected", None)
        server.tell({"type": "layout", "layout": layout()})
        assert client.wait(WAIT_S).run == "abc"
        client.show([Wanted(0)])
        assert client.take(WAIT_S) is not None


def test_two_who_take_are_both_given_one(server: StandIn) -> None:
    with ViewClient(server.url) as client:
        client.wait(WAIT_S)
        client.show([Wanted(0)])
        taken: list[Any] = []
        threads = [threading.Thread(target=lambda: taken.append(client.take())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        assert len(taken) == 2
        assert None not in taken
