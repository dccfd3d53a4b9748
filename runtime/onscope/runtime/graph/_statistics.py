"""Where the numbers come from that a stage's steps normalise with: the host, or the graph itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .._errors import PipelineError
from ._draft import Draft, Value
from ._layout import Picture, reordered
from ._types import Normalise, Scalar, StageRequest, Statistic
from .statistics import statistic_node

WORDS = {"percentile": "percentiles", "mean": "the mean", "std": "the standard deviation"}


@dataclass(frozen=True, slots=True)
class Origin:
    """A tensor as it comes, before any step, and which frames it is made of.

    `homes` says which axis each letter of `picture` went to; `host`: its values are those of the raw frames (times
    `gain`, plus `offset`), so that the host can take statistics of them.
    """

    value: Value
    picture: Picture
    homes: Mapping[str, str]
    frames: tuple[int, ...] = (0,)
    host: bool = False
    gain: float = 1.0
    offset: float = 0.0


@dataclass
class Statistics:
    """Gives the steps of one stage the names of their statistics; notes what was taken in `taken`."""

    draft: Draft
    stage: StageRequest
    later: bool
    """Whether the stage reads another one's image within the graph."""
    inputs: dict[str, Origin] = field(default_factory=dict)
    """By tensor: those that a step may refer to."""
    root: Origin | None = None
    """The raw frame, for `normalise="shared"`."""
    scalars: list[Scalar] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def of(self, own: Origin, statistic: Statistic) -> str:
        """The name of a float32 tensor that broadcasts against `own.value`."""
        of = self.inputs.get(statistic.tensor, own) if statistic.tensor else own
        if statistic.tensor and statistic.tensor not in self.inputs:
            raise PipelineError(
                f"found a step of the stage {self.stage.name!r} that refers to {statistic.tensor!r}, expected one of "
                f"{', '.join(self.inputs)}: correct the package"
            )
        per = _per(of, statistic)
        statistic = replace(statistic, tensor="")
        words = WORDS[statistic.kind]
        if self.later and self.stage.normalise == "shared" and self.root is not None and of in self.inputs.values():
            return self._shared(own, of, statistic, words)
        if of.host and per is not None:
            self.taken.append(f"{words} of the raw frame from the host, {_how(self.stage)}")
            return self._scalar(own, of, statistic, per, of)
        if self.stage.normalise in ("frozen", "running") and of in self.inputs.values():
            raise PipelineError(
                f"found normalise {self.stage.normalise!r} for the stage {self.stage.name!r}, whose {words} are taken "
                "in the graph, expected 'per_frame': they never reach the host, as nothing does that is calibrated "
                "with maps (offset and gain alone are fine), or made by the same graph"
            )
        self.taken.append(f"{words} of its own tensor in the graph, per frame")
        return self._in_graph(own, of, statistic)

    def _shared(self, own: Origin, of: Origin, statistic: Statistic, words: str) -> str:
        root = self.root
        assert root is not None
        known = tuple(of.homes[letter] for letter in root.homes if of.homes.get(letter) in statistic.keeps)
        self.taken.append(f"{words} of the raw frame, shared down the chain")
        if root.host:
            per = _per(replace(of, picture=root.picture), replace(statistic, keeps=known))
            if per is not None:
                return self._scalar(own, of, statistic, per, root)
        # One number of the whole frame: its axes are not this tensor's.
        return self._in_graph(own, root, replace(statistic, keeps=()))

    def _scalar(self, own: Origin, of: Origin, statistic: Statistic, per: str, root: Origin) -> str:
        letter = {"s": "s", "w": root.picture.along}.get(per, "")
        size = root.picture.sizes[letter] if letter else 1
        shape = tuple((size or 1) if letter and id == of.homes[letter] else 1 for id in own.value.axes)
        normalise: Normalise = "per_frame"
        if self.stage.normalise in ("frozen", "running"):
            normalise = self.stage.normalise
        scalar = Scalar(
            input=f"{self.stage.name}.scalar_{len(self.scalars)}",
            stage=self.stage.name,
            statistic=replace(statistic, keeps=() if not letter else (of.homes[letter],)),
            shape=shape,
            per=per,  # type: ignore[arg-type]
            frames=root.frames,
            normalise=normalise,
            frozen_frames=self.stage.frozen_frames,
            gain=root.gain,
            offset=root.offset,
        )
        for known in self.scalars:
            if replace(known, input="") == replace(scalar, input=""):
                return known.input
        self.scalars.append(scalar)
        return scalar.input

    def _in_graph(self, own: Origin, of: Origin, statistic: Statistic) -> str:
        keeps = tuple(id for id in statistic.keeps if id in of.value.axes)
        name = statistic_node(self.draft, of.value, replace(statistic, keeps=keeps))
        if of.value.axes == own.value.axes:
            return name
        shape = tuple(size if id in keeps else 1 for id, size in zip(of.value.axes, of.value.shape, strict=True))
        kept = Value(name, "float32", of.value.axes, shape)
        return reordered(self.draft, kept, own.value.axes, {id: id for id in keeps if id in own.value.axes}).name


def _per(of: Origin, statistic: Statistic) -> str | None:
    """Along what a statistic of raw frames differs: "", "s" (samples), "w" (frames); None: the host cannot."""
    sizes = of.picture.sizes
    kept = [letter for letter, id in of.homes.items() if id in statistic.keeps and sizes.get(letter, 1) != 1]
    if not kept:
        return ""
    if kept == ["s"]:
        return "s"
    return "w" if kept == [of.picture.along] else None


def _how(stage: StageRequest) -> str:
    return {
        "frozen": f"frozen after {stage.frozen_frames} windows",
        "running": "as a running mean",
    }.get(stage.normalise, "per frame")
