"""Images of stages to a handler of pymmcore-plus: anything with `frameReady`, as its runner's `output`."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np

from .._result import Result
from ._derived import Run, Told
from ._words import frame_meta, summary_of

FREE = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


class Handler:
    """Calls `sequenceStarted`, `frameReady` and `sequenceFinished` of a handler, as far as it has them.

    As with pymmcore-plus, each is given as many arguments as it takes: (sequence, summary), (image, event, meta),
    (sequence). A run begins with its first image; size and type of images in the summary are the stage's. `meta` is the
    frame's, with the pixel size of the image, and `extra["onscope"]`: the stage, and who the frame is.
    """

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._ready = _fitting(handler.frameReady, 3)
        self._run: Run | None = None

    def put(self, stage: str, image: np.ndarray[Any, Any], result: Result, told: Told) -> bool:
        if told.run is None:
            return False
        if told.run is not self._run:
            self._end_run()
            self._run = told.run
            self._call("sequenceStarted", 2, told.run.sequence, summary_of(told.run.summary, image, stage, result))
        self._ready(image, told.event, frame_meta(told, stage, result))
        return True

    def finish(self, last: Told | None) -> None:
        self._end_run()

    def _end_run(self) -> None:
        if self._run is not None:
            self._call("sequenceFinished", 1, self._run.sequence)
            self._run = None

    def _call(self, name: str, most: int, *arguments: Any) -> None:
        method = getattr(self._handler, name, None)
        if callable(method):
            _fitting(method, most)(*arguments)


def _fitting(method: Callable[..., Any], most: int) -> Callable[..., Any]:
    """`method`, called with as many of `most` arguments as it takes."""
    try:
        parameters = list(signature(method).parameters.values())
    except (TypeError, ValueError):  # what is not written in Python may not say
        return method
    if any(each.kind is Parameter.VAR_POSITIONAL for each in parameters):
        return method
    takes = min(most, sum(each.kind in FREE for each in parameters))
    return lambda *arguments: method(*arguments[:takes])
