"""Rehearsal: the same rules, aim and gate as live, on a specimen or a recording, faster than real time."""

from ._stage import Rehearsal, Shot
from ._truth import TRUE, Span, SpanBuilder, Story, TrueFrame, joined

__all__ = ["TRUE", "Rehearsal", "Shot", "Span", "SpanBuilder", "Story", "TrueFrame", "joined"]
