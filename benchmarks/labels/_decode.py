"""What decoders take per frame, beside the inference before them and the packages' own decoders."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from onscope.export.zoo._matching import matched
from onscope.export.zoo.recipes import Part
from onscope.export.zoo.recipes._parts import seed_of
from onscope.runtime.decode import STEPS
from onscope.specimen.scenarios import as_specimen, read_scenario

from .._rows import Row, at_most, spread
from ._instances import PACKAGE
from ._live import Live
from ._peers import cellpose_of, stardist_of
from ._plan import Plan
from ._turns import in_turns

Array = npt.NDArray[Any]
Tell = Callable[[str], object]
RAYS = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 32, "grid": (2, 2), "b": 0}
FLOWS = {"do_3D": False, "cellprob_threshold": 0.0, "flow_threshold": 0.4, "min_size": 15}


def decode(plan: Plan, tell: Tell) -> Iterator[Row]:
    """Rows by size: each decoder against the inference of nuclei-cells, and against its package's own."""
    find = Live(PACKAGE)
    for side, count in plan.sizes:
        tell(f"decode: {count} nuclei in {side}x{side}")
        frame, truth = crowd(side, count)
        group = find.chain(frame.shape, frame.dtype.name).groups[0]
        (output,) = (np.array(each) for each in group.run([frame]).values())
        (stars,) = group.decoders.values()
        flows = flows_of(truth)
        follow = STEPS["cellpose_flow_dynamics"](("channel", "y", "x"), FLOWS)
        things: dict[str, Callable[[], object]] = {
            "inference": partial(group.run, [frame]),
            "star-convex": partial(stars, output),
            "flows": partial(follow, flows),
        }
        peer = stardist_of(output[0], frame.shape, RAYS)
        if peer is not None:
            things["stardist"] = peer
        times = in_turns(things, plan.rounds)
        where = f"{side}x{side}"
        labels, _ = stars(output)
        what = f"decode star-convex, {int(labels.max())} objects, {where}"
        yield _row(what, times["star-convex"], "inference of nuclei-cells", times["inference"])
        if peer is not None:
            yield _row(what, times["star-convex"], "stardist's own", times["stardist"], (labels, peer()))
        labels, _ = follow(flows)
        what = f"decode flows, {int(labels.max())} objects, {where}"
        yield _row(what, times["flows"], "inference of nuclei-cells", times["inference"])
        theirs = cellpose_of(flows, plan.rounds)
        if theirs is not None:
            yield _row(what, times["flows"], "cellpose's own", theirs[0], (labels, theirs[1]))


def _row(
    what: str,
    ours: Sequence[float],
    name: str,
    theirs: Sequence[float],
    labels: tuple[Array, Array] | None = None,
) -> Row:
    """Medians; with the `labels` of both the budget holds, and the row says how alike they are."""
    own, other = float(np.median(ours)), float(np.median(theirs))
    numbers: dict[str, Any] = {"ours_ms": spread(ours), "theirs_ms": spread(theirs)}
    if labels is None:
        return Row(what, f"{own:.1f} ms", f"{name} {other:.1f} ms", round(own / other, 3), detail=numbers)
    alike = matched(*labels)
    numbers |= {"f1_at_0.9": alike.f1(0.9), "same_pixels": float(((labels[0] > 0) == (labels[1] > 0)).mean())}
    words = f"{name} {other:.1f} ms, F1 of both at 0.9: {alike.f1(0.9):.3f}"
    return at_most(what, f"{own:.1f} ms", words, own / other, 1.0, numbers)


def crowd(side: int, count: int) -> tuple[Array, Array]:
    """A frame uint16 (side, side) of about `count` nuclei at 10x and the true labels: a closed layer as in `wound`."""
    scenario = read_scenario("wound")
    cells = scenario.sample.cells
    assert cells is not None
    extent = side * scenario.optics.pixel_um + 40.0
    many = round(count * (extent / (extent - 40.0)) ** 2)
    cells = replace(cells, count=many, extent_um=(extent, extent), gap_um=0.0)
    lit = {"nuclei": replace(scenario.channels["nuclei"], field_um=2 * extent)}
    chosen = replace(scenario, sample=replace(scenario.sample, cells=cells, age_s=60.0), channels=lit)
    specimen = as_specimen(chosen, seed_of(Part.HELD_OUT, 0))
    snap = specimen.snap((extent / 2, extent / 2), "nuclei", shape=(side, side))
    assert snap.truth is not None
    return np.ascontiguousarray(snap.counts), snap.truth.nuclei


def flows_of(labels: Array) -> npt.NDArray[np.float32]:
    """(3, y, x): five times the unit vector towards each object's middle, and a logit; what a good network answers for
    round objects."""
    count = int(labels.max()) + 1
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]].astype(np.float32)
    areas = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    middle = [np.bincount(labels.ravel(), each.ravel(), count) / areas for each in (y, x)]
    away = np.stack([middle[0][labels] - y, middle[1][labels] - x])
    away /= np.maximum(np.hypot(*away), 1e-3)
    # The direction turns gently at the middle, as in a network's answer.
    away = np.stack([cv2.GaussianBlur(each * (labels > 0), (0, 0), 1.0) for each in away])
    return np.concatenate([5 * away * (labels > 0), np.where(labels > 0, 6, -6)[None]]).astype(np.float32)
