"""The worker's messages survive their way, and what is no message ends the reading in order."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime.worker._messages import LIMIT, read, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=4)
)
MESSAGES = st.dictionaries(st.text(max_size=10), VALUES, max_size=5)


@given(st.lists(MESSAGES, max_size=5))
def test_messages_come_as_they_went(messages: list[dict[str, Any]]) -> None:
    stream = io.BytesIO()
    for message in messages:
        write(stream, message)
    stream.seek(0)
    assert [read(stream) for _ in messages] == messages
    assert read(stream) is None


@given(MESSAGES, st.data())
def test_a_message_cut_short_is_the_end(message: dict[str, Any], data: st.DataObject) -> None:
    stream = io.BytesIO()
    write(stream, message)
    whole = stream.getvalue()
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert read(io.BytesIO(whole[:cut])) is None


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(ValueError, match=f"expected at most {LIMIT}"):
        read(io.BytesIO(b"\xff\xff\xff\xff"))


@pytest.mark.parametrize("data", [b"[1]", b"{", b"\xff\xfe"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's and Unicode's errors are ValueErrors of many texts
        read(io.BytesIO(len(data).to_bytes(4, "little") + data))
