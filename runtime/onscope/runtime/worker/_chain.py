"""A pipeline's stages opened for one FrameSpec: window in, answers out. Pure computing, no threads, no messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._frame import Pixels
from .._requests import request_from
from ..decode import TableDecoder
from ..graph import Compiled, Note, Raw, is_compiled, note_line, report_lines, warnings_of
from ._fit import check_weights, open_fitting
from ._group import Group
from ._hosted import ALONE, HostStages, Moment, Numbers
from ._opened import StageAnswer, calibration_of, pixels_per_raw
from ._plan import FRAME, Part, divide, image_as_raw
from ._runs import Parts, Runs, UnderWay
from ._scalars import Scalars
from ._watches import Watches


class Chain:
    """Compiled graphs in the order in which they run, each opened and warmed up.

    `message` is the one that opens a lane: spec, gather, stages, calibration, merge, provider, threads, and what
    `frozen` has told of an earlier chain like it; `region` (y, x, height, width) where the spec's frames are a part of
    the camera's. `build` is called with each graph's file before it is opened, for
    engines that open only what was built ahead. `numbers` are the track numbers that a worker's lanes share.
    Raises PackageError, PipelineError or ProviderError.
    """

    def __init__(
        self,
        message: Mapping[str, Any],
        progress: Callable[[str], object] = lambda text: None,
        build: Callable[[Path], object] = lambda graph: None,
        numbers: Numbers | None = None,
    ) -> None:
        self.warm_ns = 0
        """What one window took in the last of the warm-ups."""
        self.opened: list[StageAnswer] = []
        self.report: list[str] = []
        """What was done to the packages' graphs, in lines."""
        stages = dict(enumerate(message["stages"]))
        self._requests = {number: request_from(stage) for number, stage in stages.items() if "hosted" not in stage}
        names = {number: stage["name"] for number, stage in stages.items()}
        self._numbers = {name: number for number, name in names.items()}
        self.numbers = Numbers() if numbers is None else numbers
        self.host = HostStages({number: stage for number, stage in stages.items() if "hosted" in stage}, self.numbers)
        """The stages that run on the host's processor, after the graphs."""
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
        self.calibration = calibration_of(message)
        stated = self.calibration.bits if self.calibration is not None else None
        self.bit_depth: int = spec["bit_depth"] if stated is None else stated
        self._progress = progress
        self._build = build
        self._warnings: list[str] = []
        self.groups: list[Group] = []
        """The graphs in the order in which they run."""
        self._read: dict[int, tuple[float, float]] = {}
        told = {number: stages[number].get("trust") for number in self._requests}
        self.watches = Watches(self._requests, told, self._raw, self.calibration, self.engine, self.bit_depth)
        """What is looked at to say how far answers can be trusted, and what was seen of the last window."""
        answers: dict[int, StageAnswer] = {}
        images: dict[str, tuple[Pixels, str]] = {}
        choices = {number: stages[number]["choice"] for number in self._requests}
        for part in divide(self._requests, choices, self._raw, message["merge"]):
            answers |= self._open(part, images)
        graphs = list(answers.values())
        answers |= self.host.open(self._raw, self.bit_depth, self.engine, images, graphs, self.calibration, build)
        columns = {number: answer.columns for number, answer in answers.items()}
        self._runs = Runs(Parts(self.groups, self.host, self.watches, names, self._requests, columns, self._read))
        self.opened = [answers[number] for number in stages]
        for number, group in enumerate(self.groups):
            group.scalars.restore(each for each in message.get("frozen", ()) if each["graph"] == number)
        for stage in stages.values():
            if stage.get("tuned"):
                self.tune({**stage, "stage": stage["name"]})

    def tune(self, message: Mapping[str, Any]) -> None:
        """New settings of a stage's decoder, from the next window on; `tuned` of them are told with each answer."""
        number = self._numbers.get(message["stage"])
        for group in self.groups:
            if number is not None and number in group.decoders:
                group.tune(number, message["settings"], message["tuned"])

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
        kept: list[str] = []

        def warn(note: Note) -> None:
            self._warnings.append(note_line(note, part.reads))

        def open(compiled: Compiled) -> tuple[Group, dict[int, Pixels]]:
            self._build(compiled.path)
            self._progress(f"opening {names} on {self.engine[0]}")
            scalars = Scalars(compiled.scalars, raw, self.bit_depth, warn)
            group = Group(requests, part.reads, compiled, raw, scalars, self.engine)
            self._warnings += [f"{names}: {words}" for words in group.told]
            if group.about:
                self._progress(group.about)
            self._progress(f"warming up {names}")
            kept[:] = self._warnings
            return group, group.warm_up(window)

        compiled, (group, outputs), told = open_fitting(stages, raw, calibration, self.engine[0], open)
        self.warm_ns += group.warm_ns
        self.groups.append(group)
        self.report += report_lines(compiled, part.reads)
        self._warnings = [*kept, *told, *warnings_of(compiled, part.reads)]
        answers = {}
        for number, output in outputs.items():
            decode = group.decoders[number]
            answer, axes = decode(output)
            shape = answer.shape
            if decode.columns:
                rows = decode.rows(output.shape) if isinstance(decode, TableDecoder) else output[..., 0].size
                shape = (rows, len(decode.columns))
            name, reads = self._requests[number].name, self._requests[number].reads
            images[name] = answer, axes
            if reads != FRAME and decode.columns:
                self._read[number] = pixels_per_raw(images[reads][0].shape, self._raw.shape)
            answers[number] = StageAnswer(
                name, shape, answer.dtype.name, axes, decode.columns, group.provider, compiled.sha256
            )
        self._warnings += self.watches.open(group, images)
        return answers

    def run(
        self,
        window: Sequence[Pixels],
        chosen: Sequence[int] | None = None,
        place: int | None = None,
        reset: bool = False,
        channel: int | None = None,
        keys: Sequence[int] | None = None,
        parameters: Mapping[str, Mapping[str, float]] | None = None,
        moment: Moment = ALONE,
    ) -> tuple[list[Pixels], list[tuple[int, int]]]:
        """Answers and (start, end) stamps of the chosen stages (None: all), for the frames of one window.

        A chosen stage reads the frame or another chosen one; stages of one graph are chosen together and share their
        stamps. `place` says whose memory recurrent networks go on with, `reset` that they begin anew, which they do
        after an error too; `channel` whose statistics hold that are not each window's own; `keys` are the frames'
        numbers, each another within a lane, so that a frame of several windows is looked at once. With `parameters`
        (those of a recorded answer) a window is computed again as it was: frozen and running statistics depend on the
        windows before it; raises KeyError when they lack one. `moment` says where trackers go on.
        """
        return self.finish(self.begin(window, chosen, place, reset, channel, keys, parameters, moment))

    def begin(
        self,
        window: Sequence[Pixels],
        chosen: Sequence[int] | None = None,
        place: int | None = None,
        reset: bool = False,
        channel: int | None = None,
        keys: Sequence[int] | None = None,
        parameters: Mapping[str, Mapping[str, float]] | None = None,
        moment: Moment = ALONE,
    ) -> UnderWay:
        """As `run`, which `finish` completes, in the order in which windows were begun; only where there is `room`.

        The window's frames must not be changed until then.
        """
        return self._runs.begin(UnderWay(window, chosen, place, reset, channel, keys, parameters, moment))

    def finish(self, one: UnderWay) -> tuple[list[Pixels], list[tuple[int, int]]]:
        """What `run` gives, for a window that was begun."""
        return self._runs.finish(one)

    @property
    def depth(self) -> int:
        """How many windows may be under way at once; 1 where nothing is gained by it."""
        return self._runs.depth

    @property
    def room(self) -> bool:
        """Whether another window may be begun now."""
        return self._runs.room

    @property
    def began_anew(self) -> bool:
        """Whether a memory began anew with the last window."""
        return self._runs.began_anew

    @property
    def parameters(self) -> Mapping[str, Mapping[str, float]]:
        """What the host's statistics of the last window were, in raw counts, by stage and name."""
        return self._runs.parameters

    def frozen(self) -> list[dict[str, Any]]:
        """The statistics that were frozen since the last call, as plain values: another chain can go on with them."""
        found, self._runs.frozen = self._runs.frozen, []
        return found

    def warned(self) -> list[str]:
        """What was found since the last call that the user should know."""
        found, self._warnings = [*self._warnings, *self._runs.warnings], []
        self._runs.warnings = []
        return found
