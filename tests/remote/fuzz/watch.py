"""Sees what Python does while a message is handled: what is not on the list here must not happen."""

from __future__ import annotations

import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

HARMLESS = {"builtins.id", "object.__getattr__", "sys._getframe", "fcntl.flock", "mmap.__new__", "os.truncate"}
"""The last three are of shared memory, whose names are our own."""
IN_FOLDER = {"open", "os.listdir", "os.remove", "os.rename", "os.scandir", "os.utime", "pathlib.Path.glob"}
STORED = re.compile(r"(\.coming-[0-9a-f]{16}|[0-9a-f]{64}\.(onnx|npy|tif|tiff|yaml))?")


class Watch:
    """`with` it, nothing is opened, imported, compiled, unpickled, connected or started by this thread but files of the
    store's kind in `folder`, and those in `read` for reading; AssertionError says what was."""

    def __init__(self, folder: Path, read: Path | None = None) -> None:
        self._folder = str(folder)
        self._read = str(read)
        self._found: list[str] = []

    def __enter__(self) -> None:
        _watching[threading.get_ident()] = self

    def __exit__(self, *_: object) -> None:
        del _watching[threading.get_ident()]
        found, self._found = self._found, []
        assert not found, f"found {found[0]} while a message was handled"

    def see(self, event: str, args: tuple[Any, ...]) -> None:
        """Called by Python, in the middle of whatever happens."""
        if event in HARMLESS:
            return
        if event == "open" and args[0] == self._read and args[2] & os.O_ACCMODE == os.O_RDONLY:
            return
        if event in IN_FOLDER:
            names = args[:2] if event == "os.rename" else args[:1]
            if all(self._may(os.fspath(name)) for name in names if not isinstance(name, int)):
                return
        self._found.append(f"{event} {args!r:.300}")

    def _may(self, name: str) -> bool:
        folder, _, file = name.rpartition("/")
        return name == self._folder or (folder == self._folder and STORED.fullmatch(file) is not None)


_watching: dict[int, Watch] = {}


def _hook(event: str, args: tuple[Any, ...]) -> None:
    watch = _watching.get(threading.get_ident())
    if watch is not None:
        watch.see(event, args)


sys.addaudithook(_hook)
