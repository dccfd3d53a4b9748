"""What a viewer of a recording may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from onscope.runtime import SourceError

from ._player import Player


def playing(player: Player) -> dict[str, Callable[[dict[str, Any]], Mapping[str, Any]]]:
    """`seek` and `play` by name, as View takes them; they raise SourceError for fields that are none."""

    def seek(fields: dict[str, Any]) -> Mapping[str, Any]:
        number = fields.get("frame")
        if not isinstance(number, int) or isinstance(number, bool):
            raise SourceError(f"found the frame {number!r:.40}, expected its number: 0 is the first")
        player.seek(number)
        return {"words": f"frame {number}"}

    def play(fields: dict[str, Any]) -> Mapping[str, Any]:
        fps = fields.get("fps")
        if fps is not None and (not isinstance(fps, int | float) or isinstance(fps, bool)):
            raise SourceError(f"found {fps!r:.40} frames per second, expected a number, or none: as recorded")
        player.play(None if fps is None else float(fps))
        return {"words": "at the recorded pace" if fps is None else f"at {fps:g} frames per second"}

    return {"seek": seek, "play": play}
