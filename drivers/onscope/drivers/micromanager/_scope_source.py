"""A scope's camera as a source that feedback can steer: what the command line opens."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

from onscope.runtime import Frame, FrameSpec

from ._live import LiveSource
from ._scope import Scope
from .control import Calibration, CoreController, SteeredSource


class ScopeSource:
    """The live frames of a scope's camera, as `Scope.live` gives them, until `control` has them steered."""

    def __init__(self, scope: Scope, live: LiveSource) -> None:
        self._scope = scope
        self._live: LiveSource | SteeredSource = live

    def spec(self) -> FrameSpec:
        """What the camera is set to give now."""
        return self._live.spec()

    def describe(self) -> dict[str, Any]:
        """What a recording should know of the camera."""
        return self._live.describe()

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """As `LiveSource.frames`, or `SteeredSource.frames`."""
        return self._live.frames(n)

    def control(self, calibration: Path | None = None) -> CoreController:
        """The microscope's controller, which steers the frames from now on; see `Controlled` of the feedback.

        Without a `calibration` nothing is known of its lights, and what would light anything is refused. Raises
        ControlError.
        """
        assert isinstance(self._live, LiveSource)
        camera = self._live.cameras[0]
        controller = CoreController(self._scope, None if calibration is None else Calibration.load(calibration))
        self._live = controller.live(camera.exposure_ms, buffer_mb=self._live.buffer_mb)
        return controller
