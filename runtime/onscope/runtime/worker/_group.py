"""Stages that are one graph, opened: a window in, one native call, their outputs out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from .._clock import now_ns
from .._frame import Pixels
from ..decode import Decoder, GridDecoder, decoder
from ..engines import WARM_UPS, open_session
from ..graph import Answer, Compiled, Raw, StageRequest, Tiled
from ._scalars import Scalars
from ._states import States

SETTING = "setting "
"""Stands before the names of settings that were tuned, where answers tell their parameters."""


class Group:
    """A compiled graph, its session, what the host reckons for it, and its memory.

    `requests` are the stages by their numbers within the lane, in the graph's order; `reads` is "frame", or the stage
    whose image the graph takes. Raises PipelineError or ProviderError.
    """

    def __init__(
        self,
        requests: Mapping[int, StageRequest],
        reads: str,
        compiled: Compiled,
        raw: Raw,
        scalars: Scalars,
        engine: tuple[str, int | None],
    ) -> None:
        self.reads = reads
        self.compiled = compiled
        self.warm_ns = 0
        """What the last of the warm-ups took."""
        self.states = States(compiled.states)
        self.decoders: dict[int, Decoder] = {}
        self.places: dict[int, int] = {}
        self.raw = raw
        self._tuned: dict[str, Mapping[str, float]] = {}
        for number, request in requests.items():
            names = [answer.stage for answer in compiled.answers]
            self.places[number] = names.index(request.name)
            self.decoders[number] = self._decoder(number, request)
        self.requests = dict(requests)
        self.scalars = scalars
        session = open_session(compiled.path, *engine)
        self.tiled = None if compiled.tiling is None else Tiled(session, compiled, raw)
        self._session = self.tiled or session
        self._held: Sequence[Pixels] = ()
        self.provider = session.provider

    def _decoder(self, number: int, request: StageRequest) -> Decoder:
        answer, raw = self.compiled.answers[self.places[number]], self.raw
        made = decoder(_names(request, answer), request.settings, answer.decoded)
        if isinstance(made, GridDecoder):
            made.within = raw.shape[raw.axes.index("y")], raw.shape[raw.axes.index("x")]
        return made

    def tune(self, number: int, settings: Mapping[str, Any], tuned: Mapping[str, float]) -> None:
        """Decode a stage's outputs with other settings; `tuned` are those that `parameters` tell."""
        request = replace(self.requests[number], settings=settings)
        self.decoders[number] = self._decoder(number, request)
        self.requests[number] = request
        self._tuned[request.name] = {f"{SETTING}{name}": value for name, value in tuned.items()}

    @property
    def parameters(self) -> Mapping[str, Mapping[str, float]]:
        """What was used for the last window, by stage and name: the host's statistics, and what was tuned."""
        taken = self.scalars.parameters
        if not self._tuned:
            return taken
        return {**taken, **{stage: {**taken.get(stage, {}), **values} for stage, values in self._tuned.items()}}

    @property
    def described(self) -> dict[str, Any]:
        """What it is, as plain values: `statistics` are those that the host takes, by the names of `parameters`."""
        compiled = self.compiled
        return {
            "stages": list(compiled.stages),
            "reads": self.reads,
            "sha256": compiled.sha256,
            "provider": self.provider,
            "opset": compiled.opset,
            "frames": compiled.frames,
            "memory_mb": round(compiled.memory_mb, 1),
            "tiling": None if compiled.tiling is None else asdict(compiled.tiling),
            "recurrent": bool(compiled.states),
            "statistics": self.scalars.described,
        }

    def warm_up(self, window: Sequence[Pixels]) -> dict[int, Pixels]:
        """Run on empty frames until buffers are allocated; nothing of them is remembered."""
        for _ in range(WARM_UPS):
            start = now_ns()
            outputs = self.run(window)
            self.warm_ns = now_ns() - start
        self.states.clear()
        self.scalars.clear()
        return outputs

    def run(
        self,
        window: Sequence[Pixels],
        place: int | None = None,
        reset: bool = False,
        channel: int | None = None,
        keys: Sequence[int] | None = None,
        parameters: Mapping[str, Mapping[str, float]] | None = None,
    ) -> dict[int, Pixels]:
        """The first output of each stage by its number, for the frames of one window; valid until the next call.

        `place` says whose memory a recurrent network goes on with, `reset` that it begins anew, `channel` whose
        statistics hold that are not each window's own, and `keys` who the frames are, so that those of several windows
        are looked at once. `parameters` are those of an earlier run, to be used in place of the window's.
        Raises ProviderError.
        """
        outputs = self.outputs(window, place, reset, channel, keys, parameters)
        return {number: outputs[at] for number, at in self.places.items()}

    def outputs(
        self,
        window: Sequence[Pixels],
        place: int | None = None,
        reset: bool = False,
        channel: int | None = None,
        keys: Sequence[int] | None = None,
        parameters: Mapping[str, Mapping[str, float]] | None = None,
    ) -> list[Pixels]:
        """All answers of the graph, in its order."""
        if self.compiled.frames != len(window):
            window = [window[self.raw.target]]
            keys = None if keys is None else [keys[self.raw.target]]
        if parameters is None:
            scalars = self.scalars.values(window, channel, keys)
        else:
            scalars = self.scalars.given(parameters)
        self._held = scalars
        outputs = self._session.run([*window, *scalars, *self.states.of(place, reset)])
        self.states.keep(place, outputs[len(self.compiled.answers) :])
        return outputs[: len(self.compiled.answers)]

    def again(self, window: Sequence[Pixels], number: int) -> Pixels:
        """The first output of one stage for the last window's frames turned or mirrored: with what was reckoned for
        them, and without any memory. What the last run answered may be lost."""
        if self.compiled.frames != len(window):
            window = [window[self.raw.target]]
        return self._session.run([*window, *self._held, *self.states.of(None, True)])[self.places[number]]


def _names(request: StageRequest, answer: Answer) -> list[str]:
    """The answer's axes as decoders name them: y, x and z by their ids, the others by their kinds."""
    described = next(tensor for tensor in request.outputs if tensor.name == answer.tensor)
    kinds = {axis.id: axis.kind for axis in described.described if axis.kind != "space"}
    return [kinds.get(id, id) for id in answer.axes]
