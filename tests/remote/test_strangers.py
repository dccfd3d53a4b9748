"""What the box does with those who have no key, another version, or nothing sensible to say."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onscope.runtime import Pipeline, Runtime, WorkerError, block
from onscope.runtime.record import open_recording
from onscope.runtime.remote import Secret, Server
from onscope.runtime.remote.link import _box
from onscope.runtime.remote.packages import Store
from onscope.runtime.remote.server import _greeting
from onscope.runtime.remote.wire import VERSION, WireError
from onscope.runtime.worker import VERSION as WORKER_VERSION
from tests import models
from tests.boxes import Running

from .test_cuts import served

Serve = Callable[..., Running]
HELLO = {"kind": "hello", "version": VERSION, "worker_version": WORKER_VERSION, "onscope": "1", "token": ""}
HELLO |= {"session": "", "got": 0, "replaces": [], "pack": "auto", "memory_bytes": 0}
NAME = "a" * 64 + ".onnx"


@contextmanager
def dealer(port: int) -> Iterator[Any]:
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, 10_000)
        socket.connect(f"tcp://127.0.0.1:{port}")
        yield socket


def said(socket: Any, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        head: dict[str, Any] = json.loads(socket.recv_multipart()[0])
        if head["kind"] == kind:
            return head


def test_with_its_key_one_is_let_in_and_what_is_sent_is_encrypted(
    serve: Serve, tmp_path: Path, pipeline: Pipeline
) -> None:
    secret = Secret.of(tmp_path / "key")
    box = serve(secret=secret)
    with Runtime(pipeline, worker=f"{box.address}#{secret.key}", admission=block(4)) as it:
        it.prepare(models.SPEC)
        it.submit(models.frame(0))
        assert it.drain(30)
        assert it.ledger.counts["done"] == 1
    with dealer(box.port) as stranger:  # without encryption nobody is even heard
        stranger.setsockopt(zmq.RCVTIMEO, 500)
        stranger.send(json.dumps(HELLO).encode())
        with pytest.raises(zmq.Again):
            stranger.recv_multipart()


@pytest.mark.long
def test_another_key_or_token_is_refused(
    serve: Serve, tmp_path: Path, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_box, "FIRST_CONTACT_S", 2.0)
    secret, other = Secret.of(tmp_path / "key"), Secret.of(tmp_path / "other")
    box = serve(secret=secret)
    with pytest.raises(WorkerError, match="look at the address, its key"):
        Runtime(pipeline, worker=f"{box.address}#{other.key}")
    guessed = Secret(secret.secret, other.token)
    with pytest.raises(WorkerError, match="found another token, expected that of its address"):
        Runtime(pipeline, worker=f"{box.address}#{guessed.key}")
    with pytest.raises(WorkerError, match="found no onscope at"):
        Runtime(pipeline, worker=box.address)
    assert not box.server.workers


def test_nothing_listens_beyond_this_machine_without_a_key() -> None:
    with pytest.raises(WorkerError, match=r"found no key for the address 0\.0\.0\.0"):
        Server("0.0.0.0")


def test_another_version_is_refused_in_words(box: Running, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_greeting, "VERSION", 9)
    with pytest.raises(WorkerError, match=rf"\(protocol {VERSION}\.{WORKER_VERSION}\) on the PC, expected protocol 9"):
        Runtime(pipeline, worker=box.address)


def test_no_more_workers_than_allowed(serve: Serve, pipeline: Pipeline) -> None:
    box = serve(most=1)
    with (
        Runtime(pipeline, worker=box.address),
        pytest.raises(WorkerError, match="1 workers run already"),
    ):
        Runtime(pipeline, worker=box.address)


def test_several_pcs_at_once(box: Running, pipeline: Pipeline) -> None:
    runs = [Runtime(pipeline, worker=box.address, admission=block(4)) for _ in range(3)]

    def drive(it: Runtime, first: int) -> None:
        it.prepare(models.SPEC)
        for seq in range(first, first + 50):
            it.submit(models.frame(seq))
        it.drain(60)

    threads = [threading.Thread(target=drive, args=(it, 100 * n)) for n, it in enumerate(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(box.server.workers)) == 3
    for it in runs:
        it.close()
        assert it.ledger.counts["done"] == 50


def test_a_recording_says_which_box_it_was_and_how_far_its_clock_is_known(
    box: Running, pipeline: Pipeline, tmp_path: Path
) -> None:
    with Runtime(pipeline, worker=box.address, admission=block(4), record=tmp_path / "run") as it:
        it.prepare(models.SPEC)
        it.submit(models.frame(0))
        assert it.drain(30)
        time.sleep(0.5)  # beats
    told = open_recording(tmp_path / "run").manifest["box"]
    assert told["address"] == box.address
    assert abs(told["clock"]["ahead_ns"]) <= told["clock"]["uncertainty_ns"] < 100_000_000  # it is the same clock


def test_files_have_no_other_names_and_no_other_content_than_their_hash(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    data = b"weights" * 1000
    name = f"{hashlib.sha256(data).hexdigest()}.onnx"
    assert not store.has(name)
    upload = store.begin(name, len(data))
    assert not upload.write(0, data[:100])
    assert upload.write(100, data[100:])
    assert store.has(name)
    assert store.place(name).read_bytes() == data
    with pytest.raises(WireError, match="it changed after the pipeline was loaded"):
        store.begin(NAME, 3).write(0, b"abc")
    with pytest.raises(WireError, match="found a piece at 5"):
        store.begin(NAME, 3).write(5, b"abc")
    with pytest.raises(WireError, match="found a piece at 0"):
        store.begin(NAME, 3).write(0, b"abcd")
    with pytest.raises(WireError, match="found a file of"):
        store.begin(NAME, 1 << 40)
    with pytest.raises(WireError):
        store.begin("../x.onnx", 3)
    assert [path.name for path in (tmp_path / "store").iterdir()] == [name]


RUN = {"kind": "run", "window": 1, "lane": 0, "slots": [0], "answer": 0, "stages": None, "state": None}
STAGE = {"name": "a", "weights": "/etc/passwd", "weights_sha256": "a" * 64, "trust": None}
OPEN = {"kind": "open", "lane": 0, "stages": [STAGE], "ring": {"slot_bytes": 64, "slots": 1}, "calibration": None}
OPEN |= {"provider": "cpu", "spec": {}, "numbers": {}}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(NAME),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["hello", "beat", "bye", "worker", "fill", "have", "file", "refused", "welcome", "x"])
known = st.sampled_from(
    ("n", "got", "lane", "slot", "at", "bytes", "item", "name", "files", "message", "token", "session", "replaces")
) | st.sampled_from(("pack", "memory_bytes", "sent_ns", "rate"))
heads = st.builds(lambda kind, more: {**more, "kind": kind}, kinds, st.dictionaries(known, values, max_size=6))
messages = st.one_of(
    st.builds(lambda base, key, value: {**base, key: value}, st.sampled_from([RUN, OPEN]), known, values),
    st.fixed_dictionaries({"kind": st.sampled_from(["run", "open", "answers", "tune", "close", "hello"])}),
    values,
)
counted = st.builds(lambda message: {"kind": "worker", "message": message}, messages) | heads
parts = st.lists(st.binary(max_size=200), max_size=4)


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[psutil.Process, int, Path]]:
    folder = tmp_path_factory.mktemp("victim")
    (folder / "mine.txt").write_text("mine")
    with served(0, "--store", str(folder / "store"), "--most", "2") as (process, address):
        yield psutil.Process(process.pid), int(address.rpartition(":")[2]), folder


def check(victim: tuple[psutil.Process, int, Path]) -> None:
    process, port, folder = victim
    with dealer(port) as socket:
        socket.send(json.dumps({**HELLO, "version": 0}).encode())
        assert "protocol 0" in said(socket, "refused")["words"]
    assert process.is_running()
    assert sorted(path.name for path in folder.iterdir()) == ["mine.txt", "store"]
    assert not list((folder / "store").iterdir())


@given(st.lists(st.one_of(parts, st.tuples(heads.map(lambda head: json.dumps(head).encode()))), max_size=10))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_strangers_cannot_harm_a_box(victim: tuple[psutil.Process, int, Path], sent: list[Any]) -> None:
    with dealer(victim[1]) as socket:
        for each in sent:
            if each:
                socket.send_multipart(list(each))
        check(victim)


@given(st.lists(st.tuples(counted, st.none() | st.binary(max_size=100)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_guests_cannot_harm_a_box(victim: tuple[psutil.Process, int, Path], sent: list[Any]) -> None:
    with dealer(victim[1]) as socket:
        socket.send(json.dumps(HELLO).encode())
        said(socket, "welcome")
        for number, (head, payload) in enumerate(sent, 1):
            data = json.dumps({**head, "n": number, "got": 0}).encode()
            socket.send_multipart([data] if payload is None else [data, payload])
        socket.send(json.dumps({"kind": "bye", "kill": True}).encode())
        check(victim)


def test_a_box_does_not_grow_with_what_it_refuses(victim: tuple[psutil.Process, int, Path]) -> None:
    process, port, _ = victim

    def flood() -> int:
        for _ in range(40):
            with dealer(port) as socket:
                socket.send_multipart([b"{" * (1 << 20), bytes(1 << 20)])
                socket.send_multipart([b"[" * 4096] * 3)
                socket.send(json.dumps({**HELLO, "token": "x" * 100}).encode())
                while "another token" not in said(socket, "refused")["words"]:
                    pass
        return int(process.memory_info().rss)

    flood()
    before = flood()
    assert flood() < before + (16 << 20)
