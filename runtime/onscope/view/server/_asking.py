"""What the server says to the acquisition process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable
from typing import Any

from onscope.runtime.worker import Link, Message

from .._values import Wanted
from ._shown import Frames
from ._viewer import Viewer

BEAT_S = 1.0


class Asking:
    """Of the event loop's thread alone, but for `say`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._asked: list[Any] = []
        self._looking: Message = {}

    def say(self, message: Message) -> None:
        """Tell the acquisition process something."""
        with contextlib.suppress(OSError, ValueError):  # it has ended, and so will this
            self._link.send(message)

    async def beat(self) -> None:
        """Say again and again that the loop goes on; a server that does not is taken for one that hangs."""
        while True:
            self.say({"kind": "alive"})
            await asyncio.sleep(BEAT_S)

    def forget(self) -> None:
        """A frame has come: the acquisition process has done what it was asked for."""
        self._asked = []

    def ask(self, viewers: Iterable[Viewer], frames: Frames) -> None:
        """Ask for what those want who can take it."""
        hungry = [viewer for viewer in viewers if viewer.hungry(frames)]
        asked = wanted(view for each in hungry for view in each.views)
        if asked != self._asked:
            self._asked = asked
            self.say({"kind": "want", "wants": asked})

    def tell_looking(self, viewers: Collection[Viewer]) -> None:
        """Tell how many look, and at what."""
        looking = {
            "kind": "looking",
            "viewers": len(viewers),
            "shown": wanted(v for each in viewers for v in each.views),
        }
        if looking != self._looking:
            self._looking = looking
            self.say(looking)


def wanted(views: Iterable[Wanted]) -> list[list[Any]]:
    """What views want of the acquisition, each once: camera, place and image."""
    kinds = {(view.camera, tuple(sorted(view.index.items())), view.image): None for view in views}
    return [[camera, dict(index), image] for camera, index, image in kinds]
