"""Run a package's compiled graph on frames as a worker does: compile_group, a session, scalars of the host, states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import Package
from onscope.runtime.graph import Compiled, HostScalars, Raw, StageRequest, compile_group
from onscope.runtime.graph.calibration._calibration import Calibration

from .generated import DEEP, Recipe

Array = npt.NDArray[Any]


@dataclass
class Opened:
    """A compiled graph with its session; `run` takes one window after the other and carries the states."""

    compiled: Compiled
    raw: Raw
    session: Any
    host: HostScalars
    states: list[Array] = field(default_factory=list)

    def run(self, window: Sequence[Array]) -> dict[str, Array]:
        """The answers to one window, by "stage.tensor"."""
        if not self.states:
            self.states = [np.zeros(state.shape, state.dtype) for state in self.compiled.states]
        names = [port.name for port in self.session.get_inputs()]
        values = [*window, *self.host.values(window), *self.states]
        answers = self.session.run(None, dict(zip(names, values, strict=True)))
        count = len(self.compiled.answers)
        self.states = [np.asarray(each) for each in answers[count:]]
        return {
            f"{answer.stage}.{answer.tensor}": np.asarray(array)
            for answer, array in zip(self.compiled.answers, answers[:count], strict=True)
        }


def request(package: Package, name: str = "stage", **more: Any) -> StageRequest:
    """A stage that runs the package."""
    return StageRequest(
        name=name,
        weights=package.weights,
        weights_sha256=package.weights_sha256,
        package_sha256=package.package_sha256,
        inputs=package.inputs,
        outputs=package.outputs,
        settings=MappingProxyType(dict(package.settings)),
        **more,
    )


def opened(stages: Sequence[StageRequest], raw: Raw, cache: Path, calibration: Calibration | None = None) -> Opened:
    """Compile and open; ONNX Runtime with its own defaults, one thread."""
    import onnxruntime

    compiled = compile_group(tuple(stages), raw, calibration, cache=cache)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(compiled.path), options, providers=["CPUExecutionProvider"])
    return Opened(compiled, raw, session, HostScalars(compiled.scalars, raw))


def answers(folder: Path, window: Sequence[Array], raw: Raw, cache: Path) -> dict[str, Array]:
    """One package on one window; arrays by the tensors' names, in the described axes."""
    run = opened([request(_loaded(folder))], raw, cache)
    return {name.removeprefix("stage."): array for name, array in run.run(window).items()}


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> Package:
    return Package.load(folder)


def window_of(recipe: Recipe, array: Array, colour: bool = False) -> tuple[list[Array], Raw]:
    """A tensor in the recipe's layout as the frames that it is gathered from, and what they are.

    t, z or i are frames; channels are, too, unless there is such an axis or `colour` says that they are samples of
    one frame's pixels.
    """
    letters = list(recipe.layout)
    deep = next((letter for letter in letters if letter in DEEP), "")
    samples = "c" in letters and recipe.channels > 1 and (colour or bool(deep))
    along = deep or ("c" if "c" in letters and recipe.channels > 1 and not samples else "")
    for letter in [each for each in letters if each == "b" or (each == "c" and along != "c" and not samples)]:
        array = array.take(0, axis=letters.index(letter))
        letters.remove(letter)
    want = ([along] if along else []) + ["y", "x"] + (["c"] if samples else [])
    array = array.transpose([letters.index(letter) for letter in want])
    frames = [np.ascontiguousarray(frame) for frame in array] if along else [np.ascontiguousarray(array)]
    raw = Raw(
        shape=frames[0].shape,
        dtype=frames[0].dtype.name,
        axes="yxs" if samples else "yx",
        length=len(frames),
        letter=along or "t",  # type: ignore[arg-type]
    )
    return frames, raw
