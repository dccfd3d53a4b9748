"""What the live path asks of a recorder: a second, lossless reader of the frames' slots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ._errors import OnscopeError
from ._frame import Frame, FrameSpec
from ._shm import SharedSlots


class RawSink(Protocol):
    """Saves frames from the slots that they stand in, at its own pace, in a process of its own.

    A slot given to `save` stays as it is until `saved(lane, slot)` says that its frame is on the disk; nothing else
    brings it back, whatever becomes of the recorder's process. The live path gives at most `depth(spec)` slots per
    lane before that. `save` and `close_lane` send a message and never wait for the disk; they and `failure` are used
    with the account's lock held. `open` is called without it, and returns when the recorder has the slots, so that
    they are not lost with the acquisition process. `saved` and `failed` are called from the recorder's own thread,
    without any lock held.
    """

    failure: OnscopeError | None
    """Why no more frames can be saved; `failed()` is called once when it is set. Slots are not given back then."""

    def bind(self, saved: Callable[[int, int], None], failed: Callable[[], None]) -> None:
        """Whom to tell; called once, before everything else."""
        ...

    def depth(self, spec: FrameSpec) -> int:
        """Slots that it may hold at once for frames like `spec`: what hides the disk's slow moments."""
        ...

    def open(self, lane: int, spec: FrameSpec, slots: SharedSlots) -> None:
        """Frames like `spec` will be saved from these slots under the number `lane`."""
        ...

    def save(self, lane: int, slot: int, frame: Frame) -> bool:
        """Save the frame that stands in the slot (its `pixels` are not looked at); False: not any more, see `failure`.

        Raises RecordError for a frame that cannot be told to the recorder; the slot is then not waited for.
        """
        ...

    def close_lane(self, lane: int) -> None:
        """No more frames come from these slots, and all that came are saved."""
        ...
