"""What all actions work with: the core's commands, its lights, places and camera, and who has the camera."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from onscope.runtime import ControlError, OnscopeError
from onscope.runtime.feedback import Action

from .._changes import Changes
from .._core import Core
from ._calibration import Calibration
from ._core import RealTime, Steerable, Time
from ._hands import Brake, Hands
from ._lights import Lights
from ._places import Places

if TYPE_CHECKING:
    from .._scope import Scope
    from ._steered import SteeredSource


LOCK_S = 2.0
"""How long the one who takes frames is waited for after an error."""


class Rig:
    """A microscope as a controller holds it; `scope` is None for a bare core, `source` until frames are steered.

    Raises ControlError when Micro-Manager does not tell how it stands.
    """

    def __init__(
        self, core: Core | Scope, calibration: Calibration | None, timeout_s: float, clock: Time | None
    ) -> None:
        self.scope = cast("Scope", core) if hasattr(core, "live_all") else None
        self.core = cast("Steerable", core if self.scope is None else self.scope.core)
        self.calibration = calibration or Calibration()
        bench = getattr(self.scope, "bench", None)  # of a specimen, whose time may pass otherwise
        self.clock = clock or getattr(bench, "clock", None) or RealTime()
        self.changes = Changes() if self.scope is None else self.scope._changes
        self.brake = Brake()
        self.hands = Hands(self.core, self.clock, self.brake, timeout_s)
        self.source: SteeredSource | None = None
        try:
            self.lights = Lights(self.hands, self.calibration)
            self.places = Places(self.hands)
            self.camera = str(self.core.get_camera_device())
            self._exposure_ms = float(self.core.get_exposure()) if self.camera else None
            self.read_pixels()
        except OnscopeError:
            raise
        except Exception as error:
            raise ControlError(
                f"found that Micro-Manager does not tell how it stands ({error}), expected stages and camera to: see "
                "what it says"
            ) from error

    @property
    def exposure_ms(self) -> float | None:
        """As it was commanded."""
        return self._exposure_ms if self.source is None else self.source.live.cameras[0].exposure_ms

    @exposure_ms.setter
    def exposure_ms(self, value: float) -> None:
        self._exposure_ms = value

    @property
    def chip_um(self) -> float | None:
        """Side of an unbinned pixel in the sample, in um."""
        return None if self.pixel_um is None else self.pixel_um / self._binning

    def read_pixels(self) -> None:
        """Ask for the size of a pixel and of the image again: an objective, or the camera, was set."""
        core = self.core
        self.pixel_um: float | None = None
        self.shape: tuple[int, int] | None = None
        self._binning = 1.0
        if self.camera:
            self.pixel_um = float(core.get_pixel_size_um()) or None
            self.shape = int(core.get_image_height()), int(core.get_image_width())
            with suppress(Exception):  # "2", or "2x2"; a camera without the property
                self._binning = float(str(core.get_property(self.camera, "Binning")).lower().split("x")[0])

    def steered(self, action: Action) -> SteeredSource:
        """The source of frames. Raises ControlError when there is none."""
        if self.source is None:
            raise ControlError(
                f"found {action.kind} without a camera of this controller, expected the frames to be taken from its "
                "live(): take them from there"
            )
        return self.source

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """The camera stands still in the block, and what ran before goes on after it."""
        if self.source is not None:
            with self.source.guest():
                yield
            return
        with self.changes.lock:
            if self.changes.running is not None:
                self.changes.running.pause()
            yield

    def close_shutter(self) -> None:
        """Closed, and closed for sure when it is back."""
        self.hands.shutter(self.lights.shutter, False)

    def after_error(self) -> None:
        """The shutter is closed, unless a live sequence goes on, which has it open."""
        held = self.changes.lock.acquire(timeout=LOCK_S)  # a sequence that starts meanwhile opens it after this
        try:
            if self.changes.running is None:
                self.close_shutter()
        except ControlError:
            pass  # what went wrong before says more
        finally:
            if held:
                self.changes.lock.release()
