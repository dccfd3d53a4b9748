"""The file of a dose book: appended line by line, each with the system when `append` returns, and written anew now and
then without what is repeated.

What is with the system survives the end of the process, however it comes; a thread brings it to the disk itself once in
`sync_s`, so that a loss of power takes that much at most.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..._errors import RecordError
from ._lines import Whole, cell_of, head, line_of, read_lines
from ._lock import Lock

GROWN_BYTES = 16 << 20
"""A file that has grown by so much is written anew."""
FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)

Content = Callable[[], Iterable[dict[str, Any]]]


class DoseFile:
    """`path`, made when it is not there; `cell_um` is that of the file, or as given for a new one.

    `lines` are those that it had, `torn` how many bytes at its end were cut off: the last write of a run that ended.
    `everything` gives the lines that stand for all that was booked; it is called with `lock` held. Methods are called
    from any thread. Raises RecordError where the file is in use, damaged or none of ours, OSError where the disk
    refuses.
    """

    def __init__(
        self,
        path: Path,
        cell_um: float,
        everything: Content,
        lock: threading.RLock,
        sync_s: float,
    ) -> None:
        self.path = path
        self._everything, self._guard, self._sync_s = everything, lock, sync_s
        self._held = Lock(path)
        self._closing, self._rewriting = threading.Event(), threading.Lock()
        self._dirty = False
        self._copied: list[bytes] | None = None
        self.trouble = ""
        try:
            self._draft.unlink(missing_ok=True)
            self.cell_um, whole = _opened(path, cell_um)
            self.lines, self.torn = whole.lines[1:], path.stat().st_size - whole.nbytes
            self._file = os.open(path, FLAGS, 0o600)
            os.ftruncate(self._file, whole.nbytes)
        except BaseException:
            self._held.close()
            raise
        self._size = self._since = whole.nbytes
        self._thread = threading.Thread(target=self._sync_often, name="onscope-doses", daemon=True)
        self._thread.start()

    def append(self, content: dict[str, Any]) -> None:
        """Add a line; raises RecordError where that fails: the line is then not in the file, nor is any later one."""
        line = line_of(content)
        with self._guard:
            if self.trouble:
                raise RecordError(self.trouble)
            try:
                if os.write(self._file, line) != len(line):
                    raise OSError("the disk is full")
            except OSError as error:
                self._complain(error)
                with contextlib.suppress(OSError):
                    os.ftruncate(self._file, self._size)
                raise RecordError(self.trouble) from error
            self._size += len(line)
            self._dirty = True
            if self._copied is not None:
                self._copied.append(line)

    def sync(self) -> None:
        """Have all of it on the disk itself."""
        try:
            with self._guard:
                self._dirty, file = False, os.dup(self._file)
            try:
                os.fsync(file)  # with a descriptor of its own: others append meanwhile
            finally:
                os.close(file)
        except OSError as error:
            self._complain(error)

    def rewrite(self) -> None:
        """Write it anew, next to it, and put that in its place: at any moment there is one of both, whole."""
        with self._rewriting:
            with self._guard:
                lines, self._copied = self._everything(), []
            try:
                self._replace(lines)
            except OSError as error:
                self._complain(error)
                with contextlib.suppress(OSError):
                    self._draft.unlink()
            finally:
                with self._guard:
                    self._copied = None

    def _replace(self, lines: Iterable[dict[str, Any]]) -> None:
        new = os.open(self._draft, FLAGS | os.O_TRUNC, 0o600)
        try:
            for line in lines:
                _write(new, line_of(line))
            os.fsync(new)
            with self._guard:
                for more in self._copied or ():
                    _write(new, more)
                if os.name == "posix":
                    os.replace(self._draft, self.path)
                    self._file, new = new, self._file
                else:  # Windows replaces and renames no open file
                    os.close(new)
                    new = -1
                    os.close(self._file)
                    self._file = -1
                    os.replace(self._draft, self.path)
                    self._file = os.open(self.path, FLAGS)
                self._size = self._since = os.fstat(self._file).st_size
        finally:
            if new >= 0:
                os.close(new)
        _sync_folder(self.path.parent)

    @property
    def _draft(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    def close(self) -> None:
        """Bring it to the disk, and let others have it."""
        self._closing.set()
        self._thread.join()
        self.sync()
        with self._guard:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self.trouble = self.trouble or f"found {self.path} closed, expected it open: book before the end"
        self._held.close()

    def _sync_often(self) -> None:
        while not self._closing.wait(self._sync_s):
            if self._dirty:
                self.sync()
            if self._size - self._since > GROWN_BYTES:
                self.rewrite()
            with contextlib.suppress(OSError):
                if not self.path.exists():
                    self._complain(FileNotFoundError("it was moved or deleted"))

    def _complain(self, error: OSError) -> None:
        self.trouble = (
            f"found no way to write {self.path} ({error}), expected every dose to be kept: free space on its disk, or "
            "choose another file"
        )


def _opened(path: Path, cell_um: float) -> tuple[float, Whole]:
    """The cells and whole lines of a file that was there, or of one that begins with its head alone."""
    if not path.exists() or not path.stat().st_size:
        draft = path.with_name(path.name + ".part")
        file = os.open(draft, FLAGS | os.O_TRUNC, 0o600)
        try:
            _write(file, line_of(head(cell_um)))
            os.fsync(file)
        finally:
            os.close(file)
        os.replace(draft, path)
        _sync_folder(path.parent)
    whole = read_lines(path)
    return cell_of(path, whole.lines), whole


def _write(file: int, data: bytes) -> None:
    if os.write(file, data) != len(data):
        raise OSError("the disk is full")


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # some network disks
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
