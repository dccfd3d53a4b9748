"""What the fuzzers found, each as it was, so that it is not found again; and faults that they must find."""

from __future__ import annotations

import hmac
import json
import pickle
import shutil
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onscope.runtime import Runtime, block
from onscope.runtime._shm import SharedSlots
from onscope.runtime.remote.link import _lanes
from onscope.runtime.remote.link._lanes import Lanes
from onscope.runtime.remote.packages import Store, _named, _store
from onscope.runtime.remote.server import _guest
from onscope.runtime.remote.server._greeting import Refused, greeting
from onscope.runtime.remote.server._guest import MOST_WAITING
from onscope.runtime.remote.server._rooms import Rooms
from onscope.runtime.remote.session import Session
from onscope.runtime.remote.wire import WireError, unpack
from tests import models
from tests.boxes import Running

from ..test_strangers import HELLO
from . import plain
from .desk import Desking
from .guest import Hosting
from .messages import NAME, Parts, in_few_words, joined
from .plain import Account, Greeted, Unpack

STAGE = {"name": "plus", "weights": NAME, "weights_sha256": "a" * 64, "trust": None}
OPEN = {"kind": "open", "lane": 0, "stages": [STAGE], "ring": {"slot_bytes": 512, "slots": 4}, "calibration": None}
OPEN |= {"provider": "cpu", "spec": {}, "numbers": {}}
ANSWERS = {"kind": "answers", "lane": 0, "slot_bytes": 512, "slots": 4, "offsets": [0]}
RUN = {"kind": "run", "window": 1, "lane": 0, "slots": [0], "answer": 0, "stages": None}
CLOSE = {"kind": "close", "lane": 0}
SAYS: dict[str, Any] = {"kind": "@answer"}
"""The worker says what is next."""


def worker(message: Any) -> dict[str, Any]:
    return {"kind": "worker", "message": message}


def said(*heads: Any) -> bytes:
    return joined([[json.dumps(head).encode()] if isinstance(head, dict) else head for head in heads])


OPENED = worker(OPEN), SAYS, worker(ANSWERS), SAYS
LAST_WORDS = {**RUN, "answer": 3}, {**ANSWERS, "offsets": [400]}


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[Hosting]:
    made = Hosting(tmp_path)
    yield made
    made.close()


@pytest.fixture
def desking(tmp_path: Path) -> Iterator[Desking]:
    made = Desking(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("conversation", "reached"),
    [
        ([*OPENED, worker(RUN), SAYS], ["open", "answers", "run"]),
        # a lane that is opened again while its last window runs
        ([*OPENED, worker(RUN), worker(CLOSE), worker(OPEN), SAYS, SAYS, SAYS], ["open", "answers", "run", "close"]),
        ([*OPENED, worker(RUN), worker(CLOSE), worker(OPEN), worker(ANSWERS), SAYS], ["open", "answers", "run"]),
        ([worker(OPEN), SAYS, worker({**ANSWERS, "offsets": []}), SAYS, worker(RUN), SAYS], ["open"]),
        ([worker(OPEN), worker(ANSWERS)], ["open"]),
        # a worker with long last words
        ([worker(OPEN), SAYS, worker(LAST_WORDS[1]), worker(LAST_WORDS[0]), SAYS, SAYS], ["open", "answers", "run"]),
        ([worker({**OPEN, "ring": {"slot_bytes": 1, "slots": 65536}})], []),
        ([worker({**OPEN, "provider": "\ud800"})], []),
    ],
)
def test_what_a_guest_said(hosting: Hosting, conversation: list[Any], reached: list[str]) -> None:
    hosting(said(*conversation))
    assert [each["kind"] for each in hosting.reached][: len(reached)] == reached
    assert bool(reached) == bool(hosting.reached)


@pytest.mark.parametrize("depth", range(900, 1000, 3))
def test_a_message_that_is_nested_nearly_too_deep_is_no_surprise(hosting: Hosting, depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    hosting(joined([[b'{"kind": "worker", "message": {"kind": "tune", "stage": %s}}' % nested]]))
    hosting(joined([[b'{"kind": "fill", "lane": %s}' % nested, b"x"]]))


def test_a_guest_that_never_listens_is_not_answered_for_ever(hosting: Hosting) -> None:
    hosting(said(*({"kind": "have", "lane": 0, "files": []} for _ in range(3 * MOST_WAITING))))
    assert MOST_WAITING <= hosting.handled <= MOST_WAITING + 1


def test_what_is_promised_counts_as_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: types.SimpleNamespace(free=5 << 30))
    first = store.begin(NAME, 3 << 30)
    with pytest.raises(WireError, match="bytes free on the box's disk"):
        store.begin("b" * 64 + ".onnx", 3 << 30)
    first.drop()
    store.begin("b" * 64 + ".onnx", 3 << 30).drop()


@pytest.mark.parametrize("more", [{"version": "\ud800"}, {"version": "x" * 3000}, {"onscope": "\ud800", "version": 0}])
def test_who_is_refused_is_told_so_in_words_that_can_be_printed(more: dict[str, Any]) -> None:
    with pytest.raises((Refused, WireError)) as error:
        greeting({**HELLO, **more}, "")
    in_few_words(error.value)
    with pytest.raises(WireError):
        greeting({**HELLO, "token": "\ud800"}, "")


