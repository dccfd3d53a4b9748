"""A pipeline's stages opened for one FrameSpec: window in, answers out. Pure computing, no threads, no messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._clock import now_ns
from .._errors import ProviderError
from .._frame import Pixels
from .._requests import request_from
from ..decode import Decoder
from ..graph import (
    Note,
    Raw,
    is_compiled,
    load_calibration,
    note_line,
    report_lines,
    warnings_of,
)
from ._fit import check_weights, compile_fitting
from ._group import Group
from ._plan import FRAME, Part, divide, image_as_raw
from ._scalars import Scalars


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """What one stage answers: `shape` is the largest it can be; `columns` (of a table) empty for an image.

    `graph` is the sha256 of the compiled graph that it comes from.
    """

    stage: str
    shape: tuple[int, ...]
    dtype: str
    axes: str
    columns: tuple[str, ...]
    provider: str
    graph: str


class Chain:
    """Compiled graphs in the order in which they run, each opened and warmed up.

    `message` is the one that opens a lane: spec, gather, stages, calibration, merge, provider, threads, and what
    `frozen` has told of an earlier chain like it. `build` is called with each graph's file before it is opened, for
    engines that open only what was built ahead. Raises PackageError, PipelineError or ProviderError.
    """

    def __init__(
        self,
        message: Mapping[str, Any],
        progress: Callable[[str], object] = lambda text: None,
        build: Callable[[Path], object] = lambda graph: None,
    ) -> None:
        self.warm_ns = 0
        """What one window took in the last of the warm-ups."""
        self.opened: list[StageAnswer] = []
        self.report: list[str] = []
        """What was done to the packages' graphs, in lines."""
        self.began_anew = False
        """Whether a memory began anew with the last window."""
        self._requests = [request_from(stage) for stage in message["stages"]]
        self._numbers = {request.name: number for number, request in enumerate(self._requests)}
        spec, gather = message["spec"], message["gather"]
        self._raw = Raw(
            tuple(spec["shape"]),
            spec["dtype"],
            spec["axes"],
            gather["length"],
            gather["along"],
            gather["target"],
            spec["pixel_size_um"],
        )
        self.engine: tuple[str, int | None] = (message["provider"], message["threads"])
        self.calibration = None if message["calibration"] is None else load_calibration(Path(message["calibration"]))
        stated = self.calibration.bits if self.calibration is not None else None
        self.bit_depth: int = spec["bit_depth"] if stated is None else stated
        self._progress = progress
        self._build = build
        self._warnings: list[str] = []
        self._heard: set[int] = set()
        self.groups: list[Group] = []
        """The graphs in the order in which they run."""
        answers: dict[int, StageAnswer] = {}
        images: dict[str, tuple[Pixels, str]] = {}
        choices = [stage["choice"] for stage in message["stages"]]
        for part in divide(self._requests, choices, self._raw, message["merge"]):
            answers |= self._open(part, images)
        self.opened = [answers[number] for number in range(len(self._requests))]
        for number, group in enumerate(self.groups):
            group.scalars.restore(each for each in message.get("frozen", ()) if each["graph"] == number)

    def _open(self, part: Part, images: dict[str, tuple[Pixels, str]]) -> dict[int, StageAnswer]:
        """Compile, open and warm up one graph; what its stages answer. Adds their images to `images`."""
        requests = {number: self._requests[number] for number in part.numbers}
        stages = list(requests.values())
        names = "+".join(request.name for request in stages)
        for request in stages:
            check_weights(request)
        if part.reads == FRAME:
            raw, calibration = self._raw, self.calibration
            window = [np.zeros(raw.shape, raw.dtype)] * raw.length
        else:
            image, axes = images[part.reads]
            raw, calibration = image_as_raw(part.reads, image, axes, self._raw, stages), None
            window = [np.ascontiguousarray(image)]
        known = is_compiled(stages, raw, calibration)
        size = f"{'x'.join(map(str, raw.shape))} {raw.dtype}"
        self._progress(f"{names} for {size} from the cache" if known else f"compiling {names} for {size}")
        compiled, told = compile_fitting(stages, raw, calibration)
        self._build(compiled.path)
        self._progress(f"opening {names} on {self.engine[0]}")

        def warn(note: Note) -> None:
            self._warnings.append(note_line(note, part.reads))

        group = Group(
            requests, part.reads, compiled, raw, Scalars(compiled.scalars, raw, self.bit_depth, warn), self.engine
        )
        self._progress(f"warming up {names}")
        kept = list(self._warnings)
        outputs = group.warm_up(window)
        self.warm_ns += group.warm_ns
        self.groups.append(group)
        self.report += report_lines(compiled, part.reads)
        self._warnings = [*kept, *told, *warnings_of(compiled, part.reads)]
        answers = {}
        for number, output in outputs.items():
            decode = group.decoders[number]
            answer, axes = decode(output)
            shape = output.reshape(-1, output.shape[-1]).shape if decode.columns else answer.shape
            name = self._requests[number].name
            images[name] = answer, axes
            answers[number] = StageAnswer(
                name, shape, answer.dtype.name, axes, decode.columns, group.provider, compiled.sha256
            )
        return answers

    def run(
        self,
        window: Sequence[Pixels],
        chosen: Sequence[int] | None = None,
        place: int | None = None,
        reset: bool = False,
        channel: int | None = None,
        keys: Sequence[int] | None = None,
    ) -> tuple[list[Pixels], list[tuple[int, int]]]:
        """Answers and (start, end) stamps of the chosen stages (None: all), for the frames of one window.

        A chosen stage reads the frame or another chosen one; stages of one graph are chosen together and share their
        stamps. `place` says whose memory recurrent networks go on with, `reset` that they begin anew, which they do
        after an error too; `channel` whose statistics hold that are not each window's own; `keys` are the frames'
        numbers, each another within a lane, so that a frame of several windows is looked at once.
        """
        wanted = range(len(self._requests)) if chosen is None else chosen
        answers: dict[int, Pixels] = {}
        stamps: dict[int, tuple[int, int]] = {}
        self.began_anew = False
        try:
            for group in self.groups:
                if chosen is not None and not any(number in chosen for number in group.decoders):
                    continue
                start = now_ns()
                reads, whose = window, keys
                if group.reads != FRAME:
                    reads, whose = [np.ascontiguousarray(answers[self._numbers[group.reads]])], None
                for number, output in group.run(reads, place, reset, channel, whose).items():
                    _refuse_nan(self._requests[number].name, output)
                    decode = group.decoders[number]
                    answers[number], _ = decode(output)
                    self._hear(number, decode)
                stamps |= dict.fromkeys(group.decoders, (start, now_ns()))
                self.began_anew |= group.states.began_anew
        except BaseException:
            for group in self.groups:
                group.states.forget(place)
            raise
        return [answers[number] for number in wanted], [stamps[number] for number in wanted]

    def frozen(self) -> list[dict[str, Any]]:
        """The statistics that were frozen since the last call, as plain values: another chain can go on with them."""
        return [
            {"graph": number, **each} for number, group in enumerate(self.groups) for each in group.scalars.frozen()
        ]

    def _hear(self, number: int, decode: Decoder) -> None:
        """What a decoder tells for the first time."""
        if decode.told and number not in self._heard:
            self._heard.add(number)
            self._warnings += [f"{self._requests[number].name}: {words}" for words in decode.told]
        decode.told.clear()

    def warned(self) -> list[str]:
        """What was found since the last call that the user should know."""
        found, self._warnings = self._warnings, []
        return found


def _refuse_nan(stage: str, output: Pixels) -> None:
    # The largest value is NaN if any value is, and takes a third of the time of a sum. Infinities of both signs are
    # no better. Looked at before decoding, which may cut NaN off as if it were a low score.
    if output.dtype.kind != "f" or not output.size:
        return
    largest = output.max()
    if np.isnan(largest) or (largest == np.inf and output.min() == -np.inf):
        raise ProviderError(f"the stage {stage!r} answered NaN: its input holds NaN, or the network overflows on it")
