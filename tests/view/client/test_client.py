"""The client against a server that speaks the contract, over real sockets."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("websockets", reason="the view's client needs websockets: install onscope[view]")

from onscope.view._values import Wanted
from onscope.view.client import ViewClient, ViewError
from tests.view.client.standin import StandIn, standin
from tests.view.client.values import layout

WAIT_S = 30.0


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standin(token="secret") as made:
        yield made


class Heard:
    """What a client told, in order; `until` waits for a kind."""

    def __init__(self) -> None:
        self.all: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()

    def __call__(self, kind: str, told: dict[str, Any]) -> None:
        self.all.put((kind, told))

    def until(self, kind: str) -> dict[str, Any]:
        while True:
            found, told = self.all.get(timeout=WAIT_S)
            if found == kind:
                return told


def test_it_shows_what_is_wanted(server: StandIn) -> None:
    with ViewClient(server.url) as client:
        assert client.wait(WAIT_S).images[2].labels
        client.show(
            [Wanted(4, "raw", bits=16, vectors=("spots:cells", "tails:tracks")), Wanted(1, "denoise", size=(48, 48))]
        )
        server.frame = 7
        update = client.take(WAIT_S)
        assert update is not None
        assert update.frame["seq"] == 7
        assert set(update.pictures) == {4, 1}
        assert update.pictures[4].pixels.dtype == np.uint16
        assert update.pictures[4].pixels[0, 0] == 7
        assert update.pictures[1].pixels.shape == (32, 43)
        assert update.pictures[1].rect == (0, 0, 48, 64)
        cells = update.tables["cells"]
        assert list(cells["y"]) == [8, 16, 24]
        spots, tails = update.vectors
        assert np.array_equal(spots.points[:, 0], cells["y"].astype(np.float32) + 0.5)
        assert tails.starts is not None
        assert list(tails.starts) == [0, 1, 2, 3]
        assert (update.age_ms, update.latency_ms, update.trust["denoise"]["suspicion"]) == (12.5, 21.0, 0.3)


def test_nothing_is_sent_that_nobody_takes_and_the_newest_is(server: StandIn) -> None:
    with ViewClient(server.url) as client:
        client.wait(WAIT_S)
        client.show([Wanted(0)])
        assert client.take(WAIT_S) is not None
        server.frame = 50
        update = client.take(WAIT_S)
        assert update is not None
        assert update.frame["seq"] == 50
        assert server.updates == len(server.said("credit")) == 2


def test_it_connects_again_and_says_again_what_it_wants(server: StandIn) -> None:
    heard = Heard()
    with ViewClient(server.url, heard=heard) as client:
        client.wait(WAIT_S)
        client.show([Wanted(0, "raw")])
        assert client.take(WAIT_S) is not None
        heard.until("connected")
        server.drop()
        assert heard.until("lost")["words"]
        assert client.take(WAIT_S) is not None  # asked for while there is no connection
        heard.until("connected")
        assert [show["views"][0]["image"] for show in server.said("show")] == ["raw", "raw"]


def test_it_finds_a_server_that_comes_later() -> None:
    with standin() as before:
        port = before.port
    with ViewClient(f"127.0.0.1:{port}") as client, standin(port=port):
        assert client.wait(WAIT_S).run == "abc"


def test_a_wrong_token_is_refused_for_good(server: StandIn) -> None:
    with ViewClient(server.url, token="guess") as client:
        with pytest.raises(ViewError, match="another token"):
            client.wait(WAIT_S)
        assert client.state == "refused"
        assert client.take(WAIT_S) is None
        assert len(server.said("hello")) == 1


def test_actions_are_answered(server: StandIn) -> None:
    with ViewClient(server.url) as client:
        client.wait(WAIT_S)
        done = client.do("pause")
        assert (done.ok, done.words) == (True, "pause: done")
        assert not client.do("tune", of="denoise", name="threshold", value=0.5).ok
        named = client.do("snapshot", views=[])
        assert client.snapshot(named.more["name"], WAIT_S) == server.png
        asked = server.said("do")[1]
        assert (asked["of"], asked["name"], asked["value"]) == ("denoise", "threshold", 0.5)
        server.answers = False
        with pytest.raises(ViewError, match="no answer to 'arm'"):
            client.do("arm", timeout_s=0.2)
        open_ = client.ask("arm")
        server.drop()
        with pytest.raises(ViewError, match="lost before an answer"):
            open_.result(WAIT_S)


def test_it_hears_of_the_run(server: StandIn) -> None:
    heard = Heard()
    with ViewClient(server.url, heard=heard) as client:
        assert heard.until("status")["frames_per_s"] == 30.1
        assert client.status["frames_per_s"] == 30.1
        server.tell({"type": "told", "kind": "warning", "words": "dim", "bad": True, "at": 0.0})
        assert heard.until("told")["words"] == "dim"
        server.tell({"type": "layout", "layout": layout(run="next")})
        heard.until("layout")
        assert client.layout is not None
        assert client.layout.run == "next"
        server.tell({"type": "nonsense without a layout", "layout": 3})
        server.tell({"type": "layout", "layout": {"run": 1}})
        assert "layout that cannot be read" in heard.until("bad")["words"]
        assert client.layout.run == "next"
        server.tell({"type": "ended", "words": "the run is over"})
        heard.until("ended")
        assert client.ended
        client.show([Wanted(0)])
        assert client.take(WAIT_S) is not None


def test_one_who_listens_badly_does_not_end_it(server: StandIn) -> None:
    def fail(kind: str, told: dict[str, Any]) -> None:
        raise RuntimeError(kind)

    with ViewClient(server.url, heard=fail) as client:
        client.wait(WAIT_S)
        client.show([Wanted(0)])
        assert client.take(WAIT_S) is not None


def test_too_many_pictures_are_refused_here(server: StandIn) -> None:
    with ViewClient(server.url) as client, pytest.raises(ViewError, match="found 9 pictures"):
        client.show([Wanted(n) for n in range(9)])
