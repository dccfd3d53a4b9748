"""Calls over pycro-manager's bridge that cannot hang: each has a time-out, and a dead server is told from a slow one.

The bridge (the package pyjavaz) waits for an answer without end, also when nobody is there any more, and holds a lock
meanwhile that every later call and every destructor waits for. So calls are made in a thread of ours, which is given
up with its bridge when no answer comes; all that stays is that bridge's own sleeping (daemon) thread.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from onscope.runtime import SourceError

from ._core import need

LOOK_S = 0.5
"""Between two looks whether the server still listens while an answer is waited for."""
CONNECT_MS = 2000
Answer = TypeVar("Answer")
Job = tuple[Callable[[], Any], "SimpleQueue[tuple[Any, BaseException | None]]"]


class ServerGone(SourceError):
    """The Java side does not answer any more."""


def listening(port: int) -> bool:
    """Whether a server takes connections on this port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), LOOK_S).close()
    except OSError:
        return False
    return True


class Line:
    """One raw `mmcorej.CMMCore` object and the thread that calls it, one call at a time.

    `own_port` gives it a port of its own on the server, where it waits for no other line's calls.
    Raises ServerGone when no server answers on `port`.
    """

    def __init__(self, port: int, own_port: bool = False) -> None:
        self._port = port
        self._one_call = threading.Lock()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._core: Any = None
        threading.Thread(target=self._run, name=f"onscope-bridge-{port}", daemon=True).start()
        try:
            self._core = self._wait(lambda: _raw_core(port, own_port), 2 * CONNECT_MS / 1e3)
        except ServerGone:
            self._jobs.put(None)
            raise
        except Exception as error:  # the bridge raises nothing else
            self._jobs.put(None)
            raise gone(port, f"did not let us in ({error})") from error

    def call(self, job: Callable[[Any], Answer], timeout_s: float) -> Answer:
        """`job(raw core)`, in the line's thread. Raises ServerGone, or what the job raised."""
        with self._one_call:
            if self._core is None:
                raise gone(self._port, "is gone")
            try:
                answer: Answer = self._wait(lambda: job(self._core), timeout_s)
            except ServerGone:
                self.give_up()
                raise
            return answer

    def close(self) -> None:
        """Drop the Java object and end the thread; a server that is gone is not waited for."""
        with self._one_call:
            if self._core is None:
                return
            try:
                self._wait(lambda: _say_goodbye(self._core), 3 * LOOK_S)
            except Exception:  # whatever the server says to a goodbye, or that it says nothing, is no reason to stay
                self.give_up()
            else:
                self._core = None
                self._jobs.put(None)

    def give_up(self) -> None:
        """The same for a server that is known to be gone; a call that is under way ends with an error."""
        core, self._core = self._core, None
        if core is not None:
            _abandon(core)
            self._jobs.put(None)

    def _wait(self, job: Callable[[], Any], timeout_s: float) -> Any:
        answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._jobs.put((job, answers))
        until = time.monotonic() + timeout_s
        while True:
            left_s = until - time.monotonic()
            try:
                answer, error = answers.get(timeout=max(min(LOOK_S, left_s), 0.001))
            except Empty:
                if not listening(self._port):
                    raise gone(self._port, "is gone") from None
                if left_s <= 0:
                    raise gone(self._port, f"has not answered for {timeout_s:g} s") from None
                continue
            if error is not None:
                raise error
            return answer

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, answers = job
            try:
                answers.put((call(), None))
            except BaseException as error:  # raised again where the answer is waited for
                answers.put((None, error))
            del job, call, answers  # an answer may be the last that holds a Java object


def gone(port: int, how: str) -> ServerGone:
    """The error for a server that `how`."""
    return ServerGone(
        f"found that the Micro-Manager server on port {port} {how}, expected a running Micro-Manager with the option "
        "'Run server on port' switched on: start it, or end the program that blocks it, then try again"
    )


def _raw_core(port: int, own_port: bool) -> Any:
    # Not pycromanager.Core(): that gives this process's Python core when there is one.
    return need("pyjavaz").JavaObject("mmcorej.CMMCore", port=port, new_socket=own_port, timeout=CONNECT_MS)


def _say_goodbye(core: Any) -> None:
    # Not core._close(): that waits without end, with a lock that the exit of the process waits for too.
    bridge, goodbye = core._bridge, {"command": "destructor", "hash-code": core._hash_code}
    bridge.send_and_receive({**goodbye, "java_class_name": core._java_class}, timeout=LOOK_S)
    core._closed = True
    core._bridge = None
    bridge.java_object_removed(core)


def _abandon(core: Any) -> None:
    """Have nothing wait for the server behind `core`: no caller, no destructor, no exit of the process.

    The bridge has no public way for this. `_closed` ends the call that hangs within a second; shadows that count as
    closed send no destructor; and the cache gives a new bridge to whoever asks for this port next.
    """
    bridges = need("pyjavaz.bridge").Bridge
    bridge = core._bridge
    if bridge is None:
        return
    with bridges._bridge_creation_lock:
        bridges._cached_bridges_by_port.pop(bridge.port, None)
    for shadow in list(bridge._java_objects):
        shadow._closed = True
    bridge._closed = True
    bridge._shutdown_event.set()
