"""What tiles cost in truth: how far their answers are from those of the full frame, where one tile meets the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._frame import Pixels
from ..graph import compile_group, undecided
from ._chain import Chain
from ._group import Group
from ._plan import FRAME
from ._scalars import Scalars


def seam_errors(chain: Chain, window: Sequence[Pixels]) -> dict[str, float]:
    """For each stage that is run in tiles the largest difference near a seam, as a part of its answer's range.

    The same graphs are compiled for the full frame and run on the same window. Raises what a Chain raises.
    """
    errors: dict[str, float] = {}
    images: dict[str, Pixels] = {}
    for group in chain.groups:
        reads = window if group.reads == FRAME else [np.ascontiguousarray(images[group.reads])]
        outputs = [np.array(output) for output in group.outputs(reads, reset=True)]
        if group.tiled is not None:
            whole = _untiled(chain, group).outputs(reads)
            found = group.tiled.seam_errors(whole, outputs)
            for answer, error in zip(group.compiled.answers, found, strict=True):
                errors[answer.stage] = max(error, errors.get(answer.stage, 0.0))
        for number, place in group.places.items():
            images[group.requests[number].name], _ = group.decoders[number](outputs[place])
    return errors


def _untiled(chain: Chain, group: Group) -> Group:
    requests = {number: undecided(replace(request, tile=None)) for number, request in group.requests.items()}
    calibration = chain.calibration if group.reads == FRAME else None
    compiled = compile_group(list(requests.values()), group.raw, calibration)
    scalars = Scalars(compiled.scalars, group.raw, chain.bit_depth, lambda note: None)
    return Group(requests, group.reads, compiled, group.raw, scalars, chain.engine)
