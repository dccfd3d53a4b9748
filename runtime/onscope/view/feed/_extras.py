"""What a feed is told beside the runtime."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._values import Setting

if TYPE_CHECKING:
    from onscope.runtime import FrameSpec
    from onscope.runtime.feedback.loop import Feedback


@dataclass(frozen=True, slots=True)
class Extras:
    """See View."""

    spec: FrameSpec | None
    axes: Mapping[str, Sequence[str]]
    settings: tuple[Setting, ...]
    queue_depth: int | None
    live: bool
    feedback: Feedback | None
    status: Callable[[], Mapping[str, Any]]
    frames: int = 0
    swaps: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
