"""A scenario's specimen as a source of live frames, with all that is true of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy.typing as npt

from onscope.runtime import ControlError, Frame, FrameId, FrameSpec, SourceError
from onscope.specimen.scenarios import Scenario

from ..micromanager import LiveSource
from ..micromanager._rounds import Rounds
from ..micromanager.control import Calibration, CoreController, SteeredSource, calibration_of
from ._choice import Choice
from ._from_scenario import ScenarioScope
from ._keeper import TruthKeeper, keep_truth
from ._living import Seen
from ._setup import CAMERA

Array = npt.NDArray[Any]


class SpecimenSource:
    """Channels of a scenario's specimen, live, with `truth` and all that is known; made by `source`.

    `scope` is the mounted microscope, `channel` what it is set to first, `exposure_ms` how long it exposes then,
    `shows` what is seen (see `shown`). Where the `choice` is more than one exposure, frames come in rounds (see
    `Rounds`); in a round the specimen lives with the clock, and after it `lapse` times as long as its exposures last.
    `opens` are the words that open it again. `frames` from one thread at a time; `truth`, `aim` and `seen` from any.
    """

    def __init__(
        self, scope: ScenarioScope, choice: Choice, opens: str, lapse: float, remember: int, seed: int
    ) -> None:
        self.scope, self.choice, self.lapse = scope, choice, lapse
        self.channel = choice.channels[0]
        self.exposure_ms = choice.first_ms
        self.shows = shown(scope.scenario, choice.first)
        self._rounds = Rounds(scope, choice.steps, between=self._lives_on) if choice.walks else None
        self._live: LiveSource | SteeredSource | Rounds = self._rounds or scope.live(self.exposure_ms)
        self._live.tell = self._told
        self._opens, self._remember, self._seed = opens, remember, seed
        self._numbers: OrderedDict[FrameId, int] = OrderedDict()
        self._lock = Lock()
        self._keeper: TruthKeeper | None = None

    def spec(self) -> FrameSpec:
        """As the mounted camera has it."""
        return self._live.spec()

    def describe(self) -> dict[str, Any]:
        """What a recording should know of the specimen: with these values the same one can be mounted again."""
        return {**self._live.describe(), "driver": "specimen", **self._about(), "exposure_ms": self.exposure_ms} | {
            "source": self._opens
        }

    def _about(self) -> dict[str, Any]:
        return {
            "scenario": self.scope.scenario.name,
            "seed": self._seed,
            "channel": self.channel,
            "shows": self.shows,
            "lapse": self.lapse,
            **({"rounds": self.choice.told} if self.choice.walks else {}),
        }

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """As `LiveSource.frames`, or `Rounds.frames`."""
        return self._live.frames(n)

    def control(self, calibration: Path | None = None) -> CoreController:
        """The microscope's controller, which steers the frames from now on; see `Controlled` of the feedback.

        Without a `calibration` its lights are known as the simulated hardware has them. Raises ControlError, also where
        frames come in rounds.
        """
        if self.choice.walks:
            raise ControlError(
                f"found frames in rounds ({self.choice.words}), expected one channel in one plane, which rules can "
                "steer: leave planes, phases and further channels out"
            )
        told = calibration_of(self.scope) if calibration is None else Calibration.load(calibration)
        controller = CoreController(self.scope, told)
        steered = controller.live(self.exposure_ms)
        steered.live.tell = self._told
        self._live = steered
        return controller

    def seen(self, frame_id: FrameId) -> Seen:
        """What is true of a frame. Raises SourceError when it did not pass here, or is forgotten."""
        with self._lock:
            number = self._numbers.get(frame_id)
        try:
            if number is not None:
                return self.scope.scene.seen(number)
        except KeyError:
            pass
        raise SourceError(
            f"found no truth for frame {frame_id}, expected one of the last {self._remember} frames: ask for it while "
            "the frame is fresh"
            if self._remember
            else "found a specimen that remembers no truth, expected one that does: open it with truth=True"
        )

    def truth(self, frame_id: FrameId) -> Array:
        """The frame before the noise: expected counts, float32 (y, x). Raises SourceError as `seen`."""
        return self.seen(frame_id).counts

    def aim(self, frame_id: FrameId) -> Array | None:
        """What a network is to find in the frame, float32 (see `_aim`); None: nothing was named to be found.

        Raises SourceError as `seen`.
        """
        return self.seen(frame_id).aim

    @contextmanager
    def keep_truth(self, folder: Path) -> Iterator[TruthKeeper]:
        """Save the truth of the frames that come in the block, in a new folder; see `onscope.drivers.truth`.

        Raises SourceError when none is remembered.
        """
        if not self._remember:
            raise SourceError(
                "found a specimen that remembers no truth, expected one that does: open it with truth=True"
            )
        about = self._about()
        with keep_truth(self.scope.scene, folder, about, waiting=self._remember) as keeper:
            self._keeper = keeper
            try:
                yield keeper
            finally:
                self._keeper = None

    @property
    def words(self) -> str:
        """What it is, in two sentences."""
        pace = "in real time" if self.lapse == 1 else f"{self.lapse:g} times as fast as life"
        return f"{self.scope.scenario.description.rstrip('.')}. {self.choice.words}, {pace}."

    def remarks(self) -> dict[str, str]:
        """What the last sequence was of, and how many exposures were left out of it: the camera's time is real, and a
        computer that is slower than it cannot show them all."""
        skipped = int(self.scope.mmc.getProperty(CAMERA, "SkippedExposures"))
        remarks = {"specimen": f"{self.scope.scenario.name}, {'+'.join(self.choice.channels)}, seed {self._seed}"}
        if skipped:
            remarks["left out"] = f"{skipped:,} exposures (computer too slow)"
        return remarks

    def _lives_on(self) -> None:
        """After a round: the sample's time leaps, for in the round it went with the clock."""
        lasted_s = sum(step.exposure_ms for step in self.choice.steps) / 1e3
        if self.lapse > 1:
            self.scope.bench.leap((self.lapse - 1) * lasted_s)

    def _told(self, frame_id: FrameId, tags: Mapping[str, Any]) -> None:
        number = int(tags["SpecimenExposure"])
        with self._lock:
            self._numbers[frame_id] = number
            while len(self._numbers) > self._remember:
                self._numbers.popitem(last=False)
        if self._keeper is not None:
            self._keeper.note(number, frame_id)


def shown(scenario: Scenario, channel: str) -> str:
    """What a channel shows: "transmitted light", "nuclei" (of cells), "nucleoids" (of bacteria), or the dye's name."""
    dye = scenario.all_channels[channel].dye
    if dye == "nucleus":
        return "nuclei" if scenario.sample.cells else "nucleoids"
    return dye or "transmitted light"
