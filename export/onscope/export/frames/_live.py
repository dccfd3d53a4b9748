"""Frames of a few seconds from a camera, or whatever else `onscope run --source` takes by name.

A process of its own takes them (`python -m onscope.export.frames`): PyTorch and a running camera in one process have
been reported to crash, and a driver that hangs or dies takes no export with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from onscope.runtime import ExportError

from .._original import one_line
from ._places import Form
from ._stored import Stored

SECONDS, MOST_SECONDS = 3.0, 3600.0
END_PATIENCE_S = 10.0
"""How long the process may take to stop its camera when it is no longer wanted."""
NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Live:
    """Frames of the `seconds` from the first one on, of the source that `onscope run --source` calls so.

    `options` are the driver's own, such as exposure_ms and camera. Raises ExportError for a time that is none.
    """

    source: str
    seconds: float = SECONDS
    options: Mapping[str, Any] = field(default_factory=lambda: NO_OPTIONS, hash=False)

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= MOST_SECONDS:
            raise ExportError(
                f"found {self.seconds:g} s of {self.label}, expected more than 0, at most {MOST_SECONDS:g}"
            )

    @property
    def label(self) -> str:
        """The source without the folders that its file lies in."""
        name, colon, argument = self.source.partition(":")
        return name + colon + Path(argument).name if argument else name


def names_source(text: str) -> bool:
    """Whether a text is the name of a source, with or without its argument, and not the path of something."""
    names = {point.name for point in entry_points(group="onscope.drivers")}
    # Not Path.exists, which raises for long names.
    return text.partition(":")[0] in names and not os.path.exists(Path(text).expanduser())


def take_live(
    live: Live, form: Form, most: int, tell: Callable[[str, int, int], object]
) -> tuple[list[Stored], list[str]]:
    """At most `most` frames (or runs of as many as a network takes along t) spread over the time, and notes on them.

    Raises ExportError in one sentence: no such source, a camera that fails or gives nothing, a network of several z.
    """
    if form.size("z") > 1:
        raise ExportError(
            f"found the source {live.label} for a network of {form.size('z')} planes along z, expected stacks: give "
            "files"
        )
    order = {
        "source": live.source,
        "options": dict(live.options),
        "seconds": live.seconds,
        "most": most,
        "window": form.size("t"),
    }
    step, whole = f"taking frames from {live.source.partition(':')[0]}, second", max(1, round(live.seconds))
    tell(step, 0, whole)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        account = None
        for message in _said(order, Path(folder), live):
            if "error" in message:
                raise ExportError(one_line(message["error"], 400))
            tell(step, min(whole, int(message.get("seconds", whole))), whole)
            account = message.get("account", account)
        if account is None:
            raise ExportError(
                f"found that the process that took frames from {live.label} ended ({_last_words(Path(folder))}), "
                "expected frames: look after the camera and its driver"
            )
        stored = [_stored(Path(folder), live, **one) for one in account["runs"]]
    return stored, list(_notes(live, account, len(stored)))


def _said(order: Mapping[str, Any], folder: Path, live: Live) -> Iterator[dict[str, Any]]:
    """What the process says, line by line; it has ended when this has."""
    with (folder / "stderr").open("wb") as errors:
        try:
            process = subprocess.Popen(
                # -P: nothing is imported from the folder that the command happens to run in.
                [sys.executable, "-P", "-m", "onscope.export.frames", json.dumps({**order, "folder": str(folder)})],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        except OSError as error:
            raise ExportError(f"found that no process can be started for {live.label} ({error.strerror})") from error
    assert process.stdout is not None
    try:
        for line in process.stdout:
            yield json.loads(line)
        process.wait()
    finally:
        process.stdout.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # Ctrl-C was for it too: it stops its camera
            process.wait(END_PATIENCE_S)
        if process.poll() is None:
            process.kill()
            process.wait()


def _stored(folder: Path, live: Live, file: str, axes: str, name: str) -> Stored:
    pixels = np.load(folder / file, allow_pickle=False)
    index = {letter: place for place, letter in enumerate(axes)}

    def read(held: Mapping[str, int | slice]) -> Any:
        return pixels[tuple(held.get(letter, slice(None)) for letter in index)]

    return Stored(Path(f"{live.label.replace('/', ' ')} {name}"), axes, pixels.shape, read)


def _notes(live: Live, account: Mapping[str, Any], used: int) -> Iterator[str]:
    if used < account["runs_seen"]:
        yield f"{used} of {account['runs_seen']} frames from {live.label} were used, evenly spread"
    if account["lost"]:
        yield f"the camera lost {account['lost']} frames while {account['taken']} were taken from {live.label}"
    if len(account["cameras"]) > 1:
        yield f"frames of {len(account['cameras'])} cameras were taken: {', '.join(account['cameras'])}"


def _last_words(folder: Path) -> str:
    lines = (folder / "stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
