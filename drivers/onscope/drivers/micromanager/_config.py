"""Micro-Manager's hardware configuration files (.cfg), checked before the core reads them.

The core skips lines whose first word it does not know, so that a typo leaves a device half configured without a word.
The commands are those of MMCore (`g_CFGCommand_*` in MMDevice's MMDeviceConstants.h).
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from onscope.runtime import SourceError

COMMANDS = {
    "Device": 4,
    "Parent": 3,
    "Property": 3,
    "Label": 4,
    "Delay": 3,
    "FocusDirection": 3,
    "Config": 5,
    "ConfigGroup": 2,
    "ConfigPixelSize": 5,
    "PixelSize_um": 3,
    "PixelSizeAffine": 8,
    "PixelSizeAngle_dxdz": 3,
    "PixelSizeAngle_dydz": 3,
    "PixelSizeOptimalZ_Um": 3,
    "Equipment": 2,
    "ImageSynchro": 2,
}
"""Every command of a configuration file, and the fewest fields a line with it has (itself included)."""


def check_config(path: Path) -> None:
    """Raise SourceError, naming file and line, when `path` is missing or has a line that the core would skip."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SourceError(
            f"found no readable Micro-Manager configuration at {path} ({error.strerror}), expected a .cfg file: give "
            "the path of one, as Micro-Manager's hardware wizard writes it"
        ) from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split(",")
        command = fields[0]
        if command not in COMMANDS:
            close = get_close_matches(command.strip(), COMMANDS, n=1)
            hint = f"write {close[0]!r}" if close else "correct the line or put a # before it"
            raise SourceError(
                f"found {command!r} in line {number} of {path}, expected a command such as Device or Property: {hint}"
            )
        if len(fields) < COMMANDS[command]:
            raise SourceError(
                f"found {len(fields)} fields in line {number} of {path}, expected at least {COMMANDS[command]} for "
                f"{command}: complete the line"
            )