def test_a_head_is_utf8_and_nothing_else() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-32-be", "utf-8-sig"):
        with pytest.raises(WireError):
            unpack(['{"kind": "beat"}'.encode(encoding)])


DONE = {"kind": "done", "window": 1, "started": 1, "finished": 2, "stages": [[1, 2]], "shapes": [[16, 16]]}
IMAGE = {"stage": "plus", "shape": [16, 16], "dtype": "uint16", "axes": "yx", "columns": [], "dtypes": []}
IMAGE |= {"provider": "cpu", "graph": ""}
TOLD = {"kind": "opened", "lane": 0, "answers": [IMAGE], "ways": [[IMAGE]], "warm_ns": 0, "ways_warm_ns": [0]}
TOLD |= {"graphs": [], "way_graphs": [], "report": [], "provider": "cpu"}
PIECE = [b'{"kind": "part", "lane": 0, "answer": 0, "at": 0}', bytes(512)]
UNDER_WAY: list[Any] = [
    {"kind": "@open", "lane": 0},
    {"kind": "lack", "lane": 0, "files": []},
    worker(TOLD),
    {"kind": "@answers", "lane": 0},
    {"kind": "@run", "lane": 0, "window": 1, "answer": 0},
    {"kind": "@take"},
    PIECE,
]


@pytest.mark.parametrize(
    "head",
    [
        *({"kind": "worker"}, worker("x"), worker({}), worker({"kind": []}), worker({"kind": "what"})),
        *(worker({"kind": "done", "window": []}), worker({"kind": "opened"}), {"kind": "lack", "lane": 0, "files": 1}),
        *(worker({**DONE, "started": None}), worker({**DONE, "stages": [[0.5, float("nan")]]})),
        *(worker({**DONE, "finished": 1e400}), worker({**DONE, "stages": 3})),
    ],
)
def test_what_a_box_said(desking: Desking, head: Any) -> None:
    desking(said(*UNDER_WAY, worker(DONE)))
    assert [each["kind"] for each in desking.told][-1] == "done"
    desking(said(*UNDER_WAY, head, worker(DONE)))
    assert "done" not in [each["kind"] for each in desking.told]


def test_a_box_answers_no_window_that_it_does_not_have_yet(desking: Desking) -> None:
    desking(said(*UNDER_WAY[:-2], PIECE, worker(DONE), {"kind": "@close", "lane": 0}))
    assert "done" not in [each["kind"] for each in desking.told]


def test_one_guests_trouble_ends_no_other_run(runtime: Callable[..., Runtime], box: Running) -> None:
    first, second = runtime(), runtime(admission=block(4))
    guest = next(each for each in box.server._guests.values() if each.pid == first.worker_pid)
    box.server._post(guest, {"kind": "done", "window": 7})  # of which nobody knows
    guest.session.add([({"kind": "worker", "message": "x" * (5 << 20)}, None)])
    for seq in range(5):
        second.submit(models.frame(seq))
    assert second.drain(30)
    assert second.ledger.counts["done"] == 5
    assert guest.id not in box.server._guests


def careless(head: Any, *_: Any) -> Any:
    return head


def unpickled(parts: Parts, most: int) -> Any:
    return pickle.loads(b"cos\ngetcwd\n."), None  # noqa: S301


def one_too_many(self: Session, head: Any, size: int) -> bool:
    self.got += 2
    return True


def into_any_slot(self: Lanes, head: Any, piece: Any) -> None:
    lane = self._lanes[0].answers
    assert lane is not None
    np.copyto(lane.view(5, (1,), np.uint8), 1)


BELIEVED = {"frozen": [], "trust": {"plus": {"a": "b"}}}


def believed(told: Any, *_: Any) -> Any:
    return told


def as_large_as_asked(self: Rooms, asked: Any) -> SharedSlots:
    return SharedSlots.create(asked["slot_bytes"], asked["slots"])


@pytest.mark.parametrize(
    ("make", "places", "fault", "input"),
    [
        (Hosting, [(each, "name_of") for each in (_guest, _store, _named)], careless,
         said([b'{"kind": "file", "name": "../x.onnx", "at": 0, "bytes": 3}', b"x"])),
        (Hosting, [(Rooms, "_make")], as_large_as_asked,
         said(worker({**OPEN, "ring": {"slot_bytes": 1 << 20, "slots": 2}}))),
        (Unpack, [(plain, "unpack")], unpickled, said({"kind": "beat"})),
        (Account, [(Session, "came")], one_too_many, said({"kind": "fill", "n": 1, "got": 0})),
        (Greeted, [(hmac, "compare_digest")], lambda one, other: True, said(HELLO)),
        (Desking, [(Lanes, "part")], into_any_slot, said(*UNDER_WAY)),
        (Desking, [(_lanes, "checked_done")], believed, said(*UNDER_WAY, worker({**DONE, **BELIEVED}))),
    ],
)  # fmt: skip
def test_a_fault_would_be_found(
    make: Any, places: list[Any], fault: Any, input: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = make(tmp_path)
    try:
        harness(input)
        for place, name in places:
            monkeypatch.setattr(place, name, fault)
        with pytest.raises(AssertionError):
            harness(input)
    finally:
        if hasattr(harness, "close"):
            harness.close()
