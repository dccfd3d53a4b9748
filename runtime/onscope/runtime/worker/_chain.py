"""A pipeline's stages opened for one FrameSpec: window in, answers out. Pure computing, no threads, no messages."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._axes import to_tensor
from .._clock import now_ns
from .._errors import PackageError, PipelineError, ProviderError
from .._frame import Pixels
from ..decode import Decoder, decoder
from ..engines import WARM_UPS, Session, open_session


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """What one stage answers: `shape` is the largest it can be; `columns` (of a table) empty for an image."""

    stage: str
    shape: tuple[int, ...]
    dtype: str
    axes: str
    columns: tuple[str, ...]
    provider: str


class Chain:
    """Sessions in the order of the stages.

    `stages` are plain mappings (they come as messages): name, graph (path), sha256, package, reads ("frame" or an
    earlier stage), input_axes, output_axes, settings. Raises PackageError, PipelineError or
    ProviderError.
    """

    def __init__(
        self,
        stages: Sequence[Mapping[str, Any]],
        provider: str,
        threads: int | None,
        progress: Callable[[str], object] = lambda text: None,
    ) -> None:
        self.warm_ns = 0
        """What one window took in the last of the warm-ups."""
        self._stages: list[tuple[Mapping[str, Any], Session, Decoder]] = []
        for stage in stages:
            graph = Path(stage["graph"])
            progress(f"opening {stage['name']} ({graph.parent.name}) on {provider}")
            _check_hash(graph, stage["sha256"])
            session = open_session(graph, provider, threads)
            self._stages.append((stage, session, decoder(stage["output_axes"], stage["settings"])))

    def warm_up(self, spec_shape: Sequence[int], dtype: str, axes: str, length: int) -> list[StageAnswer]:
        """Run on empty frames until buffers are allocated; what each stage answers."""
        window = [np.zeros(tuple(spec_shape), dtype)] * length
        for _ in range(WARM_UPS):
            start = now_ns()
            raw, _ = self._run_stages(window, axes)
            self.warm_ns = now_ns() - start
        answers = []
        for stage, session, decode in self._stages:
            output = raw[stage["name"]]
            answer, answer_axes = decode(output)
            shape = output.reshape(-1, output.shape[-1]).shape if decode.columns else answer.shape
            answers.append(
                StageAnswer(stage["name"], shape, answer.dtype.name, answer_axes, decode.columns, session.provider)
            )
        return answers

    def run(
        self, window: Sequence[Pixels], axes: str, chosen: Sequence[int] | None = None
    ) -> tuple[list[Pixels], list[tuple[int, int]]]:
        """Answers and (start, end) stamps of the chosen stages (None: all), for the frames of one window.

        Each frame has the axes `axes`; a chosen stage reads the frame or another chosen one.
        """
        outputs, stamps = self._run_stages(window, axes, chosen)
        answers = []
        for stage, _, decode in self._of(chosen):
            output = outputs[stage["name"]]
            # A sum is NaN if any value is; infinities of both signs too, and they are no better. Looked at before
            # decoding, which may cut NaN off as if it were a low score.
            if output.dtype.kind == "f" and np.isnan(output.sum()):
                raise ProviderError(
                    f"the stage {stage['name']!r} answered NaN: its input holds NaN, or the network overflows on it"
                )
            answer, _ = decode(output)
            answers.append(answer)
        return answers, stamps

    def _of(self, chosen: Sequence[int] | None) -> list[tuple[Mapping[str, Any], Session, Decoder]]:
        return self._stages if chosen is None else [self._stages[number] for number in chosen]

    def _run_stages(
        self, window: Sequence[Pixels], axes: str, chosen: Sequence[int] | None = None
    ) -> tuple[dict[str, Pixels], list[tuple[int, int]]]:
        frame, frame_axes = (window[0], axes) if len(window) == 1 else (np.stack(window), "t" + axes)
        outputs: dict[str, Pixels] = {}
        images: dict[str, tuple[Pixels, str]] = {"frame": (frame, frame_axes)}
        stamps = []
        for stage, session, decode in self._of(chosen):
            start = now_ns()
            array, have = images[stage["reads"]]
            tensor = to_tensor(array, have, stage["input_axes"])
            _check_channels(tensor, have, session, stage)
            if tensor.dtype != session.inputs[0].dtype:
                tensor = _cast(tensor, session.inputs[0].dtype, stage)
            output = session.run([tensor])[0]
            outputs[stage["name"]] = output
            if not decode.columns:
                image, image_axes = decode(output)
                images[stage["name"]] = image, image_axes.replace("c", "s")
            stamps.append((start, now_ns()))
        return outputs, stamps


def _check_channels(tensor: Pixels, have: str, session: Session, stage: Mapping[str, Any]) -> None:
    if "channel" not in stage["input_axes"]:
        return
    place = list(stage["input_axes"]).index("channel")
    expected = session.inputs[0].shape[place]
    if expected is None or tensor.shape[place] == expected:
        return
    if tensor.shape[place] == 1:
        what, do = "grey images", "choose another package, or set the camera to colour"
    elif "s" in have:
        what, do = "colour images", "set the camera to grey, or run stored images with --grey"
    else:
        what, do = f"a window of {tensor.shape[place]} frames as channels", "change the window of the pipeline"
    raise PipelineError(f"found {what} for the stage {stage['name']!r}, expected {expected} in the axis channel: {do}")


def _cast(tensor: Pixels, want: str, stage: Mapping[str, Any]) -> Pixels:
    if not np.can_cast(tensor.dtype, want):
        raise PipelineError(
            f"found {tensor.dtype} from {stage['reads']} for the stage {stage['name']!r}, expected {want}: the values "
            "would not fit, so choose a package that takes these frames"
        )
    return tensor.astype(want)


def _check_hash(graph: Path, expected: str) -> None:
    try:
        found = hashlib.sha256(graph.read_bytes()).hexdigest()
    except OSError as error:
        raise PackageError(f"cannot read {graph}: {error.strerror}") from error
    if found != expected:
        raise PackageError(
            f"found {graph.name} with the sha256 {found[:12]}…, expected {expected[:12]}…: the file changed after the "
            "pipeline was loaded"
        )
