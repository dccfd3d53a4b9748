"""Harnesses of what has no I/O: messages, an end's account of them, and the greeting."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onscope.runtime.remote.server._greeting import MOST_REPLACED, Refused, greeting, welcome
from onscope.runtime.remote.session import WINDOW, Session
from onscope.runtime.remote.wire import CHUNK, GREETING_BYTES, HEAD_BYTES, WireError, pack, unpack

from .messages import Parts, in_few_words, split
from .watch import Watch

TOKEN = "0123456789abcdef" * 2
PAYLOAD = bytes(CHUNK)


class Plain:
    """One input after another: `handled` counts the messages that made sense."""

    def __init__(self, folder: Path) -> None:
        self.handled = 0
        self._watch = Watch(folder / "nothing")
        self.one([b'{"kind": "beat"}'])

    def __call__(self, data: bytes) -> None:
        self.begin()
        messages = split(data)
        with self._watch:
            for parts in messages:
                self.handled += self.one(parts)

    def begin(self) -> None: ...

    def one(self, parts: Parts) -> bool:
        raise NotImplementedError


class Unpack(Plain):
    """Whatever comes is a message, which can be sent on as it is, or a WireError."""

    def one(self, parts: Parts) -> bool:
        for most in (GREETING_BYTES, HEAD_BYTES):
            try:
                head, payload = unpack(parts, most)
            except WireError as error:
                in_few_words(error)
                continue
            assert len(parts[0]) <= most
            assert payload is None or len(payload) <= CHUNK
            assert isinstance(head["kind"], str)
            assert json.dumps(unpack(pack(head, payload))[0]) == json.dumps(head)
            return True
        return False


class Account(Plain):
    """Each message counts once and in order, and what is kept is what the other end has not; whatever it says."""

    def begin(self) -> None:
        self._session = Session()
        self._sent: list[int] = []
        self._last = 0

    def __init__(self, folder: Path) -> None:
        self.begin()
        super().__init__(folder)

    def one(self, parts: Parts) -> bool:
        try:
            head, payload = unpack(parts)
        except WireError:
            return False
        got, kept = self._session.got, self._session.kept_bytes
        try:
            handled = self._hear(head, len(payload or b""))
        except WireError as error:
            in_few_words(error)
            assert self._session.got == got
            return False
        assert self._session.got == got + ("n" in head and handled)
        assert 0 <= self._session.kept_bytes <= WINDOW + CHUNK + 200
        assert head["kind"] == "@take" or self._session.kept_bytes <= kept
        assert self._session.acknowledged_bytes >= 0
        return handled

    def _hear(self, head: Mapping[str, Any], size: int) -> bool:
        session = self._session
        if "n" in head:
            return session.came(head, size)
        if head["kind"] == "beat":
            session.heard(head.get("got"))
        elif head["kind"] in ("welcome", "hello"):
            again = session.resume(head.get("got"))
            for number in range(self._last + 1 - again, self._last + 1):
                item = session.take()
                assert item is not None
                assert item[0]["n"] == number
        elif head["kind"] == "@take":
            session.add([({"kind": "part"}, PAYLOAD)])
            if (item := session.take()) is not None:
                self._last += 1
                assert item[0]["n"] == self._last
                assert item[0]["got"] == session.got
        return True


class Greeted(Plain):
    """Only who knows the token and speaks this version comes in; the others are told why in few words."""

    def __init__(self, folder: Path) -> None:
        welcome("", 0, resumed=False)  # reads which version this is, once
        super().__init__(folder)

    def one(self, parts: Parts) -> bool:
        try:
            head, _ = unpack(parts, GREETING_BYTES)
        except WireError:
            return False
        came = []
        for token in ("", TOKEN):
            try:
                asked = greeting(head, token)
            except (Refused, WireError) as error:
                in_few_words(error)
                continue
            assert head["token"] == token
            assert len(asked.session) <= 200
            assert 0 <= asked.got < 1 << 63
            assert asked.session or not asked.got
            assert len(asked.replaces) <= MOST_REPLACED
            told = welcome(asked.new, asked.got, resumed=False)
            assert unpack(pack(told), GREETING_BYTES)[0] == told
            came.append(token)
        assert len(came) <= 1
        return bool(came)
