"""Packing without a link: the same bytes come out, or a WireError; and it is done where it pays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime._shm import SharedSlots
from onscope.runtime.remote.clock import OtherClock
from onscope.runtime.remote.link._done import Asked
from onscope.runtime.remote.link._lanes import Flight, Lane, Lanes
from onscope.runtime.remote.link._places import Places
from onscope.runtime.remote.packing import Arrivals, Codec, Packer, item_of, lay, size_of_piece
from onscope.runtime.remote.packing._packer import Gain
from onscope.runtime.remote.server._rooms import Rooms
from onscope.runtime.remote.wire import CHUNK, Pack, WireError
from onscope.runtime.service import LinkCounters

ITEMS = st.sampled_from([1, 2, 4, 8])
CODEC = Codec()
SLOT, GUARD = 1 << 12, 0xA5
NOISE = np.random.default_rng(0).poisson(200, CHUNK // 2).astype(np.uint16)
RANDOM = np.random.default_rng(0).integers(0, 256, CHUNK, np.uint8)


@given(st.binary(min_size=1, max_size=600), ITEMS, st.integers(1, 40))
def test_the_same_bytes_come_out(data: bytes, item: int, times: int) -> None:
    data = data * times * item
    into = np.zeros(len(data), np.uint8)
    CODEC.unpack(CODEC.pack(data, item), item, into)
    assert into.tobytes() == data


def test_bytes_of_equal_weight_lie_side_by_side() -> None:
    values = np.arange(60000, dtype=np.uint16)
    assert len(CODEC.pack(values.data.cast("B"), 2)) < len(CODEC.pack(values.data.cast("B"), 1)) / 10
    assert len(CODEC.pack(NOISE.data.cast("B"), 2)) < CHUNK / 2.5
    assert [item_of(each) for each in ("uint8", "uint16", "float32", "float64", "U3")] == [1, 2, 4, 8, 1]


@st.composite
def broken(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """Pieces as a stranger may send them: anything at all, or good ones with a flaw."""
    data = draw(st.one_of(st.binary(max_size=300), st.just(bytes(3000)), st.just(NOISE.tobytes()[:2000])))
    item = draw(ITEMS)
    data = data[: len(data) // 8 * 8]
    packed = bytearray(CODEC.pack(data, item))
    head: dict[str, Any] = {"bytes": len(data), "item": item}
    flaw = draw(st.sampled_from(["none", "random", "flipped", "cut", "longer", "bytes", "item"]))
    if flaw == "random":
        packed = bytearray(draw(st.binary(max_size=400)))
    elif flaw == "flipped":
        for place in draw(st.lists(st.integers(0, len(packed) * 8 - 1), min_size=1, max_size=6)):
            packed[place // 8] ^= 1 << place % 8
    elif flaw == "cut":
        packed = packed[: draw(st.integers(0, len(packed)))]
    elif flaw == "longer":
        packed += draw(st.one_of(st.binary(max_size=30), st.just(bytes(packed))))
    elif flaw == "bytes":
        head["bytes"] = draw(st.one_of(st.integers(), st.none(), st.text(max_size=3), st.integers(0, 2 * CHUNK)))
    elif flaw == "item":
        head["item"] = draw(st.one_of(st.integers(-9, 20), st.none(), st.floats()))
    if draw(st.booleans()):
        head.pop(draw(st.sampled_from(["bytes", "item"])))
    return head, bytes(packed)


PLACES = st.fixed_dictionaries(
    {"lane": st.integers(-1, 1), "slot": st.integers(-1, 3), "answer": st.integers(-1, 3)},
    optional={"at": st.one_of(st.integers(-1, SLOT), st.just(0), st.just(0))},
)


@pytest.fixture(scope="module")
def rooms() -> Iterator[tuple[Rooms, SharedSlots]]:
    made = Rooms(CODEC)
    made.open({"lane": 0, "ring": {"slot_bytes": SLOT, "slots": 3}})
    yield made, made._rooms[0].frames
    made.close_all()


@pytest.fixture(scope="module")
def lanes() -> Iterator[tuple[Lanes, SharedSlots]]:
    made = Lanes(3, OtherClock(), Packer("auto", CODEC, LinkCounters()), CODEC)
    frames, answers = SharedSlots.create(64, 3), SharedSlots.create(SLOT, 3)
    made._lanes[0] = Lane(frames, 64, 1, Places(3), {}, 0, answers)
    yield made, answers
    made.close_all()


def check(place: Any, slots: SharedSlots, slot: str, head: dict[str, Any], piece: bytes) -> None:
    """What comes is laid into its own place, all of it, or refused."""
    every = slots.view(0, (slots.slots * SLOT,), np.uint8)
    every[:] = GUARD
    refused = ""
    try:
        place(head, piece)
    except WireError as error:
        refused = str(error)
    if refused:
        assert refused.startswith("found ")
        assert np.all(every == GUARD)
        return
    begin = head[slot] * SLOT + head["at"]
    end = begin + head.get("bytes", len(piece))
    assert end <= (head[slot] + 1) * SLOT
    assert np.all(every[:begin] == GUARD)
    assert np.all(every[end:] == GUARD)


@given(broken(), PLACES)
@settings(max_examples=300, deadline=None)
def test_no_frame_of_a_stranger_reaches_beyond_its_slot(rooms: Any, sent: Any, where: dict[str, Any]) -> None:
    check(rooms[0].fill, rooms[1], "slot", {**sent[0], **where}, sent[1])


@given(broken(), PLACES)
@settings(max_examples=300, deadline=None)
def test_no_answer_of_a_stranger_reaches_beyond_its_slot(lanes: Any, sent: Any, where: dict[str, Any]) -> None:
    lanes[0].flights[7] = Flight(0, 1, 0, Asked(None, 0), left=True)
    check(lanes[0].part, lanes[1], "answer", {**sent[0], **where}, sent[1])


@pytest.mark.parametrize(
    ("head", "piece", "words"),
    [
        ({"bytes": CHUNK + 8, "item": 1}, b"x", "found bytes 524296, expected a whole number from 1 to 524288"),
        ({"bytes": 0, "item": 1}, b"", "found bytes 0"),
        ({"bytes": 8}, b"x", "found item None"),
        ({"bytes": 9, "item": 3}, b"x", "that is no packed piece"),
        ({"bytes": 8, "item": 2}, bytes(8), "that is no packed piece"),
        ({"bytes": 4000, "item": 2}, b"no Zstandard", "does not unpack to 4000 bytes"),
        ({"bytes": 4008, "item": 2}, CODEC.pack(bytes(4000), 2), "does not unpack to 4008 bytes"),
        ({"bytes": 3992, "item": 2}, CODEC.pack(bytes(4000), 2), "does not unpack to 3992 bytes"),
    ],
)
def test_sizes_that_lie_are_refused_in_words(head: dict[str, Any], piece: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        lay(head, piece, np.empty(size_of_piece(head, piece), np.uint8), CODEC)


def packer(rate: int, mode: Pack = "auto") -> tuple[Packer, LinkCounters]:
    counters = LinkCounters()
    made = Packer(mode, CODEC, counters)
    made.rate = rate
    return made, counters


def sent(it: Packer, data: np.ndarray, pieces: int, item: int = 2) -> list[bool]:
    """Which of so many pieces were packed; each of them is checked."""
    found = []
    for _ in range(pieces):
        more, payload = it.piece(0, "frame", item, data.data.cast("B"))
        into = np.empty(data.nbytes, np.uint8)
        lay(more, payload, into, CODEC)
        assert into.tobytes() == data.tobytes()
        found.append(bool(more))
    return found


def test_packed_is_what_comes_sooner_so() -> None:
    slow, counters = packer(1_000_000)
    assert all(sent(slow, NOISE, 20))
    assert counters.saved_bytes > 20 * CHUNK / 2
    for rate in (0, 10_000_000_000):  # not known yet; quicker than any packing
        it, counters = packer(rate)
        assert not any(sent(it, NOISE, 20))
        assert counters.saved_bytes == 0
    useless, _ = packer(1_000_000)
    assert not any(sent(useless, RANDOM, 20))


def test_a_change_of_the_pictures_is_found() -> None:
    it, _ = packer(1_000_000)
    assert not any(sent(it, RANDOM, 100))
    found = sent(it, NOISE, 100)
    assert not found[0]
    assert all(found[80:])
    assert not any(sent(it, RANDOM, 100)[20:])


def test_a_change_of_the_link_is_found_and_lanes_are_apart() -> None:
    it, _ = packer(1_000_000)
    assert all(sent(it, NOISE, 5))
    it.rate = 10_000_000_000
    assert not any(sent(it, NOISE, 5))
    it.rate = 1_000_000
    assert all(sent(it, NOISE, 5))
    assert it.piece(1, "frame", 1, RANDOM.data)[0] == {}
    assert it.piece(0, 3, 1, RANDOM.data)[0] == {}
    assert all(sent(it, NOISE, 1))
    it.forget(0)
    assert {lane for lane, _ in it._gains} == {1}


def test_a_thread_that_had_to_wait_does_not_make_packing_seem_slow_for_long() -> None:
    gain = Gain()
    gain.add(0.005, 1 << 16, 1 << 15)
    assert not gain.pays(12_500_000)
    gain.add(0.0001, 1 << 16, 1 << 15)
    assert gain.pays(12_500_000)
    gain.add(0.005, 1 << 16, 1 << 15)
    assert gain.pays(12_500_000)


def test_never_and_always_are_what_they_say() -> None:
    assert not any(sent(packer(1_000_000, "never")[0], NOISE, 20))
    assert all(sent(packer(0, "always")[0], NOISE, 20))
    assert not any(sent(packer(0, "always")[0], RANDOM, 20))  # it would get larger


@given(
    st.integers(-(10**15), 10**15),
    st.integers(1_000_000, 500_000_000),
    st.lists(
        st.tuples(st.integers(0, 10**8), st.integers(1, 4), st.sampled_from([0, 0, 0, 10**6, 10**8])), max_size=60
    ),
)
@settings(deadline=None)
def test_the_links_rate_is_known_from_when_messages_came(
    ahead: int, rate: int, bursts: list[tuple[int, int, int]]
) -> None:
    """Whatever pauses the sender makes, and however often the receiver is busy when something comes."""
    arrivals, now, free, busy, way = Arrivals(), 10**13, 0, 0, 200_000
    arrivals.came(now, now + way + ahead, 0, False)  # a beat
    for pause, pieces, computes in bursts:
        now += pause
        for _ in range(pieces):
            free = max(now, free) + CHUNK * 10**9 // rate
            came = max(busy, free + way)
            arrivals.came(now, came + ahead, CHUNK, came > busy)
            busy = came + computes
    assert arrivals.rate == pytest.approx(rate, rel=0.02) or arrivals.rate == 0
    if len(bursts) > 1 and not any(computes for _, _, computes in bursts):
        assert arrivals.rate


def test_the_rate_is_not_known_before_something_came() -> None:
    arrivals = Arrivals()
    arrivals.came(0, 100, 0, True)
    assert arrivals.rate == 0
    arrivals.came(0, 100, CHUNK, False)  # nobody knows when
    assert arrivals.rate == 0
    arrivals.came(200, 300, CHUNK, True)  # in no time at all
    assert arrivals.rate > 10**12
