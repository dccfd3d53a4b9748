"""Messages, addresses and clocks, without a link."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import WorkerError
from onscope.runtime.remote.clock import OtherClock
from onscope.runtime.remote.wire import CHUNK, LOOPBACK, Secret, WireError, chunks, name_of, pack, parse_address, unpack


@given(st.lists(st.binary(max_size=300), max_size=4))
def test_whatever_comes_is_a_message_or_a_wire_error(parts: list[bytes]) -> None:
    try:
        head, _ = unpack(parts)
    except WireError:
        return
    assert isinstance(head["kind"], str)


def test_a_message_comes_back_as_it_was_packed() -> None:
    head: dict[str, Any] = {"kind": "fill", "lane": 3, "text": "ü"}
    assert unpack(pack(head, b"123")) == (head, b"123")
    assert unpack(pack(head)) == (head, None)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"{}"],
        [b"[]"],
        [b'{"kind": 1}'],
        [b"{" * 100_000],
        [b"[" * 100_000],
        [b'{"kind": "a"}', b"", b""],
        [b'{"kind": "a"}', bytes(CHUNK + 1)],
        [b'{"kind": "' + b"a" * (4 << 20) + b'"}'],
        [b"\xff\xfe"],
    ],
)
def test_what_is_no_message_is_refused(parts: list[bytes]) -> None:
    with pytest.raises(WireError):
        unpack(parts)


def test_pieces_are_all_of_the_data() -> None:
    data = bytes(range(256)) * 5000
    pieces = list(chunks(memoryview(data)))
    assert [at for at, _ in pieces] == list(range(0, len(data), CHUNK))
    assert b"".join(piece for _, piece in pieces) == data


@given(st.one_of(st.text(), st.integers(), st.none()))
def test_no_other_names_than_hashes_become_paths(name: Any) -> None:
    with pytest.raises(WireError):
        name_of(name)


@pytest.mark.parametrize("name", ["../" + "a" * 61 + ".onnx", "a" * 64, "a" * 64 + ".exe", "A" * 64 + ".onnx"])
def test_names_that_are_nearly_hashes_are_refused_too(name: str) -> None:
    with pytest.raises(WireError):
        name_of(name)
    with pytest.raises(WireError):
        name_of("a" * 64 + ".onnx\n")
    assert name_of("a" * 64 + ".onnx")


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    secret = Secret.of(tmp_path / "new" / "key")
    assert Secret.of(tmp_path / "new" / "key") == secret
    assert stat.S_IMODE((tmp_path / "new" / "key").stat().st_mode) == 0o600
    address = parse_address(f"tcp://box.lab:7000#{secret.key}")
    assert (address.host, address.port) == ("box.lab", 7000)
    assert (address.public, address.token) == (secret.public, secret.token)
    assert secret.key not in f"{address} {address!r} {secret!r}"


def test_addresses_say_what_is_wrong_with_them() -> None:
    assert parse_address("tcp://127.0.0.1").endpoint == "tcp://127.0.0.1:7431"
    assert parse_address("tcp://[::1]:80").endpoint == "tcp://[::1]:80"
    with pytest.raises(WorkerError, match="without its key"):
        parse_address("tcp://box:7431")
    with pytest.raises(WorkerError, match="a key in the worker's address that is none"):
        parse_address("tcp://box:7431#abc")
    for words in ("http://box", "tcp://", "tcp://box:x", "box:7431", "tcp://a@127.0.0.1:1", "tcp://127.0.0.1:1/x"):
        with pytest.raises(WorkerError, match="expected tcp://HOST:PORT#KEY"):
            parse_address(words)


@pytest.mark.parametrize("mode", ["never", "always", "auto"])
def test_an_address_says_what_is_packed(mode: str) -> None:
    found = parse_address(f"tcp://{LOOPBACK}:7000?pack={mode}")
    assert (found.pack, found.endpoint) == (mode, f"tcp://{LOOPBACK}:7000")
    assert parse_address(f"tcp://{LOOPBACK}:7000").pack == "auto"


@pytest.mark.parametrize("query", ["pack=sometimes", "pack", "pack=", "packs=never", "pack=never&x=1"])
def test_an_address_that_asks_for_something_else_is_refused(query: str) -> None:
    with pytest.raises(WorkerError, match="in the worker's address, expected pack=never, pack=always, pack=auto"):
        parse_address(f"tcp://{LOOPBACK}:7000?{query}")


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hello")
    with pytest.raises(WorkerError, match="found a key in"):
        Secret.of(tmp_path / "key")


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(0, 10**8), st.integers(0, 10**6)), min_size=1, max_size=20),
)
def test_the_true_offset_is_within_the_uncertainty(offset: int, beats: list[tuple[int, int, int]]) -> None:
    clock, now = OtherClock(), 10**13
    for there, back, pause in beats:
        sent, came = now, now + there
        now = came + pause + back
        clock.add(sent, came + offset, came + pause + offset, now)
        known = clock.at(now)
        assert known is not None
        assert abs(known[0] - offset) <= known[1]
        now += 1000


def test_impossible_beats_are_left_out_and_stamps_stay_between_cause_and_word() -> None:
    clock = OtherClock()
    clock.add(100, 50, 40, 200)
    clock.add(100, 50, 500, 200)
    clock.add(200, 50, 60, 100)
    assert clock.at(300) is None
    assert clock.here(5, 100, 200) == 200
    clock.add(1000, 5000, 5000, 1200)
    assert clock.here(5050, 1100, 1180) == 1150
    assert clock.here(9000, 1100, 1180) == 1180
    assert clock.here(10, 1100, 1180) == 1100
