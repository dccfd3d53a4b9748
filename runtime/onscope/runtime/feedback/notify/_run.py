"""Runs a command with words as its last argument: no shell, a time-out, and no child of it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import IO

import psutil

MOST_WORDS = 8000
"""Characters of the argument: systems take so many everywhere."""
LAST_WORDS = 2000
PATIENCE_S = 2.0


def run(arguments: Sequence[str], words: str, timeout_s: float) -> None:
    """Run it to its end. Raises OSError when it cannot be started, ends with another code than 0, or not in time."""
    clean = "".join(each if each.isprintable() or each in "\n\t" else " " for each in words)[:MOST_WORDS]
    process = subprocess.Popen(
        [*arguments, clean],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C goes to the acquisition alone; and it can be ended with all its children
    )
    said = bytearray()
    listener = threading.Thread(target=_listen, args=(process.stderr, said), name="onscope-notify-stderr", daemon=True)
    listener.start()
    try:
        code = process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        end(process)
        raise TimeoutError(f"it did not end within {timeout_s:g} s, and was killed") from None
    except BaseException:
        end(process)
        raise
    listener.join(PATIENCE_S)
    if code:
        last = bytes(said).decode(errors="replace").strip().splitlines()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise OSError(f"it {how}{': ' + ' '.join(last[-1].split())[:200] if last else ''}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and its children, those that left its group included."""
    children: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children(recursive=True)
    if os.name == "posix":
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    for child in children:
        with contextlib.suppress(psutil.Error):
            child.kill()
    process.wait()


def _listen(stderr: IO[bytes] | None, said: bytearray) -> None:
    """Keep the end of what it says; its pipe must not fill."""
    if stderr is None:
        return
    with stderr:
        while piece := os.read(stderr.fileno(), 4096):
            said += piece
            del said[:-LAST_WORDS]
