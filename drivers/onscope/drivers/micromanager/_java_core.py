"""A Java core (Micro-Manager Studio, or a headless one) made to look like the Python core that the driver knows."""

from __future__ import annotations

import atexit
import numbers
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from ._bridge import Line, ServerGone, gone, listening
from ._core import Core
from ._scope import Scope

PORT = 4827
QUICK_S, SLOW_S = 10.0, 120.0
"""How long a question, and a command that moves hardware, may take; a server that died is noticed within a second."""
QUICK = ("get_", "is_", "pop_", "device_busy")
STAGE = frozenset({"wait_for_device", "device_busy", "set_relative_xy_position"})
"""Calls that go over a port of their own, because a stage may take its time and frames must not wait for it."""
FLOATS = frozenset({"get_exposure", "get_pixel_size_um", "get_position", "get_x_position", "get_y_position"})
TEXTS = frozenset({"get_property", "get_camera_device", "get_xy_stage_device", "get_focus_device"})
TRUTHS = frozenset({"is_sequence_running", "is_buffer_overflowed", "device_busy"})
NUMBERS = ("get_image_", "get_bytes_", "get_number_", "get_buffer_", "get_remaining_", "get_circular_")


@dataclass(frozen=True)
class JavaImage:
    """Pixels (y, x) or (y, x, 4: B, G, R, A) and tags, both read once and held here."""

    pix: Any
    tags: Mapping[str, Any]


class JavaCore:
    """The methods of `Core`, asked of a Java core through the bridge.

    Answers have the types of the Python core: floats stay floats, vectors are tuples, pixels have their two
    dimensions. Arguments may be NumPy's numbers. What the core refuses is a RuntimeError; a server that is gone or
    does not answer is a SourceError, and every later call tries to reach it again, so that all goes on when it is
    back. Safe to use from several threads.
    """

    def __init__(self, port: int = PORT, *, all_tags: bool = False) -> None:
        """`all_tags`: images keep the state of all devices among their tags; a running Studio may want it."""
        self._port, self._all_tags = port, all_tags
        self._lines: dict[bool, Line] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._line(False)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def method(*args: Any) -> Any:
            return self._ask(name, args)

        return method

    def pop_next_tagged_image(self) -> JavaImage:
        """The next image. It is read and dropped in raw messages: a shadow of it in Python would never be freed."""
        read = self._call(_read, False, QUICK_S)
        return self._image(*read)

    def newest_tagged_image(self, known: Callable[[Mapping[str, Any]], bool]) -> JavaImage | None:
        """The image that came last, which stays in the buffer; None, and no pixels are sent: its tags are `known`."""
        read = self._call(lambda core: _read(core, "getLastTaggedImage", known), False, QUICK_S)
        return None if read is None else self._image(*read)

    def _image(self, pixels: Any, tags: Mapping[str, Any]) -> JavaImage:
        height, width = int(tags.get("Height") or 0), int(tags.get("Width") or 0)
        if pixels.ndim == 1 and not height * width:
            height, width = self._ask("get_image_height", ()), self._ask("get_image_width", ())
        if pixels.ndim == 1 and height * width:
            samples = pixels.size // (height * width)
            pixels = pixels.reshape((height, width) if samples == 1 else (height, width, samples))
        return JavaImage(pixels, tags)

    def close(self) -> None:
        """Leave the server, which runs on."""
        with self._lock:
            self._closed = True
            lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            line.close()

    def _ask(self, name: str, args: tuple[Any, ...]) -> Any:
        plain_args = tuple(plain(arg) for arg in args)
        timeout_s = QUICK_S if name.startswith(QUICK) else SLOW_S
        answer = self._call(lambda core: _told(getattr(core, name)(*plain_args)), name in STAGE, timeout_s)
        if name in FLOATS:
            return float(answer)
        if name in TEXTS:
            return "" if answer is None else str(answer)
        if name in TRUTHS:
            return bool(answer)
        return int(answer) if name.startswith(NUMBERS) else answer

    def _call(self, job: Callable[[Any], Any], own_port: bool, timeout_s: float) -> Any:
        line = self._line(own_port)
        try:
            return line.call(job, timeout_s)
        except ServerGone:
            self._forget(line)
            raise
        except Exception as error:  # the bridge raises nothing else for what the core refuses
            self._check_same_server(line)
            raise RuntimeError(_first_line(error)) from error

    def _check_same_server(self, line: Line) -> None:
        """A server that was started anew knows our objects no more, and says so to whatever is asked."""
        try:
            line.call(lambda core: core.get_remaining_image_count(), QUICK_S)
        except Exception as error:  # the same
            self._forget(line)
            raise gone(self._port, "was started anew") from error

    def _line(self, own_port: bool) -> Line:
        with self._lock:
            if self._closed:
                raise gone(self._port, "was left")
            if own_port not in self._lines:
                if not listening(self._port):
                    raise gone(self._port, "is not there")
                line = self._lines[own_port] = Line(self._port, own_port)
                if not own_port and not self._all_tags:
                    try:
                        line.call(lambda core: core.set_include_system_state_cache(False), QUICK_S)
                    except ServerGone:
                        raise
                    except Exception:  # an older core does not know it: its images come with all tags
                        pass
            return self._lines[own_port]

    def _forget(self, dead: Line) -> None:
        """Leave all lines, when `dead` is still one of them; a call that waits on the other is not waited for."""
        with self._lock:
            if dead not in self._lines.values():
                return
            lines, self._lines = list(self._lines.values()), {}
        for line in lines:
            line.give_up()


