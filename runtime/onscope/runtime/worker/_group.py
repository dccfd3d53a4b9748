"""Stages that are one graph, opened: a window in, one native call, their outputs out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from .._clock import now_ns
from .._frame import Pixels
from ..decode import Decoder, GridDecoder, decoder
from ..engines import WARM_UPS, Far, Shares, Staged, open_session
from ..graph import Compiled, Raw, StageRequest, Tiled
from ._begun import Begun
from ._described import described, names_of
from ._plan import FRAME
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
        self._staged = self._session if isinstance(self._session, Staged) else None
        if self._staged is not None and compiled.states:
            self._staged.stay(range(len(compiled.answers), len(compiled.answers) + len(compiled.states)))
        if most := getattr(self._session, "memories", None):  # there is no more room for them where they lie
            self.states.most = most
        self._held: Sequence[Pixels] = ()
        self._taken: Mapping[str, Mapping[str, float]] = {}
        self.began_anew = False
        """Whether its memory began anew with the last window."""
        self.provider = session.provider
        self.told: Sequence[str] = getattr(session, "told", ())  # what the user should know of how it was opened
        self.about: str = getattr(session, "about", "")  # what it was opened on, where that is no news of its name

    def _decoder(self, number: int, request: StageRequest) -> Decoder:
        answer, raw = self.compiled.answers[self.places[number]], self.raw
        made = decoder(names_of(request, answer), request.settings, answer.decoded)
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
    def depth(self) -> int:
        """How many windows may be begun at once; 1 where a window is begun, run and answered in one call."""
        return 1 if self._staged is None else self._staged.depth

    @property
    def far(self) -> bool:
        """Whether windows take their time on a way, and not on this machine."""
        return isinstance(self._session, Far)

    @property
    def parameters(self) -> Mapping[str, Mapping[str, float]]:
        """What was used for the last window, by stage and name: the host's statistics, and what was tuned."""
        taken = self._taken
        if not self._tuned:
            return taken
        return {**taken, **{stage: {**taken.get(stage, {}), **values} for stage, values in self._tuned.items()}}

    @property
    def described(self) -> dict[str, Any]:
        """What it is, as plain values: `statistics` are those that the host takes, by the names of `parameters`."""
        return described(self.compiled, self.reads, self.provider, self.scalars.described)

    def lie_in(self, memory: Pixels, segment: str) -> None:
        """The frames of windows will lie in this memory (uint8), the shared segment of that name: the engine may copy
        straight from there."""
        if self._staged is not None and self.reads == FRAME:
            self._staged.lie_in(memory)
        if isinstance(self._session, Shares) and self.reads == FRAME:
            self._session.lie_in_shared(segment, memory)

    def hear(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from any thread, when a window is back from a server."""
        if isinstance(self._session, Far):
            self._session.woken = wake

    def close(self) -> None:
        """Give back what the engine has taken, where it knows how; nothing is run any more."""
        self.states.clear()
        if (close := getattr(self._session, "close", None)) is not None:
            close()

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
        return self._by_number(self.outputs(window, place, reset, channel, keys, parameters))

    def _by_number(self, outputs: Sequence[Pixels]) -> dict[int, Pixels]:
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
        if self._staged is not None:
            return self._finished(self.begin(window, place, reset, channel, keys, parameters))
        window, keys = self._reads(window, keys)
        self._held = self._scalars_for(window, channel, keys, parameters)
        self._taken = self.scalars.parameters
        states = cast(Sequence[Pixels], self.states.of(place, reset))  # copies in the host's memory, by `keep`
        self.began_anew = self.states.began_anew
        outputs = self._session.run([*window, *self._held, *states])
        self.states.keep(place, outputs[len(self.compiled.answers) :])
        return outputs[: len(self.compiled.answers)]

    def begin(
        self,
        window: Sequence[Pixels],
        place: int | None = None,
        reset: bool = False,
        channel: int | None = None,
        keys: Sequence[int] | None = None,
        parameters: Mapping[str, Mapping[str, float]] | None = None,
    ) -> Begun:
        """As `run`, which `finish` completes: other windows may be begun before that, `depth` in all."""
        window, keys = self._reads(window, keys)
        scalars = self._scalars_for(window, channel, keys, parameters)
        return self._begun(window, keys, place, reset, scalars, self.scalars.parameters)

    def begin_again(
        self, before: Begun, window: Sequence[Pixels], place: int | None, reset: bool, keys: Sequence[int] | None
    ) -> Begun:
        """`begin` with the memory as it is now, of a window of which the statistics were taken before."""
        return self._begun(*self._reads(window, keys), place, reset, before.scalars, before.parameters)

    def _begun(
        self,
        window: Sequence[Pixels],
        keys: Sequence[int] | None,
        place: int | None,
        reset: bool,
        scalars: Sequence[Pixels],
        parameters: Mapping[str, Mapping[str, float]],
    ) -> Begun:
        assert self._staged is not None
        states = self.states.of(place, reset)
        arrays = [*window, *scalars, *states]
        who = None if keys is None else [*keys, *[None] * (len(arrays) - len(keys))]
        pending = self._staged.start(arrays, who)
        self.states.hold(place, pending.stayed)
        return Begun(pending, scalars, parameters, self.states.began_anew)

    def finish(self, begun: Begun) -> dict[int, Pixels]:
        """What `run` gives, for a window that was begun; in the order in which they were."""
        return self._by_number(self._finished(begun))

    def _finished(self, begun: Begun) -> list[Pixels]:
        self._held, self._taken, self.began_anew = begun.scalars, begun.parameters, begun.began_anew
        return begun.pending.wait()

    def _reads(
        self, window: Sequence[Pixels], keys: Sequence[int] | None
    ) -> tuple[Sequence[Pixels], Sequence[int] | None]:
        """Those of a window's frames that the graph takes."""
        if self.compiled.frames == len(window):
            return window, keys
        return [window[self.raw.target]], None if keys is None else [keys[self.raw.target]]

    def _scalars_for(
        self,
        window: Sequence[Pixels],
        channel: int | None,
        keys: Sequence[int] | None,
        parameters: Mapping[str, Mapping[str, float]] | None,
    ) -> Sequence[Pixels]:
        if parameters is None:
            return self.scalars.values(window, channel, keys)
        return self.scalars.given(parameters)

    def again(self, window: Sequence[Pixels], number: int) -> Pixels:
        """The first output of one stage for the last window's frames turned or mirrored: with what was reckoned for
        them, and without any memory. What the last run answered may be lost."""
        if self.compiled.frames != len(window):
            window = [window[self.raw.target]]
        return self._session.run([*window, *self._held, *self.states.zeros])[self.places[number]]
