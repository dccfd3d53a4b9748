"""The safe state: dark, whatever else is going on, and whoever hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from onscope.runtime import now_ns
from onscope.runtime.feedback import Command

from ._calibration import Calibration
from ._core import Steerable

HANGS_S = 1.0
"""How long one device is waited for before the next one is told; its command stays under way."""
Step = tuple[str, str, object, Callable[[], object]]


def make_safe(core: Steerable, calibration: Calibration, shutter: str) -> tuple[Command, ...]:
    """Close, switch off and darken everything; never raises, and a device that fails or hangs keeps no other on."""
    done = []
    for verb, device, value, call in _steps(core, calibration, shutter):
        done.append(Command(now_ns(), verb, device, value))
        with suppress(BaseException):  # also an interrupt: the other devices come first
            _bounded(call)
    return tuple(done)


def _bounded(call: Callable[[], object]) -> None:
    """Make a call, in a thread that is left behind when it hangs."""

    def quietly() -> None:
        with suppress(BaseException):
            call()

    thread = threading.Thread(target=quietly, name="onscope-safe", daemon=True)
    thread.start()
    thread.join(HANGS_S)


def _steps(core: Steerable, calibration: Calibration, shutter: str) -> Iterator[Step]:
    def put(device: str, name: str, value: str | int | float) -> Step:
        return "set", device, f"{name}={value}", partial(core.set_property, device, name, value)

    if shutter:
        yield "close", shutter, None, partial(core.set_shutter_open, False)
    for light in calibration.lights.values():
        if light.switch is not None:
            yield put(light.switch.device, light.switch.property, light.switch.off)
    for light in calibration.lights.values():
        yield put(light.device, light.property, 0.0)
    for line in calibration.lines.values():
        yield put(line.device, line.property, line.off)
    yield "stop", "", None, core.stop_sequence_acquisition
    for slm in calibration.slms.values():
        yield "pixels", slm.device, 0, partial(core.set_slm_pixels_to, slm.device, 0)
        yield "display", slm.device, None, partial(core.display_slm_image, slm.device)
    for one in calibration.safe:
        yield put(one.device, one.property, one.value)
    if shutter:  # a sequence that ended just now may have opened it once more
        yield "close", shutter, None, partial(core.set_shutter_open, False)
