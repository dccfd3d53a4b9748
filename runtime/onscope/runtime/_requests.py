"""On the way to the worker: frames' specs and stages as plain values that JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ._frame import FrameSpec
from .graph import StageRequest
from .package import tensor_from, tensor_message


def spec_message(spec: FrameSpec) -> dict[str, Any]:
    """A FrameSpec as the worker sees it."""
    return {
        "shape": list(spec.shape),
        "dtype": spec.dtype,
        "axes": spec.axes,
        "pixel_size_um": spec.pixel_size_um,
        "bit_depth": spec.bit_depth,
    }


def request_message(request: StageRequest) -> dict[str, Any]:
    """A request as plain values; `request_from` reads them back."""
    return {
        "name": request.name,
        "weights": str(request.weights),
        "weights_sha256": request.weights_sha256,
        "package_sha256": request.package_sha256,
        "inputs": [tensor_message(tensor) for tensor in request.inputs],
        "outputs": [tensor_message(tensor) for tensor in request.outputs],
        "reads": request.reads,
        "settings": dict(request.settings),
        "normalise": request.normalise,
        "frozen_frames": request.frozen_frames,
        "tile": request.tile,
        "rescale": request.rescale,
    }


def request_from(message: Mapping[str, Any]) -> StageRequest:
    """What `request_message` wrote; further values are left alone."""
    return StageRequest(
        name=message["name"],
        weights=Path(message["weights"]),
        weights_sha256=message["weights_sha256"],
        package_sha256=message["package_sha256"],
        inputs=tuple(map(tensor_from, message["inputs"])),
        outputs=tuple(map(tensor_from, message["outputs"])),
        reads=message["reads"],
        settings=MappingProxyType(dict(message["settings"])),
        normalise=message["normalise"],
        frozen_frames=message["frozen_frames"],
        tile=message["tile"],
        rescale=message["rescale"],
    )
