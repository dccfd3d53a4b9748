"""A runtime inside somebody else's acquisition: takes each image, never raises, leaves raw frames to their writer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._elsewhere import saved_by
from .._errors import OnscopeError
from .._events import Event, Teller, log
from .._frame import Pixels
from .._keeper import Keeper
from .._live_path import LivePath
from ._derived import Derived
from ._frames import HookFrames
from ._saved import read_saved

UNLINKED = (
    "found no word of where the acquisition saves its raw frames, expected it for the recording, which leaves them to "
    "it: call runtime.link(acquisition) before it begins"
)


class Hooked:
    """What `Runtime.image_process_fn`, `image_saved_fn`, `attach` and `link` do."""

    def __init__(self, path: LivePath, keeper: Keeper | None, tell: Teller) -> None:
        self._path, self._keeper, self._tell = path, keeper, tell
        self._frames = HookFrames()
        self._told = ""
        self._cameras: set[str] = set()
        self._elsewhere: bool | None = None
        """Whether the acquisition saves its raw frames itself; None: nobody said."""
        self._saved_in: Any = None
        self.derived: tuple[Derived, ...] = ()
        """Who hands images of the stages on, and wants to know of the frames that they belong to."""

    def take(
        self, image: Pixels, tags: Mapping[str, Any], event: Any = None, meta: Mapping[str, Any] | None = None
    ) -> None:
        """Submit an image; whatever is wrong with it, the model or the runtime is told, once, and never raised.

        `event` and `meta` are pymmcore-plus' own, for those who are given its derived images.
        """
        try:
            frame = self._frames.frame(image, tags)
            if self._keeper is not None and frame.id.camera not in self._cameras:
                self._cameras.add(frame.id.camera)
                self._keeper.notes.source({"driver": "hook", "cameras": [frame.id.camera]})
            for each in self.derived:
                each.expect(frame.id, tags, event, meta)
            self._path.submit(frame, raw=self._is_recorded())
        except OnscopeError as error:
            self._tell_once(str(error))
        except Exception as error:
            # Broad on purpose: pycro-manager aborts the whole acquisition when a hook raises.
            log.debug("a hook failed", exc_info=True)
            self._tell_once(repr(error))

    def take_saved(self, axes: Mapping[str, Any], dataset: Any) -> None:
        """`take` an image that was saved, from the data set that it is in."""
        try:
            if dataset is not self._saved_in:
                self._saved_in = dataset
                place = getattr(dataset, "path", None)
                if place is None:  # a data set in memory, which ends with the program
                    self._begin(saved=None)
                else:
                    self.link(place)
            image, tags = read_saved(dataset, axes)
        except Exception as error:
            # Broad on purpose: pycro-manager's thread for this ends with the first exception, and saving waits for it.
            log.debug("image_saved_fn failed", exc_info=True)
            self._tell_once(f"found no image {dict(axes)} in the data set that it was saved in ({error!r})")
            return
        self.take(image, {**tags, "Axes": dict(axes)})

    def link(self, acquisition: Any) -> None:
        """See `Runtime.link`."""
        self._begin(saved_by(acquisition))

    def begins(self, core: Any, sequence: Any, summary: Mapping[str, Any]) -> None:
        """A run of a pymmcore-plus core begins; it is linked."""
        for each in self.derived:
            each.begins(sequence, summary)
        try:
            self.link(core)
        except Exception as error:
            # Broad on purpose, as above. Who saves the frames is not known then: two copies are better than none.
            log.debug("link failed", exc_info=True)
            self._elsewhere = False
            self._tell_once(f"found no word of what saves the raw frames ({error}): they are recorded here too")

    def _begin(self, saved: Any) -> None:
        self._frames.begin()
        self._elsewhere = saved is not None
        if self._keeper is not None and saved is not None:
            self._keeper.recording.link(saved)

    def _is_recorded(self) -> bool:
        if self._keeper is None:
            return False
        if self._elsewhere is None:
            self._elsewhere = True
            self._tell(Event("warning", UNLINKED))
        return not self._elsewhere

    def _tell_once(self, message: str) -> None:
        # What is wrong with one image of an acquisition is wrong with the next thousand too.
        if message != self._told:
            self._told = message
            self._tell(Event("hook error", message))
