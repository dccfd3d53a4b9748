"""A fuzzer's input as messages, and edits of them that know what a message is."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

END, PART = b"\n\x1e\n", b"\n\x1f\n"
"""Between messages, and between the parts of one."""
Parts = list[bytes]
Edit = tuple[int, int, int]
"""What is done, where, and with what: any numbers mean something."""

NAME = "a" * 64 + ".onnx"
WORDS = [
    *("kind", "n", "got", "lane", "slot", "at", "bytes", "name", "files", "message", "words", "epitaph", "answer"),
    *("hello", "version", "worker_version", "onscope", "token", "session", "replaces", "welcome", "refused", "beat"),
    *("bye", "kill", "worker", "fill", "part", "have", "lack", "file", "stored", "died", "of", "came_ns", "sent_ns"),
    *("open", "answers", "run", "close", "tune", "opened", "progress", "done", "failed", "ring", "slot_bytes", "slots"),
    *("lost", "clocks", "at_ns", "reasons", "clock_mhz", "memory_clock_mhz", "temperature_c", "power_w"),
    *("spec", "stages", "weights", "weights_sha256", "trust", "calibration", "provider", "numbers", "offsets", "ways"),
    *("request", "hosted", "window", "keys", "state", "reset", "moment", "shapes", "started", "finished", "pid"),
    *("memory_bytes", "pack", "rate", "item"),
    *("@answer", "@take", "@open", "@answers", "@run", "@close", "@add", "cpu", NAME),
]
"""Keys and values of the protocol, and what a harness does by itself."""
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 63, 64, 65, 255, 511, 512, 513, 65535, 65536, 1 << 31, 1 << 32, 1 << 53),
    *((1 << 62) - 1, 1 << 62, 1 << 63, 1 << 64, -(1 << 63), 10**400, 0.5, -0.0, 1e308, float("nan"), float("inf")),
    *("", "a", "../x", "/etc/passwd", "..", NAME, "../" + NAME, NAME + "\n", "\x00", "\ud800", "ü", "x" * 201),
    *("x" * 4000, "__class__", "uint16", "object", "cpu:state=/tmp", "scripted:die@0"),
    *([], {}, [0], [[0]], [0] * 300, [-1], ["a"], [NAME], [NAME] * 300, {"kind": "run"}, {"a": {"b": []}}),
]


def in_few_words(error: Exception) -> None:
    """An error's words are short enough for the other end to read, and can be printed."""
    assert len(str(error).encode()) < 2000, f"found {len(str(error))} characters: {error!r:.200}"


def split(data: bytes) -> list[Parts]:
    return [message.split(PART) for message in data.split(END)]


def joined(messages: Sequence[Parts]) -> bytes:
    return END.join(PART.join(parts) for parts in messages)


def edited(messages: Sequence[Parts], edits: Sequence[Edit]) -> list[Parts]:
    """The messages with something changed."""
    made = [list(parts) for parts in messages]
    for what, where, value in edits:
        if made:
            _EDITS[what % len(_EDITS)](made, where % len(made), where // len(made), value)
    return made


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with each of its keys."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _in_head(change: Callable[[Any, Any, int], object]) -> Callable[[list[Parts], int, int, int], None]:
    def edit(made: list[Parts], at: int, place: int, value: int) -> None:
        with contextlib.suppress(ValueError, RecursionError):  # it is no JSON any more, or nested too deep by now
            head = json.loads(made[at][0])
            if isinstance(head, dict | list) and (places := list(_places(head))):
                change(*places[place % len(places)], value)
                made[at][0] = json.dumps(head, separators=(",", ":")).encode()

    return edit


def _set(container: Any, key: Any, value: int) -> None:
    container[key] = VALUES[value % len(VALUES)]


def _nudge(container: Any, key: Any, value: int) -> None:
    if type(container[key]) is int:
        container[key] += value % 9 - 4


def _delete(container: Any, key: Any, value: int) -> None:
    del container[key]


def _add(container: Any, key: Any, value: int) -> None:
    name = WORDS[value % len(WORDS)]
    if isinstance(container, dict):
        container[name] = VALUES[value // len(WORDS) % len(VALUES)]
    else:
        container.append(name)


def _deepen(container: Any, key: Any, value: int) -> None:
    for _ in range(min(value % 400, 390)):
        container[key] = [container[key]]


def _drop(made: list[Parts], at: int, place: int, value: int) -> None:
    del made[at]


def _repeat(made: list[Parts], at: int, place: int, value: int) -> None:
    made[at:at] = [list(made[at]) for _ in range(1 + value % 3)]


def _move(made: list[Parts], at: int, place: int, value: int) -> None:
    made.insert(value % len(made), made.pop(at))


def _do(made: list[Parts], at: int, place: int, value: int) -> None:
    made.insert(at, [json.dumps({"kind": ("@answer", "@take", "@run", "@close")[value % 4], "lane": 0}).encode()])


def _payload(made: list[Parts], at: int, place: int, value: int) -> None:
    parts = made[at]
    if len(parts) == 1:
        parts.append(bytes(value % 600))
    elif value % 3 == 0:
        del parts[1]
    elif value % 3 == 1:
        parts[1] = parts[1][: place % (len(parts[1]) + 1)]
    else:
        parts[1] += bytes(value % 600)


_EDITS: list[Callable[[list[Parts], int, int, int], None]] = [
    *map(_in_head, (_set, _set, _nudge, _delete, _add, _deepen)),
    *(_drop, _repeat, _move, _do, _payload),
]
