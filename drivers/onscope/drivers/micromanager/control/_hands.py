"""A core's commands, each of them noted in order; none that moves or lights anything passes once it has to be safe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from weakref import WeakSet

from onscope.runtime import ControlError, OnscopeError, now_ns
from onscope.runtime.feedback import Command

from .._core import one_line
from ._calibration import Line, Value
from ._core import Steerable, Time

POLL_S = 0.002
"""Between two questions whether a device is still busy."""
Answer = TypeVar("Answer")


class Brake:
    """Whether the safe state was asked for since an action began; from any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """Held while something is switched on: either before the safe state, which switches it off, or not at all."""
        self._actions: WeakSet[threading.Event] = WeakSet()

    def begin(self) -> threading.Event:
        """Of a new action: the event that is set as soon as the safe state is asked for."""
        with self.lock:
            action = threading.Event()
            self._actions.add(action)
            return action

    def pull(self, patience_s: float = 0.5) -> None:
        """No action that has begun switches anything on any more; a device that hangs is not waited for."""
        held = self.lock.acquire(timeout=patience_s)
        try:
            for action in list(self._actions):
                action.set()
        finally:
            if held:
                self.lock.release()


class Hands:
    """Sends commands to a core for one action at a time; `notes` are those that were sent since `begin`.

    Values reach the core as plain int, float and text. Everything that the core or a device refuses is a ControlError.
    """

    def __init__(self, core: Steerable, clock: Time, brake: Brake, timeout_s: float) -> None:
        self.core, self.clock, self.timeout_s = core, clock, timeout_s
        self.notes: list[Command] = []
        self.brake = brake
        self.stop = brake.begin()

    def begin(self) -> None:
        """A new action: forget the notes."""
        self.notes = []
        self.stop = self.brake.begin()

    def others(self) -> Hands:
        """Hands of the same core for another thread."""
        return Hands(self.core, self.clock, self.brake, self.timeout_s)

    def check(self) -> None:
        """Raise ControlError when the safe state was asked for meanwhile."""
        if self.stop.is_set():
            raise ControlError(
                "found that the safe state was asked for, expected the action to be allowed to go on: see why, then "
                "arm again"
            )

    def send(
        self,
        verb: str,
        device: str,
        value: object,
        call: Callable[[], Answer],
        *,
        calms: bool = False,
        lights: bool = False,
    ) -> Answer:
        """Make a call, and note it. One that `calms` is always made, one that `lights` never after a safe state."""
        if not calms:
            self.check()
        self.notes.append(Command(now_ns(), verb, device, value))
        try:
            if not lights:
                return call()
            with self.brake.lock:
                self.check()
                answer = call()
            self.check()
            return answer
        except OnscopeError as error:
            raise error if isinstance(error, ControlError) else ControlError(str(error)) from error
        except Exception as error:  # the Java core raises nothing else, devices in Python whatever they like
            raise refused(verb, device, value, error) from error

    def put(self, device: str, name: str, value: Value, *, calms: bool = False, lights: bool = False) -> None:
        """Set a property; noted as a `set` of "name=value"."""
        value = value if isinstance(value, str) else float(value) if isinstance(value, float) else int(value)
        self.send(
            "set",
            device,
            f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}",
            lambda: self.core.set_property(device, name, value),
            calms=calms,
            lights=lights,
        )

    def turn(self, line: Line, on: bool) -> None:
        """Switch a line; off in any case."""
        self.put(line.device, line.property, line.on if on else line.off, calms=not on, lights=on)

    def shutter(self, device: str, opened: bool) -> None:
        """Open or close the core's shutter, and wait until it is."""
        if device:
            verb = "open" if opened else "close"
            self.send(verb, device, None, lambda: self.core.set_shutter_open(opened), calms=not opened, lights=opened)
            self.wait(device, calms=not opened)

    def wait(self, device: str, *, calms: bool = False) -> None:
        """Return when the device is at rest. Raises ControlError when it is not within the time-out."""
        until_s = time.monotonic() + self.timeout_s
        self.notes.append(Command(now_ns(), "wait", device))
        while self._busy(device):
            if not calms:
                self.check()
            if time.monotonic() > until_s:
                raise ControlError(
                    f"found {device} busy for more than {self.timeout_s:g} s, expected it to be done: look after it, "
                    "or give the controller a longer timeout_s"
                )
            time.sleep(POLL_S)

    def sleep(self, seconds: float) -> None:
        """Let time pass. Raises ControlError as soon as the safe state is asked for."""
        self.clock.wait_until(self.clock.now_s() + seconds, self.stop)
        self.check()

    def _busy(self, device: str) -> bool:
        try:
            return bool(self.core.device_busy(device))
        except Exception as error:
            raise refused("wait", device, None, error) from error


@contextmanager
def calmly(*steps: Callable[[], None]) -> Iterator[None]:
    """On any end of the block all `steps` are made, in order; one that fails does not keep the others from it.

    What the block raised is raised again; else what the first failing step raised.
    """
    first: BaseException | None = None
    try:
        yield
    except BaseException as error:
        first = error
        raise
    finally:
        failed: BaseException | None = None
        for step in steps:
            try:
                step()
            except BaseException as error:
                failed = failed or error
        if failed is not None and first is None:
            raise failed


def refused(verb: str, device: str, value: object, error: Exception) -> ControlError:
    """The ControlError for what a core said of a command."""
    told = verb if value is None else f"{verb} {value}"
    return ControlError(
        f"found that {device or 'Micro-Manager'} refused {told} ({one_line(error) or type(error).__name__}), expected "
        "a command that fits the hardware: see what the message says"
    )