def connect(port: int = PORT) -> Scope:
    """A Scope on a Micro-Manager that runs already: Studio with "Run server on port", or a headless Java core.

    Leaving its `with` block stops a sequence of ours and leaves Micro-Manager running. When Micro-Manager dies, calls
    raise SourceError within a second or so (10 s for one that hangs, 120 s where hardware moves); when it is back, the
    same Scope works again. Images come over the bridge: documented rates on two cores are 263 frames/s at 512x512,
    250 at 1024x1024 and 67 (563 MB/s) at 2048x2048, 16 bit; 187 / 94 / 47 over ten seconds without gaps.
    `micromanager.open` takes the same hardware into this process, which is 20 to 70 times as fast.
    Raises SourceError when nothing answers on `port`.
    """
    core = JavaCore(port)

    def leave() -> None:
        atexit.unregister(scope.close)
        core.close()

    try:
        scope = Scope(cast("Core", core), stop=leave)
    except BaseException:
        core.close()
        raise
    atexit.register(scope.close)  # later the threads that make the calls are gone, and a camera of ours would run on
    return scope


def plain(value: Any) -> Any:
    """A bool, int, float or text of Python's own: the bridge refuses NumPy's, and the core misreads a bool as text.
    Arrays stay arrays, with one dimension."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value).ravel()  # Java's arrays of pixels are flat
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    return float(value) if isinstance(value, numbers.Real) else str(value)


def _told(answer: Any) -> Any:
    """What a shadow of a vector holds, as a tuple; other answers as they are."""
    if hasattr(answer, "size") and hasattr(answer, "get"):
        return tuple(answer.get(number) for number in range(int(answer.size())))
    return answer


def _read(
    core: Any, method: str = "popNextTaggedImage", known: Callable[[Mapping[str, Any]], bool] = lambda tags: False
) -> tuple[Any, Any] | None:
    """Pixels and tags of what `method` gives; None: its tags are known."""
    bridge = core._bridge
    run = {"static": False, "hash-code": core._hash_code, "java_class_name": core._java_class}
    nothing: dict[str, Any] = {"argument-types": [], "argument-deserialization-types": [], "arguments": []}
    image = bridge.send_and_receive({"command": "run-method", "name": method, **run, **nothing})
    if image["type"] != "unserialized-object":
        raise RuntimeError("the core has no image")
    of = {"hash-code": image["hash-code"]}
    try:
        tags = core._deserialize(bridge.send_and_receive({"command": "get-field", "name": "tags", **of}))
        if known(tags):
            return None
        pixels = core._deserialize(bridge.send_and_receive({"command": "get-field", "name": "pix", **of}))
    finally:
        bridge.send_and_receive({"command": "destructor", "java_class_name": image["class"], **of})
    return pixels, tags


def _first_line(error: Exception) -> str:
    text = str(error).split("\n\tat ")[0].strip()
    return text.removeprefix("java.lang.Exception:").strip() or type(error).__name__
