"""What is said of an image of a stage: the frame's own metadata, and what is different."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._result import Result
from ._derived import Told


def identity(stage: str, result: Result) -> dict[str, Any]:
    """Which stage's answer to which frame an image is, in values of JSON."""
    frame = result.frame
    return {"stage": stage, **frame.id._asdict(), "state": result.state, "package": result.provenance[stage].package}


def pixel_size_um(stage: str, result: Result) -> float | None:
    """Micrometres per pixel of the stage's image; None: unknown."""
    size_um = result.frame.pixel_size_um
    return None if size_um is None else size_um / result.scales.get(stage, 1.0)


def frame_meta(told: Told, stage: str, result: Result) -> dict[str, Any]:
    """pymmcore-plus' metadata of the frame, with the pixel size of the image and who it is."""
    extra = {**told.meta.get("extra", {}), "onscope": identity(stage, result)}
    size_um = pixel_size_um(stage, result)
    return {**told.meta, "extra": extra, **({} if size_um is None else {"pixel_size_um": size_um})}


def summary_of(summary: Mapping[str, Any], image: np.ndarray[Any, Any], stage: str, result: Result) -> dict[str, Any]:
    """pymmcore-plus' summary of a run whose images are like this one."""
    infos = [dict(info) for info in summary.get("image_infos", ())] or [{}]
    infos[0] |= {"height": image.shape[0], "width": image.shape[1], "dtype": str(image.dtype)}
    infos[0] |= {"plane_shape": tuple(image.shape)}
    size_um = pixel_size_um(stage, result)
    if size_um is not None:
        infos[0] |= {"pixel_size_um": size_um}
    return {**summary, "image_infos": tuple(infos)}


def tags(told: Told, axes: Mapping[str, Any], stage: str, result: Result) -> dict[str, Any]:
    """Micro-Manager's tags of the frame, with those of the image; all in values of JSON."""
    size_um = pixel_size_um(stage, result)
    made: dict[str, Any] = {**told.tags, "Axes": dict(axes), "Channel": axes["channel"]}
    made |= {"onscope": identity(stage, result)}
    if size_um is not None:
        made |= {"PixelSizeUm": size_um}
        made |= {"PixelSize_um": size_um} if "PixelSize_um" in told.tags else {}
    for side, length in zip(("Height", "Width"), result.answers[stage].shape, strict=False):
        made[side] = length
    answer: dict[str, Any] = json.loads(json.dumps(made, default=str))
    return answer
