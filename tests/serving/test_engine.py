"""The engine `kserve` is an engine like the others: the suites of the contract, over gRPC."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import DeviceLostError, ProviderError
from onscope.runtime._shm import SharedSlots
from onscope.runtime.engines import Session, Shares, open_session
from onscope.runtime.kserve import KserveEngine
from tests import models
from tests.live.staged_tests import StagedEngineTests

from .servers import StandIn


class Served(StagedEngineTests):
    """Every graph that is opened is put into the server's repository before."""

    server: StandIn
    more = ""

    @pytest.fixture(autouse=True)
    def _server(self, shared_server: StandIn) -> None:
        self.server = shared_server
        self.provider = shared_server.provider + self.more

    def open(self, graph: Path) -> Session:
        self.server.serve(graph)
        return open_session(graph, self.provider, 1)


class TestOverTheConnection(Served):
    more = "?shared=never"


class TestInSharedMemory(Served):
    pass


class TestOneAfterAnother(Served):
    more = "?in_flight=2"


class TestWithoutSharing(Served):
    """A server of this machine that sees other memory, as in a container."""

    @pytest.fixture(scope="class")
    def apart(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
        server = StandIn(tmp_path_factory.mktemp("apart"), shares=False)
        yield server
        server.kill()

    @pytest.fixture(autouse=True)
    def _server(self, apart: StandIn) -> None:
        self.server, self.provider = apart, apart.provider


def test_frames_that_lie_in_shared_memory_are_not_sent(folder: Path, shared_server: StandIn) -> None:
    graph = models.plus_one(folder / "plus").weights
    shared_server.serve(graph)
    session = open_session(graph, shared_server.provider)
    slots = SharedSlots.create(8 * 8 * 2, 4)
    try:
        assert isinstance(session, Shares)
        session.lie_in_shared(slots.name, slots.whole)
        for slot in range(4):
            frame = slots.view(slot, (1, 1, 8, 8), np.uint16)
            frame[...] = 7 * slot
            assert np.all(session.run([frame])[0] == 7 * slot + 1)
        assert any(slots.name in each for each in session._server.shared().values())  # type: ignore[attr-defined]
    finally:
        session.close()  # type: ignore[attr-defined]
        slots.close()


def test_memory_of_a_client_that_was_killed_is_given_back(folder: Path, shared_server: StandIn) -> None:
    graph = models.plus_one(folder / "plus").weights
    shared_server.serve(graph)
    gone = SharedSlots.create(64, 1)
    first = open_session(graph, shared_server.provider)
    server = first._server  # type: ignore[attr-defined]
    assert server.share(f"{gone.name}-left", gone.name, 64)
    gone.close()
    second = open_session(graph, shared_server.provider)
    assert f"{gone.name}-left" not in server.shared()
    for each in (first, second):
        each.close()  # type: ignore[attr-defined]


def test_a_graph_that_the_server_has_not_is_refused(folder: Path, shared_server: StandIn, tmp_path: Path) -> None:
    graph = models.plus(tmp_path / "other", 77).weights
    with pytest.raises(ProviderError, match=r"found no model 'onscope-.*onscope deploy"):
        open_session(graph, shared_server.provider)


def test_the_model_of_another_graph_is_refused(folder: Path, shared_server: StandIn) -> None:
    other = shared_server.serve(models.brightest(folder / "found").weights)
    graph = models.plus_one(folder / "plus").weights
    with pytest.raises(ProviderError, match="another graph's"):
        open_session(graph, f"{shared_server.provider}?model={other}")


def test_nobody_there_is_told_at_once(folder: Path) -> None:
    graph = models.plus_one(folder / "plus").weights
    with pytest.raises(ProviderError, match="cannot be reached"):
        open_session(graph, "kserve:127.0.0.1:9")


@pytest.mark.parametrize("argument", ["", "host:port", "host?model"])
def test_an_address_that_is_none_is_refused(argument: str) -> None:
    with pytest.raises(ProviderError, match="expected kserve:HOST:PORT"):
        KserveEngine(argument)


def test_a_server_that_says_nothing_is_lost_after_the_time_out(folder: Path, tmp_path: Path) -> None:
    server = StandIn(tmp_path / "repository")
    graph = models.plus_one(folder / "plus").weights
    server.serve(graph)
    session = open_session(graph, f"{server.provider}?timeout_s=0.3")
    frame = np.zeros((1, 1, 8, 8), np.uint16)
    assert np.all(session.run([frame])[0] == 1)
    server.pause(True)
    with pytest.raises(DeviceLostError, match=r"no answer within 0\.3 s"):
        session.run([frame])
    server.pause(False)
    assert np.all(session.run([frame])[0] == 1)
    server.kill()
    with pytest.raises(DeviceLostError, match="is lost"):
        session.run([frame])
    server.start()
    end = time.monotonic() + 20
    while True:  # the connection mends itself when the server is back
        try:
            assert np.all(session.run([frame])[0] == 1)
            break
        except DeviceLostError:
            assert time.monotonic() < end
            time.sleep(0.05)
    server.kill()


def test_what_an_answer_depends_on_is_told(folder: Path, shared_server: StandIn) -> None:
    graph = models.plus_one(folder / "plus").weights
    name = shared_server.serve(graph)
    known = KserveEngine(shared_server.provider.partition(":")[2]).made_for(graph)
    assert known == {"server": "standin 1", "model": name, "version": "1", "by": "onnx"}
