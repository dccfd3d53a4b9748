"""A camera's frames in rounds: stacks, channels and phases, one exposure after the other, as a Source."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, cast

from onscope.runtime import ControlError, Frame, FrameId, FrameSpec, OnscopeError, SourceError, unpack

from ._camera import Camera, check_at_rest, refused
from ._core import CORE_ERRORS, one_line
from ._live import LiveSource
from ._scope import Scope
from .control._core import RealTime, Steerable
from .control._hands import Brake, Hands
from .control._shots import shots

TIMEOUT_S = 10.0
"""How long a stage or a preset may take."""
PATIENCE_S = 120.0
"""How much longer than it exposes a camera may take for an image: a simulated one draws its first one slowly."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exposure of a round, for `exposure_ms` milliseconds.

    `index` is where it stands in its round (z, c, i; the rounds themselves are t), `preset` one of the core's group of
    channels, `channel` the name that its frames bear, `z_um` where the focus stands, in um. None: left as it is.
    """

    exposure_ms: float
    index: Mapping[str, int] = field(default_factory=dict)
    preset: str | None = None
    channel: str | None = None
    z_um: float | None = None


class Rounds:
    """Takes all `steps`, in their order, in each round; made of a `scope` whose camera, focus and channels they mean.

    Before an exposure all that is not yet as its step says is commanded and waited for: preset, exposure, then focus.
    The shutter is Micro-Manager's automatic one. All frames of a call of `frames` are of one segment, until the camera
    is set otherwise; their `stage_um` is where the stages were commanded to be. Focus and channel are as before at
    the end. `between` is called after each whole round; `tell` hears each frame's tags just before it is given.
    """

    def __init__(self, scope: Scope, steps: Sequence[Step], *, between: Callable[[], None] = lambda: None) -> None:
        if not steps:
            raise SourceError("found rounds of no steps, expected at least one exposure")
        self.live: LiveSource = scope.live(steps[0].exposure_ms)
        self.steps, self.between = tuple(steps), between
        self.tell: Callable[[FrameId, Mapping[str, Any]], None] | None = None
        self._scope, self._core = scope, cast("Steerable", scope.core)
        self._taking = threading.Lock()

    def spec(self) -> FrameSpec:
        """What the camera is set to give now."""
        return self.live.spec()

    def describe(self) -> dict[str, Any]:
        """What a recording should know of the camera."""
        return self.live.describe()

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """`n` frames in all, also where a round is not whole then; or None: until the generator is closed.

        Raises SourceError when the hardware refuses, or when the camera is someone else's.
        """
        if n is not None and n < 1:
            return
        if not self._taking.acquire(blocking=False):
            raise SourceError("found frames() in use, expected one at a time: close the other generator first")
        standing: _Standing | None = None
        taken = 0
        try:
            self._check()
            standing = _Standing(self._core, self.steps)
            self._scope.read_stage()
            while True:
                for step in self.steps:
                    yield self._taken(step, standing)
                    taken += 1
                    if taken == n:
                        return
                standing.round += 1
                self.between()
        finally:
            if standing is not None:
                self._end(standing)
            self._taking.release()

    def _taken(self, step: Step, standing: _Standing) -> Frame:
        live = self.live
        with live.changes.lock:
            self._check()
            standing.hands.begin()
            try:
                if step.preset is not None:
                    standing.choose(step.preset)
                standing.expose_for(live.cameras[0], step.exposure_ms)
                if step.z_um is not None:
                    standing.focus(step.z_um)
                spec = live.cameras[0].spec()
                if spec != standing.spec:
                    standing.spec, standing.seq = spec, 0
                    standing.segment = live.open_segment(spec.camera)
                (((image, _), received_ns),) = list(shots(standing.hands, live.cameras[0], 1, patience_s=PATIENCE_S))
            except ControlError as error:
                raise SourceError(str(error)) from error
            except CORE_ERRORS as error:
                raise refused(live.cameras[0].label, error) from error
            where_um = self._scope.stage_um
        pixels, axes = unpack(image.pix, image.tags.get("PixelType"), *spec.shape[:2])
        who = FrameId(live.run, spec.camera, standing.segment, standing.seq)
        standing.seq += 1
        if self.tell is not None:
            self.tell(who, image.tags)
        return Frame(
            id=who,
            pixels=pixels,
            axes=axes,
            index=MappingProxyType({"t": standing.round, **step.index}),
            received_ns=received_ns,
            pixel_size_um=spec.pixel_size_um,
            exposure_ms=standing.exposure_ms,
            stage_um=where_um if where_um is None or standing.z_um is None else (*where_um[:2], standing.z_um),
            labels=MappingProxyType({} if step.channel is None else {"c": step.channel}),
        )

    def _check(self) -> None:
        """Raise SourceError unless the scope is open and its camera at rest."""
        live = self.live
        if not live.is_open():
            raise SourceError("found the scope closed, expected an open one: stay inside its `with` block")
        check_at_rest(live.core, [live.cameras[0].label], others=live.changes.running is not None)

    def _end(self, standing: _Standing) -> None:
        """Focus and channel as they were, as far as they still can be."""
        with suppress(OnscopeError, *CORE_ERRORS), self.live.changes.lock:
            if self.live.is_open():
                standing.back()


class _Standing:
    """How the microscope was commanded to stand while rounds are taken; it is asked once how it stands before.

    Only what is otherwise is commanded. All methods but the first raise ControlError.
    """

    def __init__(self, core: Steerable, steps: Sequence[Step]) -> None:
        """Raises SourceError when the core does not tell, or has not what the steps need."""
        self.hands = Hands(core, RealTime(), Brake(), TIMEOUT_S)
        self.round, self.segment, self.seq = 0, -1, 0
        self.spec: FrameSpec | None = None
        self.exposure_ms: float | None = None
        self.z_um: float | None = None
        self._core, self._preset = core, ""
        try:
            self._focus, self._group = str(core.get_focus_device()), str(core.get_channel_group())
            if self._focus:
                core.wait_for_device(self._focus)  # on its way it says where it is
            self._z_before_um = float(core.get_position()) if self._focus else None
            self._preset_before = str(core.get_current_config(self._group)) if self._group else ""
        except CORE_ERRORS as error:
            raise SourceError(
                f"found that Micro-Manager does not tell how it stands ({one_line(error)}), expected focus and channel "
                "to: see what it says"
            ) from error
        if not self._focus and any(one.z_um is not None for one in steps):
            raise SourceError("found no focus drive, expected one to take planes with: choose it in the configuration")
        if not self._group and any(one.preset is not None for one in steps):
            raise SourceError("found no group of channels, expected one: choose it in the configuration")

    def choose(self, preset: str) -> None:
        """Set a preset of the channels, and wait for it."""
        if preset == self._preset:
            return
        core, group = self._core, self._group
        self._preset = ""  # unknown, should it fail half way
        self.hands.send("preset", group, preset, lambda: core.set_config(group, preset), lights=True)
        self.hands.send("wait", group, preset, lambda: core.wait_for_config(group, preset))
        self._preset = preset

    def expose_for(self, camera: Camera, exposure_ms: float) -> None:
        """Have the camera expose for so many milliseconds; raises SourceError when it does not take it."""
        if self.exposure_ms is None or camera.exposure_ms != exposure_ms:
            camera.exposure_ms = exposure_ms
            self.exposure_ms = camera.expose()

    def focus(self, z_um: float) -> None:
        """Send the focus there, and wait until it has arrived."""
        if z_um == self.z_um:
            return
        self.z_um = None
        self.hands.send("move", self._focus, z_um, lambda: self._core.set_position(float(z_um)))
        self.hands.wait(self._focus)
        self.z_um = z_um

    def back(self) -> None:
        """As it stood before, where anything was commanded."""
        self.hands.begin()
        if self._preset and self._preset_before:
            self.choose(self._preset_before)
        if self.z_um is not None and self._z_before_um is not None:
            self.focus(self._z_before_um)
