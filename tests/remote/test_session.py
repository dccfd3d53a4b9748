"""Counted messages: whatever is cut, lost or sent twice, each is handled once and in order."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onscope.runtime.remote.session import Lost, Session
from onscope.runtime.remote.wire import WireError

WINDOW = 4000
SIZE = 900


class End:
    """One end, what it has handled, and what is on its way to it."""

    def __init__(self) -> None:
        self.session = Session(WINDOW)
        self.handled: list[int] = []
        self.coming: deque[Any] = deque()
        self.added = 0

    def add(self, count: int, later: bool) -> None:
        numbers = range(self.added, self.added + count)
        self.added += count
        self.session.add((({"what": number}, b"x" * SIZE) for number in numbers), later=later)

    def send(self, other: End) -> None:
        while (item := self.session.take()) is not None:
            other.coming.append(item)
        if self.session.untold:
            other.coming.append(({"got": self.session.told()}, None))

    def receive(self, most: int) -> bool:
        """Whether the link is still whole."""
        for _ in range(min(most, len(self.coming))):
            head, payload = self.coming.popleft()
            try:
                if "n" not in head:
                    self.session.heard(head["got"])
                elif self.session.came(head, len(payload or b"")):
                    self.handled.append(head["what"])
            except Lost:
                return False
        return True


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 1), st.integers(1, 6)),
        st.tuples(st.just("send"), st.integers(0, 1), st.just(0)),
        st.tuples(st.just("receive"), st.integers(0, 1), st.integers(1, 8)),
        st.tuples(st.just("cut"), st.just(0), st.just(0)),
        st.tuples(st.just("lose"), st.integers(0, 1), st.integers(0, 5)),
        st.tuples(st.just("twice"), st.integers(0, 1), st.integers(0, 5)),
    ),
    max_size=80,
)


@given(STEPS)
@settings(max_examples=300, deadline=None)
def test_each_message_is_handled_once_and_in_order_whatever_becomes_of_the_link(steps: list[Any]) -> None:
    ends = End(), End()

    def resume() -> None:
        for end in ends:
            end.coming.clear()
        for end, other in (ends, ends[::-1]):
            end.session.resume(other.session.got)

    for what, which, count in steps:
        end, other = ends[which], ends[1 - which]
        if what == "add":
            end.add(count, later=False)
        elif what == "send":
            end.send(other)
        elif (what == "receive" and not end.receive(count)) or what == "cut":
            resume()
        elif what == "lose" and count < len(end.coming):
            del end.coming[count]
        elif what == "twice" and count < len(end.coming):
            end.coming.insert(count, end.coming[count])
        assert all(each.session.kept_bytes <= WINDOW + SIZE + 200 for each in ends)
    resume()  # the link is back, and stays
    for _ in range(4 * sum(end.added for end in ends) + 4):
        for end, other in (ends, ends[::-1]):
            end.send(other)
            assert other.receive(1 << 20)
    for end, other in (ends, ends[::-1]):
        assert other.handled == list(range(end.added))
        assert end.session.empty
        assert end.session.kept_bytes == 0


def test_what_can_wait_gets_its_share_and_keeps_its_order() -> None:
    end, other = End(), End()
    end.session.add((({"what": number}, None) for number in range(100, 130)), later=True)
    end.session.add(({"what": number}, None) for number in range(30))
    for _ in range(10):
        end.send(other)
        other.receive(100)
        other.send(end)
        end.receive(100)
    assert [each for each in other.handled if each < 100] == list(range(30))
    assert [each for each in other.handled if each >= 100] == list(range(100, 130))
    first = other.handled[:20]
    assert 4 <= sum(each >= 100 for each in first) <= 6


@pytest.mark.parametrize(
    "head",
    [
        {"n": 0, "got": 0},
        {"n": True, "got": 0},
        {"n": 1, "got": 1},
        {"n": 1, "got": -1},
        {"n": "1", "got": 0},
        {"n": 1},
        {"n": 1.0, "got": 0},
    ],
)
def test_numbers_that_make_no_sense_are_refused(head: dict[str, Any]) -> None:
    session = Session()
    with pytest.raises(WireError):
        session.came(head)
    assert session.got == 0
