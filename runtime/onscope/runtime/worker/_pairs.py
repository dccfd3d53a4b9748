"""`pairs`: the same objects from frame to frame, at each place by a tracker that asks one network."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from .._errors import PipelineError
from .._frame import Pixels
from .._requests import request_from
from ..crops import CropSettings, PairNetwork, PairTracker
from ..track import TRACK
from ._fit import check_weights
from ._hosted import Opening, Table
from ._plan import FRAME, image_as_raw

MOST_BYTES = 512 << 20
"""Of the last frames of all places together; the one that was seen longest ago is given up for one more."""


class PairsStage:
    """Tracks the objects of one stage's measured labels by a pairwise network. Raises what PairNetwork raises."""

    def __init__(self, opening: Opening) -> None:
        message = opening.message
        request = request_from(message["request"])
        check_weights(request)
        self.began_anew = False
        self._name = message["name"]
        self._of, self._image = message["inputs"]
        self._labels: str = opening.messages[self._of]["reads"]
        self._settings = dict(message["settings"])
        self._numbers = opening.numbers
        self._target = opening.raw.target
        raw = opening.raw
        if self._image != FRAME:
            image, axes = opening.images[self._image]
            raw = image_as_raw(self._image, image, axes, raw, [request])
            if raw.shape[:2] != opening.raw.shape[:2]:
                raise PipelineError(
                    f"found an image of {raw.shape[0]}x{raw.shape[1]} pixels of the stage {self._image!r} for "
                    f"{self._name!r}, expected the frame's size: compare frames, or an image of their size"
                )
        if raw.axes != "yx" or opening.calibration is not None:
            raise PipelineError(
                f"found colour images or a calibration for the stage {self._name!r}, expected grey frames as they "
                "come: let it read a stage that answers with a grey image"
            )
        self._network = PairNetwork(
            request,
            CropSettings(**message["crops"]),
            raw,
            (opening.provider, opening.threads),
            build=opening.build,
        )
        self.provider, self.graph = self._network.provider, self._network.sha256
        self.told = [f"{note.what}: {note.why}" for note in self._network.notes if note.kind == "warning"]
        self._trackers: OrderedDict[int, PairTracker] = OrderedDict()
        self._most = max(1, MOST_BYTES // max(1, self._network.nbytes))

    def empty(self) -> Table:
        return np.zeros(0, TRACK)

    def run(
        self, window: Sequence[Pixels], answers: Mapping[str, Table], place: int | None, number: int, reset: bool
    ) -> Table:
        image = window[self._target] if self._image == FRAME else answers[self._image]
        tracker = None if place is None or reset else self._trackers.pop(place, None)
        self.began_anew = tracker is None
        if tracker is None:
            tracker = PairTracker(self._network, **self._settings)
        tracker.next_track = self._numbers.of(self._name)
        tracks = tracker.update(number, image, answers[self._labels], answers[self._of])
        self._numbers.raise_to({self._name: tracker.next_track})
        if place is not None:
            self._trackers[place] = tracker
            if len(self._trackers) > self._most:
                self._trackers.popitem(last=False)
        return tracks

    def forget(self, place: int | None) -> None:
        """Its tracks ended where it failed itself; a frame that failed before it is a gap."""
        # `run` takes the tracker out while it works, and only puts back one that is whole.
