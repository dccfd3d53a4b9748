"""An image: the network's output with its axes of size 1 dropped, in its own dtype and scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._axes import from_tensor
from .._errors import PipelineError
from .._frame import Pixels


class ImageDecoder:
    """Answers (y, x) or (y, x, c) images."""

    columns: tuple[str, ...] = ()
    labels = False

    def __init__(self, axes: Sequence[str], settings: Mapping[str, Any]) -> None:
        if "y" not in axes or "x" not in axes:
            raise PipelineError(
                f"found an output with the axes {', '.join(axes)}, expected y and x: "
                "set `decode` in the package's config.onscope to what the network answers"
            )
        self._axes = tuple(axes)
        self.told: list[str] = []

    def __call__(self, output: Pixels) -> tuple[Pixels, str]:
        return from_tensor(output, self._axes)
