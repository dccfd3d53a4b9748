"""Keeps the machine from going to sleep, with what every system brings: nothing to install.

Linux and macOS have a program that holds the lock while another program runs. That other one is `cat`: it answers a
line as soon as the lock is held, and ends when its input does, so that a killed acquisition holds nothing. (The
libraries for this speak to a desktop's session bus alone, and cannot help over ssh or without a desktop.)
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

HOLDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    # The first that is granted counts. Over ssh, a system may refuse to block sleep but not the idle action.
    "linux": tuple(
        ("systemd-inhibit", f"--what={what}", "--who=onscope", "--why=frames are being acquired", "--mode=block")
        for what in ("sleep:idle", "idle")
    ),
    "darwin": (("caffeinate", "-i", "-m", "-s"),),
}
ES_CONTINUOUS, ES_SYSTEM_REQUIRED = 0x80000000, 0x00000001


class Awake:
    """Sleep is inhibited from soon after it is made until `end`. A thread of its own does the work.

    `say` is called from that thread with what could not be had.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._ended = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.held = threading.Event()
        """Set once the system has granted it."""
        self.over = threading.Event()
        """Set once nothing is held any more."""
        threading.Thread(target=self._run, name="onscope-awake", daemon=True).start()

    def end(self) -> None:
        """Let the machine sleep again; returns at once."""
        self._ended.set()
        _stop(self._process)

    def _run(self) -> None:
        try:
            if sys.platform == "win32":
                self._hold_thread_state()
            else:
                self._hold_by_program(HOLDERS.get(sys.platform, ()))
        except Exception as error:
            # Broad on purpose: whatever a system answers here, a run must not suffer from it.
            self._say(f"sleep is not inhibited: {error!r}; see that the machine stays awake")
        finally:
            self.over.set()

    def _hold_by_program(self, commands: Sequence[Sequence[str]]) -> None:
        refusal = f"no way is known for {sys.platform}"
        for command in commands:
            try:
                process = subprocess.Popen(
                    [*command, "cat"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,  # Ctrl-C goes to the acquisition alone
                )
            except OSError as error:
                refusal = f"{command[0]}: {error.strerror}"
                break
            with process:
                self._process = process
                if self._ended.is_set():  # before there was a process to stop
                    _stop(process)
                granted = _answers(process)
                if granted:
                    self.held.set()
                    process.stdout.read()  # type: ignore[union-attr] # returns when it ends
                _stop(process)
                words = process.stderr.read().decode(errors="replace").strip()  # type: ignore[union-attr]
            if self._ended.is_set():
                return
            refusal = words.splitlines()[-1] if words else f"{command[0]} ended with {process.returncode}"
            if granted:
                break
        self._say(f"sleep is not inhibited ({refusal}): see that the machine stays awake during long runs")

    def _hold_thread_state(self) -> None:
        # The state belongs to this thread and ends with it.
        if sys.platform == "win32":
            import ctypes

            if not ctypes.windll.kernel32.SetThreadExecutionState(ES_CONTINUOUS | ES_SYSTEM_REQUIRED):
                self._say("sleep is not inhibited (Windows refused it): see that the machine stays awake")
                return
            self.held.set()
            self._ended.wait()
            ctypes.windll.kernel32.SetThreadExecutionState(ES_CONTINUOUS)


def _answers(process: subprocess.Popen[bytes]) -> bool:
    """Whether `cat` runs: it answers when the lock is held, and not before."""
    with contextlib.suppress(OSError, ValueError):  # it ended already, or was told to
        process.stdin.write(b"held\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        return process.stdout.readline() == b"held\n"  # type: ignore[union-attr]
    return False


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        with contextlib.suppress(OSError, ValueError):
            process.stdin.close()  # type: ignore[union-attr] # `cat` ends, and the holder after it
        with contextlib.suppress(OSError):
            process.terminate()  # one that still waits for its grant has no `cat` yet
