"""The acquisition's end of the recorder process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, BinaryIO, cast

from ..._errors import RecordError
from ...worker._messages import Message, read
from ._messages import encoded, send_memory, widen

PATIENCE_S = 2.0
# -P: nothing is imported from the folder that the acquisition happens to run in.
PROGRAM = (sys.executable, "-P", "-m", "onscope.runtime.record.recorder")


class RecorderLink:
    """Starts `python -m onscope.runtime.record.recorder` and speaks with it over its pipes.

    It inherits the descriptor `hold`, and is in a session of its own: what ends the acquisition (Ctrl-C, a terminal
    that closes) does not end it.
    """

    def __init__(self, hold: int | None = None) -> None:
        self._way: socket.socket | None = None
        there: socket.socket | None = None
        if os.name == "posix":
            self._way, there = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [*PROGRAM, str(there.fileno() if there else -1), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[*([there.fileno()] if there else []), *([] if hold is None else [hold])],
                start_new_session=True,
            )
        except OSError as error:
            raise RecordError(f"cannot start the recorder with {sys.executable}: {error.strerror}") from error
        finally:
            if there:
                there.close()
        if self._way:
            self._way.setblocking(False)
        self._incoming = cast(BinaryIO, self._process.stdout)
        self._outgoing = cast(BinaryIO, self._process.stdin)
        self.capacity = widen(self._outgoing)
        self._last_words: deque[str] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._keep_last_words, name="onscope-recorder-stderr", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Mapping[str, Any]) -> None:
        """Raises OSError when the process is gone."""
        self.send_bytes(encoded(message))

    def send_bytes(self, data: bytes) -> None:
        """Send an encoded message; raises OSError when the process is gone."""
        try:
            self._outgoing.write(data)
            self._outgoing.flush()
        except ValueError as error:  # closed by us meanwhile
            raise OSError(str(error)) from error

    def send_memory(self, descriptor: int) -> bool:
        """Send a segment's descriptor ahead of the message that opens its lane; False where that cannot be done."""
        if self._way is None:
            return False
        try:
            send_memory(self._way, descriptor)
        except BrokenPipeError:
            raise
        except OSError:  # the socket is full, or holds as many descriptors as it may: the name has to do
            return False
        return True

    def receive(self) -> Message | None:
        """The next message; None when the process is gone."""
        message = read(self._incoming)
        if message is None:
            self._incoming.close()
        return message

    def kill(self) -> None:
        """End it at once, so that `receive` comes back."""
        self._process.kill()

    def bury(self) -> str:
        """End what closed its pipe, and wait until it is gone with all its threads; how it ended, in a few words."""
        try:
            code = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._close()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {self._last_words[-1]}" if self._last_words else how

    def close(self) -> None:
        """Let it end by itself, however long its disk takes."""
        with contextlib.suppress(OSError):  # it may be dead already, with a message that was never flushed
            self._outgoing.close()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        self._listener.join(PATIENCE_S)
        with contextlib.suppress(OSError):
            self._outgoing.close()
        if self._way is not None:
            self._way.close()

    def _keep_last_words(self) -> None:
        with cast(BinaryIO, self._process.stderr) as stderr:
            for line in stderr:
                if text := line.decode(errors="replace").strip():
                    self._last_words.append(text)
