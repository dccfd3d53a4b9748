"""What the server keeps: the newest of each place, what was made of it, and files under way, all bounded."""

from __future__ import annotations

import asyncio
import base64
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from onscope.view import Wanted
from onscope.view._wire import unpack
from onscope.view.server import _files, _made
from onscope.view.server._files import Files
from onscope.view.server._made import Maker
from onscope.view.server._quiet import MOST, Few
from onscope.view.server._shown import Frames, Shown


def shown(number: int, **index: int) -> Shown:
    head = {"frame": {"camera": "", "index": index}}
    return Shown(number, head, {"raw": np.zeros((2, 2), np.uint8)}, {})


def test_an_older_place_that_comes_later_is_not_the_newest() -> None:
    gone = list[int]()
    frames = Frames(gone.append)
    for number, place in ((5, 1), (3, 0), (6, 1)):
        frames.add(shown(number, p=place, t=number))
    for wanted, number in ((Wanted(1), 6), (Wanted(1, index={"p": 0}), 3), (Wanted(1, index={"p": 1, "t": 5}), 6)):
        found = frames.newest(wanted)
        assert found is not None
        assert found.number == number
    assert frames.newest(Wanted(1, index={"p": 2})) is None
    assert frames.newest(Wanted(1, image="other")) is None
    assert gone == [5]


def test_things_are_made_once_and_forgotten_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_made, "MOST_BYTES", 3000)
    calls = list[int]()

    def make(size: int) -> Any:
        calls.append(size)
        return {"a": np.zeros(size, np.uint8)}

    def broken() -> Any:
        raise ValueError("no such image")

    async def all_of_it(pool: ThreadPoolExecutor) -> None:
        maker = Maker(pool)
        same = await asyncio.gather(*[maker.once(1, "x", lambda: make(1000)) for _ in range(5)])
        assert len(calls) == 1
        assert all(each is same[0] for each in same)
        for key in range(10):
            await maker.once(1, key, lambda: make(1000))
        assert len(maker._made) <= 3
        for _ in range(2):
            with pytest.raises(ValueError, match="no such image"):
                await maker.once(1, "broken", broken)
        await maker.once(2, "y", lambda: make(1))
        maker.forget(1)
        assert [key[0] for key in maker._made] == [2]
        assert maker._all == 1

    with ThreadPoolExecutor(2) as pool:
        asyncio.run(all_of_it(pool))


def test_files_are_put_together_or_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def part(data: bytes, *, last: bool, viewer: int = 1) -> Any:
        return {"viewer": viewer, "name": "a.png", "part": base64.b64encode(data).decode(), "last": last}

    files = Files()
    assert files.add(part(b"abc", last=False)) is None
    assert files.add(part(b"other", last=False, viewer=2)) is None
    whole = files.add(part(b"de", last=True))
    assert whole is not None
    assert unpack(whole)[1][0].tobytes() == b"abcde"
    files.forget(2, "a.png")
    monkeypatch.setattr(_files, "MOST_BYTES", 10)
    for at in range(4):
        assert files.add(part(b"1234", last=at == 3)) is None  # with a hole it is no file
    again = files.add(part(b"12345678", last=True))
    assert again is not None
    assert unpack(again)[1][0].tobytes() == b"12345678"


def test_little_is_logged_whatever_comes() -> None:
    few = Few()
    record = logging.LogRecord("x", logging.WARNING, "", 0, "", None, None)
    assert MOST <= sum(few.filter(record) for _ in range(10_000)) <= MOST + 2
