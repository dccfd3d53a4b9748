"""A box for tests: a server in a thread of theirs, with real worker processes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from onscope.runtime.remote import Server


class Running:
    """A server that runs in a thread of the test."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.told: list[str] = []
        self.store = folder
        self.server = Server(store=folder, tell=self.told.append, **more)
        self.port = self.server.port
        self._thread = threading.Thread(target=self.server.run, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(30)
        assert not self._thread.is_alive()
