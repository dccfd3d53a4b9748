"""Graphs with an axis for windows in front, so that a server runs those of several microscopes at once."""

from __future__ import annotations

from pathlib import Path

from ..graph import Compiled


def batched_graph(compiled: Compiled, most: int) -> tuple[Path, int, str]:
    """The graph's file, how many windows it takes at once (0: no axis for them), and why no more, in words."""
    return compiled.path, 0, f"{', '.join(compiled.stages)}: windows are run one by one"
