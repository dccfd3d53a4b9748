"""What `onscope info` says of single things, in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onscope.runtime.record.about import RunFacts, camera_words


def source_words(source: Mapping[str, Any]) -> str:
    """What a source said of itself."""
    known = [str(source["driver"])] if "driver" in source else []
    known += [f"{name} {source[name]}" for name in ("scenario", "channel", "seed", "of", "core") if source.get(name)]
    return ", ".join([*known, *camera_words(source)])


def when(facts: RunFacts) -> str:
    """When the run began, in local time."""
    try:
        return f"{datetime.fromisoformat(facts.began).astimezone():%Y-%m-%d %H:%M:%S %z}"
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def duration(seconds: float) -> str:
    """How long frames came."""
    return f"{seconds:.2f} s of frames" if seconds < 120 else f"{seconds / 60:.1f} min of frames"


def clean(text: object) -> str:
    """A text of others' in one line; what a terminal would obey is written out."""
    line = " ".join(str(text).split())
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in line)


def as_text(plain: Any) -> str:
    """Plain values as JSON that every reader takes: what is no number (NaN, infinite) is null."""
    return json.dumps(_finite(plain), indent=1, default=str, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
