"""Numbers, times and places of files in words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from onscope.runtime.record.about import RunFacts, camera_words

PATHS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:[\\/]|\\\\|/|~/)(?:[^\s'\"`,;:()<>|]*[\\/])+")


def number(value: float | None, digits: int = 4) -> str:
    """With as many digits as a reader wants."""
    if value is None or not math.isfinite(value):
        return "-"
    return (
        f"{value:,.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}" if abs(value) < 1e12 else f"{value:.3g}"
    )


def ms(value: float) -> str:
    """Milliseconds."""
    if not math.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def duration(seconds: float) -> str:
    """How long something took."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def share(count: float, total: float) -> str:
    """Percent."""
    return "-" if not total else f"{100 * count / total:.1f} %"


def some(words: Sequence[str], most: int = 6) -> str:
    """The first few, and how many more there are."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more:,} more" if more > 0 else "")


def when(facts: RunFacts) -> str:
    """When the run began, in the local time of who writes the report."""
    try:
        return f"{datetime.fromisoformat(facts.began).astimezone():%d %B %Y, %H:%M:%S (UTC%z)}"
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def without_folders(words: str) -> str:
    """Paths of this computer by their last name alone: a report goes to others."""
    return PATHS.sub("…/", words)


def file_name(path: str | None) -> str:
    """The last name of a path of any system."""
    return re.split(r"[\\/]", path or "")[-1]


def named(words: str, folder: Path) -> str:
    """A sentence about a recording, with its name in the place of its folder."""
    for place in dict.fromkeys((str(folder.resolve()), str(folder))):
        if len(place) > 1:
            words = words.replace(place, folder.resolve().name)
    return without_folders(words)


def source_words(source: Mapping[str, object]) -> str:
    """What a source said of itself."""
    known = [str(source["driver"])] if source.get("driver") else []
    known += [f"{name} {source[name]}" for name in ("scenario", "channel", "seed", "core") if source.get(name)]
    return without_folders(", ".join([*known, *camera_words(source)]))
