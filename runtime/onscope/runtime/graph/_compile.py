"""Compile stages into one ONNX graph: raw counts in, answers out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .._cache_place import cache_folder
from .._errors import PipelineError
from ..decode import COMPILED
from ..package import tensor_message
from ._cache import ROOM, cached, look_up
from ._types import Compiled, Raw, StageRequest
from .calibration import Calibration

COMPILER = 7
"""Counts what the same request compiles to: raised whenever a graph comes out otherwise."""


def compile_group(
    stages: Sequence[StageRequest],
    raw: Raw,
    calibration: Calibration | None = None,
    *,
    cache: Path | None = None,
) -> Compiled:
    """One graph of all the stages, for frames of one shape; from the cache when it was compiled before.

    A stage reads an earlier one of `stages`, or the frames: those may be another graph's image, whatever name its
    stages give it, but all of them read the same. `cache` is the folder where compiled graphs lie (None: this user's).
    Raises PipelineError or PackageError, one sentence, when a stage cannot run on these frames or the weights are not
    those of the request.
    """
    _check(stages)
    return cached(key_of(stages, raw, calibration), cache, lambda: _build(stages, raw, calibration))


def is_compiled(
    stages: Sequence[StageRequest], raw: Raw, calibration: Calibration | None = None, *, cache: Path | None = None
) -> bool:
    """Whether `compile_group` finds a whole entry in the cache, so that it takes no time; PackageError as there."""
    return look_up(key_of(stages, raw, calibration), cache_folder(ROOM) if cache is None else cache) is not None


def key_of(stages: Sequence[StageRequest], raw: Raw, calibration: Calibration | None) -> str:
    """sha256 of all that a compilation depends on."""
    content = {
        "compiler": COMPILER,
        "stages": [_stage_message(stage) for stage in stages],
        "raw": asdict(raw),
        "calibration": None if calibration is None else calibration.sha256,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_thawed).encode()).hexdigest()


def _stage_message(stage: StageRequest) -> dict[str, Any]:
    """All of a request but where its weights lie."""
    return {
        "name": stage.name,
        "weights": stage.weights_sha256,
        "package": stage.package_sha256,
        "inputs": [tensor_message(tensor) for tensor in stage.inputs],
        "outputs": [tensor_message(tensor) for tensor in stage.outputs],
        "reads": stage.reads,
        "settings": {key: value for key, value in stage.settings.items() if key in USED_SETTINGS},
        "normalise": stage.normalise,
        "frozen_frames": stage.frozen_frames,
        "tile": stage.tile,
        "rescale": stage.rescale,
    }


def _thawed(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else list(value)


USED_SETTINGS = ("state", "decode", *COMPILED)
"""Those that the graph depends on: a threshold of a decoder compiles nothing anew."""


def _check(stages: Sequence[StageRequest]) -> None:
    names = [stage.name for stage in stages]
    if not stages or len(set(names)) != len(names):
        raise PipelineError(f"found the stages {', '.join(names) or 'none'}, expected different ones: rename one")
    outside = {stage.reads for at, stage in enumerate(stages) if stage.reads not in names[:at]}
    if len(outside) > 1:
        raise PipelineError(
            f"found stages that read {', '.join(sorted(outside))}, expected one graph's to read the same frames: "
            "compile them apart"
        )


def _build(stages: Sequence[StageRequest], raw: Raw, calibration: Calibration | None) -> tuple[bytes, Compiled]:
    # Not imported for what lies in the cache already.
    from ._assemble import assemble
    from ._tiled_group import assemble_tiled, tile_limit

    limit = tile_limit(stages)
    if limit is None:
        return assemble(stages, raw, calibration)
    return assemble_tiled(assemble, stages, raw, calibration, limit)
