"""What viewers say, read as untrusted input: anything that is not exactly a message is refused in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .._values import Rect, Wanted
from .._wire import MOST_SIDE, MOST_TEXT, MOST_VIEWS, VERSION, WireError
from ._strict import strict

MOST_NAME = 200
MOST_AXES = 16
MOST_VECTORS = 16
MOST_NUMBER = 1 << 53
MOST_COUNTS = 1e12
OUTSTANDING = 2
FIELDS = frozenset({"id", "image", "camera", "index", "rect", "size", "bits", "low", "high", "vectors"})


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message."""

    token: str


@dataclass(frozen=True, slots=True)
class Show:
    """What it wants to see from now on."""

    views: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Credit:
    """So many more updates."""

    n: int


@dataclass(frozen=True, slots=True)
class DoThis:
    """What it wants done; `fields` are the action's."""

    id: int
    action: str
    fields: dict[str, Any]


Said = Hello | Show | Credit | DoThis


def read_said(text: str) -> Said:
    """A viewer's message; raises WireError."""
    if len(text.encode(errors="surrogatepass")) > MOST_TEXT:
        raise WireError(f"found a message of more than {MOST_TEXT} bytes, expected a shorter one")
    try:
        message = strict(text)
    except ValueError as error:
        raise WireError(f"found a message that is no use, expected a JSON object ({str(error)[:80]})") from error
    if not isinstance(message, dict):
        raise WireError(f"found a {type(message).__name__}, expected an object with a type")
    kind = message.pop("type", None)
    if kind == "hello":
        if message.get("version") != VERSION:
            raise WireError(
                f"found the version {str(message.get('version'))[:20]}, expected {VERSION}: reload the page"
            )
        return Hello(_text(message, "token", ""))
    if kind == "show":
        return Show(_views(message.get("views")))
    if kind == "credit":
        return Credit(_whole(message, "n", 0, OUTSTANDING))
    if kind == "do":
        number, action = _whole(message, "id", 0, MOST_NUMBER), _text(message, "action")
        return DoThis(number, action, {name: held for name, held in message.items() if name not in ("id", "action")})
    raise WireError(f"found a message of the type {str(kind)[:40]!r}, expected hello, show, credit or do")


def _views(told: Any) -> tuple[Wanted, ...]:
    if not isinstance(told, list) or len(told) > MOST_VIEWS:
        raise WireError(f"found views that are no list of at most {MOST_VIEWS}, expected one")
    views = tuple(_wanted(each) for each in told)
    if len({view.id for view in views}) < len(views):
        raise WireError("found two views of one id, expected each id once")
    return views


def _wanted(told: Any) -> Wanted:
    if not isinstance(told, dict) or told.keys() - FIELDS:
        raise WireError(f"found a view that is no object of {', '.join(sorted(FIELDS))}, expected one")
    bits = told.get("bits", 8)
    if bits not in (8, 16) or isinstance(bits, float):
        raise WireError("found bits that are neither 8 nor 16, expected one of them")
    size = told.get("size", [512, 512])
    if not isinstance(size, list) or len(size) != 2:
        raise WireError("found a size that is no list of two numbers, expected rows and columns")
    sides = {"rows": size[0], "columns": size[1]}
    vectors = told.get("vectors", [])
    if not isinstance(vectors, list) or len(vectors) > MOST_VECTORS:
        raise WireError(f"found vectors that are no list of at most {MOST_VECTORS}, expected KIND:TABLE each")
    return Wanted(
        id=_whole(told, "id", 0, MOST_NUMBER),
        image=_text(told, "image", "raw"),
        camera=_text(told, "camera", ""),
        index=_index(told.get("index", {})),
        rect=_rect(told.get("rect")),
        size=(_whole(sides, "rows", 1, MOST_SIDE), _whole(sides, "columns", 1, MOST_SIDE)),
        bits=16 if bits == 16 else 8,
        low=_number(told, "low"),
        high=_number(told, "high"),
        vectors=tuple(_text({"vectors": each}, "vectors") for each in vectors),
    )


def _index(told: Any) -> dict[str, int]:
    if not isinstance(told, dict) or len(told) > MOST_AXES:
        raise WireError(f"found an index that is no object of at most {MOST_AXES} axes, expected one")
    return {_text({"index": axis}, "index"): _whole(told, axis, 0, MOST_NUMBER) for axis in told}


def _rect(told: Any) -> Rect | None:
    if told is None:
        return None
    if not isinstance(told, list) or len(told) != 4:
        raise WireError("found a rect that is no list of four numbers, expected y0, x0, y1, x1")
    y0, x0, y1, x1 = (_number({"rect": each}, "rect") for each in told)
    if y0 is None or x0 is None or y1 is None or x1 is None or not (y0 < y1 and x0 < x1):
        raise WireError("found a rect without area, expected y0 below y1 and x0 below x1")
    return y0, x0, y1, x1


def _text(told: dict[str, Any], name: str, usual: str | None = None) -> str:
    value = told.get(name, usual)
    if not isinstance(value, str) or len(value) > MOST_NAME or not value.isprintable():
        raise WireError(f"found a {name} that is no text of at most {MOST_NAME} letters, expected one")
    return value


def _whole(told: dict[str, Any], name: str, least: int, most: int) -> int:
    value = told.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise WireError(f"found a value of {name[:40]} that is no whole number of {least} to {most}, expected one")
    return value


def _number(told: dict[str, Any], name: str) -> float | None:
    value = told.get(name)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) <= MOST_COUNTS:
        raise WireError(f"found a value of {name} that is no number up to {MOST_COUNTS:g}, expected one")
    number = float(value)
    if not math.isfinite(number):
        raise WireError(f"found a value of {name} that is not finite, expected a number")
    return number
