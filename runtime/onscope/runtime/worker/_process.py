"""The acquisition's end of a worker in a process of its own: the only kind that outlives a model that crashes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from .._errors import WorkerError
from ._messages import CREDIT, DEEPEST, LONG_NS, Message, read, write

PATIENCE_S = 2.0


class ProcessLink:
    """Starts `python -m MODULE` (the worker, unless told otherwise) and speaks with it over its pipes.

    `deepest` are the windows that it has begun at once at most; `variables` are put into its environment.

    No `__main__` guard is needed, so it works in notebooks, in napari and from standard input. Raises WorkerError when
    it cannot be started.
    """

    mortal = here = True
    away = False
    credit, long_ns = CREDIT, LONG_NS

    def __init__(
        self,
        module: str = "onscope.runtime.worker",
        *,
        deepest: int = DEEPEST,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.deepest = deepest
        try:
            self._process = subprocess.Popen(
                # -P: nothing is imported from the folder that the acquisition happens to run in.
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, **variables} if variables else None,
            )
        except OSError as error:
            raise WorkerError(f"cannot start {module} with {sys.executable}: {error.strerror}") from error
        self._incoming = cast(BinaryIO, self._process.stdout)
        self._outgoing = cast(BinaryIO, self._process.stdin)
        self._last_words: deque[str] = deque(maxlen=20)
        self._listener = threading.Thread(target=self._keep_last_words, name=f"{module}-stderr", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Mapping[str, Any]) -> None:
        try:
            write(self._outgoing, message)
        except ValueError as error:  # closed by us meanwhile
            raise OSError(str(error)) from error

    def receive(self) -> Message | None:
        message = read(self._incoming)
        if message is None:
            self._incoming.close()
        return message

    def epitaph(self) -> str:
        """How the worker ended, in a few words; waits a moment for it."""
        try:
            code = self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return "it closed its pipe but still runs"
        self._listener.join(PATIENCE_S)
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"{how}: {self._last_words[-1]}" if self._last_words else how

    def close(self) -> None:
        """Let it end by itself, else end it."""
        with contextlib.suppress(OSError):  # it may be dead already, with a message that was never flushed
            self._outgoing.close()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._listener.join(PATIENCE_S)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    def _keep_last_words(self) -> None:
        with cast(BinaryIO, self._process.stderr) as stderr:
            for line in stderr:
                if text := line.decode(errors="replace").strip():
                    self._last_words.append(text)
