"""What the words of `onscope plan` mean: cameras as `NAME=2048x2048@100*6,every=2`, links as `25Gbit`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onscope.runtime import Admission, FrameSpec, PipelineError
from onscope.runtime.capacity import Rhythm

from ._options import Dtype, parse_admission
from ._validate import parse_size

CAMERA = re.compile(r"(?:([A-Za-z][\w-]*)=)?(\d{1,5}x\d{1,5})@(\d+(?:\.\d+)?)(?:\*(\d{1,5}))?")
LINK = re.compile(r"(\d+(?:\.\d+)?)\s*([gm])bit(?:/s)?", re.IGNORECASE)
BUFFER_MB = 250
"""Micro-Manager's own default for its buffer of images."""
EXPECTED = "[NAME=]HEIGHTxWIDTH@FPS[*N][,KEY=VALUE...], say confocal=2048x2048@100*6,priority=1"
KEYS = ("every", "dtype", "admission", "deadline", "priority", "jitter", "burst", "pause", "buffer", "link")


@dataclass(frozen=True, slots=True)
class Kind:
    """Microscopes that are alike: `n` of them."""

    name: str
    n: int
    spec: FrameSpec
    rhythm: Rhythm
    admission: Admission
    priority: int
    buffer: int
    link_gbit: float | None


def parse_cameras(
    texts: Sequence[str], scopes: int | None, every: int, admission: str, deadline_ms: float | None
) -> list[Kind]:
    """All `--camera`; `scopes` of each that does not say how many. Raises PipelineError."""
    kinds: list[Kind] = []
    for number, text in enumerate(texts):
        kinds.append(
            _camera(text, f"camera{number + 1 if len(texts) > 1 else ''}", scopes, every, admission, deadline_ms)
        )
    names = [kind.name for kind in kinds]
    if len(set(names)) < len(names):
        raise PipelineError(f"found the cameras {', '.join(names)}, expected each name once: name them otherwise")
    return kinds


def _camera(text: str, name: str, scopes: int | None, every: int, admission: str, deadline_ms: float | None) -> Kind:
    head, *rest = text.split(",")
    match = CAMERA.fullmatch(head.strip())
    if match is None:
        raise PipelineError(f"found the camera {text!r}, expected {EXPECTED}")
    words: dict[str, str] = {}
    for part in rest:
        key, _, value = part.strip().partition("=")
        if key not in KEYS or not value:
            raise PipelineError(f"found {part!r} in the camera {text!r}, expected one of {', '.join(KEYS)}, as every=2")
        words[key] = value
    name, size, fps, n = match[1] or name, parse_size(match[2]), float(match[3]), int(match[4] or scopes or 1)
    dtype = words.get("dtype", "uint16")
    if dtype not in set(Dtype):
        raise PipelineError(f"found the dtype {dtype!r} in the camera {text!r}, expected {', '.join(Dtype)}")
    if n < 1:
        raise PipelineError(f"found {n} microscopes in the camera {text!r}, expected at least one")
    spec = FrameSpec(size, dtype, "yx", name)
    return Kind(
        name,
        n,
        spec,
        Rhythm(fps, _number(words, "jitter", 0.1), int(_number(words, "burst", 0)), _number(words, "pause", 0)),
        parse_admission(
            words.get("admission", admission),
            int(_number(words, "every", every)),
            _number(words, "deadline", deadline_ms) if "deadline" in words else deadline_ms,
        ),
        int(_number(words, "priority", 1)),
        int(_number(words, "buffer", max(2, BUFFER_MB * 1_000_000 // spec.nbytes))),
        parse_link(words["link"]) if "link" in words else None,
    )


def _number(words: Mapping[str, str], key: str, default: float | None) -> float:
    try:
        return float(words[key]) if key in words else float(default or 0)
    except ValueError:
        raise PipelineError(f"found {key}={words[key]}, expected a number") from None


def parse_link(text: str) -> float:
    """Gbit per second of `25Gbit`, `1000Mbit` or `auto`: what this PC's fastest cable has agreed on."""
    if text == "auto":
        return fastest_link()[1]
    match = LINK.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise PipelineError(f"found the link {text!r}, expected 10Gbit, 25Gbit, 1000Mbit ... or auto")
    return float(match[1]) / (1 if match[2].lower() == "g" else 1000)


def fastest_link() -> tuple[str, float]:
    """Name and Gbit per second of this machine's fastest cable that is plugged in; raises PipelineError."""
    import psutil

    up = {name: each.speed for name, each in psutil.net_if_stats().items() if each.isup and 0 < each.speed < 1 << 20}
    up.pop("lo", None)
    if not up:
        raise PipelineError(
            "found no network interface that tells its speed, expected one for --link auto: give it, as --link 10Gbit"
        )
    name = max(up, key=lambda each: up[each])
    return name, up[name] / 1000
