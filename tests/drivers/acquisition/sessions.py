"""Real acquisitions of the specimen's devices, each with its controller at work."""

from __future__ import annotations

import threading
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import useq
from pymmcore_plus.mda import MDAEngine

from onscope.drivers import specimen
from onscope.drivers.micromanager.acquisition import AcquisitionController, MdaController, Routine, of_useq, plain
from onscope.drivers.micromanager.control import CoreController, calibration_of
from onscope.runtime import Event
from onscope.runtime.feedback import Action, Done, Stop
from tests.drivers.specimens import ONE

from .driven import WAIT_S, Driven, Gauge

LEAST = 2
"""Frames of the routine before and after what is asked for."""
SEQUENCE = useq.MDASequence.model_validate(
    {"channels": [{"config": "FITC", "exposure": 4}], "time_plan": {"interval": 0.01, "loops": 100_000}}
)


class Fragile(specimen.FieldOfBeads):
    """A bead that is in focus in the middle, of which no more than `lasts` pictures can be taken."""

    lasts = 1 << 30

    def __init__(self) -> None:
        super().__init__(np.array([ONE]), extent_um=(100.0, 100.0))

    def expose(self, shot: specimen.Shot, out: Any) -> None:
        if shot.number >= self.lasts:
            raise ValueError("no such bead")
        super().expose(shot, out)


class Failing(MDAEngine):
    """pymmcore-plus' engine, whose hardware fails after so many events."""

    def __init__(self, mmc: Any, events: int) -> None:
        super().__init__(mmc)
        self.left = events

    def setup_event(self, event: useq.MDAEvent) -> None:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the stage does not answer")
        super().setup_event(event)


class Acquired(Driven):
    """An acquisition in a thread of its own, whose routine goes on until it is stopped."""

    controller: MdaController | AcquisitionController

    def __init__(self, scope: specimen.SpecimenScope) -> None:
        self.scope, self.bench = scope, scope.bench
        self.gauge = Gauge()
        self.told: list[Event] = []
        self.frames: list[dict[str, Any]] = []
        self.raised: list[BaseException] = []
        self._thread: threading.Thread | None = None

    def hands(self) -> CoreController:
        return CoreController(self.scope, calibration_of(self.scope), clock=self.bench.clock)

    def drive(self, *actions: Action) -> list[Done]:
        self.begin()
        done = [self.controller.apply(one) for one in actions]
        self.gauge.wait(lambda names: all(self._over(one) for one in actions))
        seen = len(self.gauge.names)
        self.gauge.wait(lambda names: len(names) >= seen + 2 * LEAST)
        self.controller.apply(Stop("all was seen"))
        self.finish()
        return done

    def begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run)
            self._thread.start()
            self.gauge.wait(lambda names: len(names) >= LEAST)

    def finish(self) -> None:
        assert self._thread is not None
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()
        if self.raised:
            raise self.raised[0]

    def end(self) -> None:
        """Whatever the test has come to: the acquisition is over afterwards."""
        if self._thread is not None:
            self.controller.safe()
            self._thread.join(WAIT_S)

    def frames_of(self, action: Action) -> int:
        return self.controller.frames_of(action).done

    def _over(self, action: Action) -> bool:
        done, asked = self.controller.frames_of(action)
        return done >= asked

    def _run(self) -> None:
        try:
            self.acquire()
        except BaseException as error:
            self.raised.append(error)

    @abstractmethod
    def acquire(self) -> None:
        """Run the acquisition to its end."""

    @abstractmethod
    def fail_after(self, frames: int) -> None:
        """The engine breaks down after so many frames."""

    @abstractmethod
    def exposure_ms(self, frame: int) -> float:
        """That of a frame, as it is told with it."""


class ByPymmcorePlus(Acquired):
    """`MdaController`."""

    def __init__(self, scope: specimen.SpecimenScope, routine: Routine | None = None, **options: Any) -> None:
        super().__init__(scope)
        options.setdefault("tell", self.told.append)
        self.controller = MdaController(scope.mmc, routine or of_useq(SEQUENCE), hands=self.hands(), **options)
        scope.mmc.mda.events.frameReady.connect(self._seen)

    def acquire(self) -> None:
        assert isinstance(self.controller, MdaController)
        self.controller.run()

    def fail_after(self, frames: int) -> None:
        mmc = self.scope.mmc
        mmc.mda.set_engine(Failing(mmc, frames))

    def exposure_ms(self, frame: int) -> float:
        return float(self.frames[frame]["meta"]["exposure_ms"])

    def _seen(self, image: Any, event: useq.MDAEvent, meta: Any) -> None:
        self.frames.append({"event": event, "meta": meta})
        self.gauge.came(event.pos_name)


class ByPycroManager(Acquired):
    """`AcquisitionController`."""

    def __init__(
        self, scope: specimen.SpecimenScope, folder: Path, routine: Routine | None = None, **options: Any
    ) -> None:
        super().__init__(scope)
        self.folder = folder
        options.setdefault("tell", self.told.append)
        self.controller = AcquisitionController(
            scope.core,
            routine or plain(channels=["FITC"], exposure_ms=4.0, interval_s=0.01),
            hands=self.hands(),
            **options,
        )

    def acquire(self) -> None:
        from pycromanager import Acquisition

        assert isinstance(self.controller, AcquisitionController)
        with Acquisition(
            str(self.folder), "a", image_process_fn=self._seen, notification_callback_fn=self.controller.notified
        ) as acquisition:
            self.controller.run(acquisition)

    def fail_after(self, frames: int) -> None:
        scene = self.bench.scene
        assert isinstance(scene, Fragile)
        scene.lasts = frames

    def exposure_ms(self, frame: int) -> float:
        return float(self.frames[frame]["Exposure"])

    def _seen(self, image: Any, tags: Any) -> Any:
        self.frames.append(dict(tags))
        self.gauge.came(tags["Axes"].get("position"))
        return image, tags
