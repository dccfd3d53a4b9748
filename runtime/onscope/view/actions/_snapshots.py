"""The action `snapshot`: what a viewer wants to see, drawn once more with its provenance, and saved."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from onscope.runtime import ClockPair, FrameId, Result

from .._errors import ViewError
from .._values import Layout, Wanted
from .._wire import Array, Message, WireError, unpack
from ..snapshot import About, Snapshots, Told, png_of
from ._fresh import Fresh, Pictured

LEAST_GAMMA, MOST_GAMMA = 0.1, 10.0


class Snap:
    """Makes snapshots of what `fresh` gives; `runtime` is one, or what the view takes for one."""

    def __init__(self, runtime: Any, fresh: Fresh, place: Snapshots) -> None:
        from ..feed import Extras
        from ..feed._layout import Layouts

        self._runtime = runtime
        self._layouts = Layouts(runtime, (), Extras(None, {}, (), None, True, None, dict))
        self._fresh, self._place = fresh, place

    def __call__(self, fields: dict[str, Any]) -> Mapping[str, Any]:
        """`name`, `png` and the `frame` that they are of, for a viewer's `views` and the `frame` that it sees.

        Raises ViewError, SourceError or RecordError.
        """
        try:
            views, told = _read(fields)
            found = self._fresh(_seen(fields), lambda result: any(_suits(result, view) for view in views))
            self._layouts.looks_new(found.result)
            layout = self._layouts.layout()
            labels = frozenset(image.name for image in layout.images if image.labels)
            head, arrays = drawn(found, views, layout)
            png = png_of(head, arrays, about(found.result, layout), Told(told.colours, told.gamma, labels))
        except WireError as error:
            raise ViewError(str(error)) from error
        name = self._place.save(png, head["frame"])
        return {
            "words": name if self._place.kept else "nothing is recorded, so it is not saved",
            "name": name,
            "png": png,
            "frame": found.result.frame.id._asdict(),
        }


def drawn(found: Pictured, views: tuple[Wanted, ...], layout: Layout) -> tuple[Message, list[Array]]:
    """The update of these views, as a viewer gets it; what the frame does not have is left out. Raises ViewError."""
    from ..feed._head import head_of
    from ..server._made import Maker
    from ..server._shown import Shown
    from ..server._update import Names, update

    answers = found.result.answers
    images = {"raw": found.result.frame.pixels} | {name: each for name, each in answers.items() if not each.dtype.names}
    tables = {name: each for name, each in answers.items() if each.dtype.names}
    shown = Shown(0, head_of(found.result, ClockPair.take()), images, tables, found.history)
    views = tuple(each for each in views if shown.suits(each))
    if not views:
        raise ViewError(
            f"found no picture of frame {found.result.frame.id} that was asked for, expected one: try again"
        )
    with ThreadPoolExecutor(2) as pool:  # the first is the loop's: the caller may run in one already
        made = pool.submit(lambda: asyncio.run(update(Maker(pool), shown, views, Names(layout.as_json()))))
        return unpack(made.result())


def about(result: Result, layout: Layout) -> About:
    """What made a result."""
    packages = {
        stage: {"name": str(layout.packages.get(stage, "")), "sha256": each.package, "precision": each.precision}
        for stage, each in result.provenance.items()
    }
    providers = {stage: each.provider for stage, each in result.provenance.items()}
    return About(packages, providers, result.parameters, result.frame.pixel_size_um or layout.pixel_size_um)


def _seen(fields: Mapping[str, Any]) -> FrameId | None:
    """The frame that the viewer sees, where it tells. Raises WireError."""
    told = fields.get("frame")
    if told is None:
        return None
    if not isinstance(told, dict) or not set(FrameId._fields) <= set(told):
        raise WireError(f"found {told!r:.60} as the frame that is seen, expected its {', '.join(FrameId._fields)}")
    return FrameId(*(told[name] for name in FrameId._fields))


def _suits(result: Result, view: Wanted) -> bool:
    """Whether a frame is of the camera and the place that a viewer looks at."""
    frame = result.frame
    there = all(frame.index.get(axis, 0) == at for axis, at in view.index.items() if axis != "t")
    return there and view.camera in ("", frame.id.camera)


def _read(fields: Mapping[str, Any]) -> tuple[tuple[Wanted, ...], Told]:
    """The views, and their colours. Raises WireError."""
    from ..server._said import Show, read_said

    try:
        said = read_said(json.dumps({"type": "show", "views": fields.get("views")}))
    except (TypeError, ValueError) as error:
        raise WireError(str(error)) from error
    assert isinstance(said, Show)
    if not said.views:
        raise WireError("found a snapshot of no picture, expected at least one view: choose an image first")
    colours, gamma = fields.get("colours") or {}, fields.get("gamma") or {}
    if not isinstance(colours, dict) or not isinstance(gamma, dict):
        raise WireError("found colours or gamma that are no object, expected one by the views' ids")
    ids = {str(view.id): view.id for view in said.views}
    return said.views, Told(
        {ids[name]: value for name, value in colours.items() if name in ids and isinstance(value, str)},
        {ids[name]: _gamma(value) for name, value in gamma.items() if name in ids},
    )


def _gamma(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WireError(f"found a gamma of {value!r:.40}, expected a number of {LEAST_GAMMA} to {MOST_GAMMA}")
    return min(max(float(value), LEAST_GAMMA), MOST_GAMMA)
