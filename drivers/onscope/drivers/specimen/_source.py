"""A scenario's specimen as a source of live frames: the driver `specimen` of the command line."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from onscope.runtime import Frame, FrameId, FrameSpec, SourceError
from onscope.specimen.scenarios import Scenario, ScenarioError, read_scenario

from ..micromanager import LiveSource
from ..micromanager.control import Calibration, CoreController, SteeredSource, calibration_of
from ._from_scenario import ScenarioScope, from_scenario
from ._keeper import TruthKeeper, keep_truth
from ._living import Seen
from ._setup import CAMERA

Array = npt.NDArray[Any]

REMEMBER_MB = 256.0
"""Memory for what is true of the last exposures: float32 counts and two int32 label images, 12 bytes per pixel."""


class SpecimenSource:
    """One channel of a scenario's specimen, live, with `truth` and all that is known; made by `source`.

    `scope` is the mounted microscope, `channel` what it is set to, `exposure_ms` how long it exposes, `shows` what is
    seen (see `shown`). `frames` from one thread at a time; `truth` and `seen` from any.
    """

    def __init__(self, scope: ScenarioScope, channel: str, exposure_ms: float, remember: int, seed: int) -> None:
        self.scope, self.channel, self.exposure_ms = scope, channel, exposure_ms
        self.shows = shown(scope.scenario, channel)
        self._live: LiveSource | SteeredSource = scope.live(exposure_ms)
        self._live.tell = self._told
        self._remember, self._seed = remember, seed
        self._numbers: OrderedDict[FrameId, int] = OrderedDict()
        self._lock = Lock()
        self._keeper: TruthKeeper | None = None

    def spec(self) -> FrameSpec:
        """As the mounted camera has it."""
        return self._live.spec()

    def describe(self) -> dict[str, Any]:
        """What a recording should know of the specimen: with these values the same one can be mounted again."""
        return {**self._live.describe(), "driver": "specimen", **self._about(), "exposure_ms": self.exposure_ms}

    def _about(self) -> dict[str, Any]:
        return {
            "scenario": self.scope.scenario.name,
            "seed": self._seed,
            "channel": self.channel,
            "shows": self.shows,
            "lapse": self.scope.bench.lapse,
        }

    def frames(self, n: int | None = None) -> Generator[Frame, None, None]:
        """As `LiveSource.frames`."""
        return self._live.frames(n)

    def control(self, calibration: Path | None = None) -> CoreController:
        """The microscope's controller, which steers the frames from now on; see `Controlled` of the feedback.

        Without a `calibration` its lights are known as the simulated hardware has them. Raises ControlError.
        """
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
        scenario, lapse = self.scope.scenario, self.scope.bench.lapse
        pace = "in real time" if lapse == 1 else f"{lapse:g} times as fast as life"
        return f"{scenario.description.rstrip('.')}. Channel {self.channel}, {self.exposure_ms:g} ms, {pace}."

    def remarks(self) -> dict[str, str]:
        """What the last sequence was of, and how many exposures were left out of it: the camera's time is real, and a
        computer that is slower than it cannot show them all."""
        skipped = int(self.scope.mmc.getProperty(CAMERA, "SkippedExposures"))
        remarks = {"specimen": f"{self.scope.scenario.name}, {self.channel}, seed {self._seed}"}
        if skipped:
            remarks["left out"] = f"{skipped:,} exposures (computer too slow)"
        return remarks

    def _told(self, frame_id: FrameId, tags: Mapping[str, Any]) -> None:
        number = int(tags["SpecimenExposure"])
        with self._lock:
            self._numbers[frame_id] = number
            while len(self._numbers) > self._remember:
                self._numbers.popitem(last=False)
        if self._keeper is not None:
            self._keeper.note(number, frame_id)


@contextmanager
def source(
    arg: str,
    *,
    exposure_ms: float | None = None,
    channel: str | None = None,
    seed: int | None = None,
    lapse: float | None = None,
    size: int | None = None,
    truth: bool = False,
) -> Iterator[SpecimenSource]:
    """A scenario's specimen, live: the driver `specimen` of the command line.

    `arg` is the name of a scenario or the path of its YAML file, and may end in `@CHANNEL`. `exposure_ms` is the
    channel's own unless told. The sample lives `lapse` times as fast as the clock (None: a second shows one interval of
    the scenario, or a second, if that is more). `size`: rows and columns at most. With `truth` the last frames' is
    remembered, which costs the computer about as much as the frames themselves. Raises SourceError for what is not
    there.
    """
    name, _, told = arg.partition("@")
    try:
        scenario = read_scenario(name)
        chosen = _channel(scenario, channel or told)
        shape = scenario.acquisition.shape if size is None else tuple(min(size, n) for n in scenario.acquisition.shape)
        remember = remembered(shape) if truth else 0
        seconds = scenario.acquisition.interval_s
        scope = from_scenario(
            scenario, seed=seed, lapse=max(1.0, seconds) if lapse is None else lapse, remember=remember
        )
    except ScenarioError as error:
        raise SourceError(str(error)) from error
    with scope:
        scope.choose(chosen)
        if size is not None:
            rows, columns = scope.bench.hardware.camera.shape
            scope.set_roi((columns - shape[1]) // 2, (rows - shape[0]) // 2, shape[1], shape[0])
        exposure = scenario.all_channels[chosen].exposure_s * 1e3 if exposure_ms is None else exposure_ms
        yield SpecimenSource(scope, chosen, exposure, remember, scenario.seed if seed is None else seed)


def remembered(shape: tuple[int, ...]) -> int:
    """How many exposures' truth REMEMBER_MB holds; at least 4."""
    return max(4, min(300, int(REMEMBER_MB * 1e6 / (12 * np.prod(shape)))))


def shown(scenario: Scenario, channel: str) -> str:
    """What a channel shows: "transmitted light", "nuclei" (of cells), "nucleoids" (of bacteria), or the dye's name."""
    dye = scenario.all_channels[channel].dye
    if dye == "nucleus":
        return "nuclei" if scenario.sample.cells else "nucleoids"
    return dye or "transmitted light"


def _channel(scenario: Scenario, wanted: str) -> str:
    """The channel of this name; without a name that of the cells' nuclei, else the first with a dye, else the first."""
    names = list(scenario.all_channels)
    if wanted and wanted not in names:
        raise SourceError(
            f"found the channel {wanted!r}, expected one of {', '.join(names)} in {scenario.name}: choose one of them"
        )
    nuclei = [name for name in names if shown(scenario, name) == "nuclei"]
    dyed = [name for name, one in scenario.all_channels.items() if one.dye is not None]
    return wanted or (nuclei or dyed or names)[0]
