"""Graphs with an axis for windows in front, so that a server runs those of several microscopes at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import PipelineError
from ..graph.batch import batched

if TYPE_CHECKING:
    from ..worker import Group


def batched_graph(group: Group, most: int) -> tuple[Path, int, str]:
    """The graph's file, how many windows it takes at once (0: no axis for them), and what the user should know.

    Batches are held against single windows before: one that gives something else is not written.
    """
    from ..worker import prove_batched, refuse_unproven

    compiled, names = group.compiled, ", ".join(group.compiled.stages)
    try:
        made = batched(compiled, most=most)
        proof = prove_batched(made, group.raw)
        refuse_unproven(made, proof)
    except PipelineError as why:
        return compiled.path, 0, f"{names}: windows are run one by one: {why}"
    if proof.identical:
        return made.path, most, ""
    apart = max(error.apart for error in proof.errors)
    return made.path, most, f"{names}: batches differ from single windows by {apart:.1e} of the answers' range at most"
