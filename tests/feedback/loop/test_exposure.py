"""A dye bleaches: with a rule that keeps the signal, the signal-to-noise ratio stays; without it, it falls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import calibration_of
from onscope.runtime import Runtime
from onscope.runtime.feedback.loop import Feedback
from tests.drivers.control.rigs import controlled

from .microscopes import PATIENT_S, Patient, pipeline

RULES = """
schema: 1
rules:
  exposure:
    when:
      frame.signal: {below: 1400}
    then:
      - scale_exposure: {value: frame.signal, target: 1500, damping: 0.8, most: 1.3}
limits:
  exposure_ms: [5, 200]
"""
FIRST_MS, FRAMES = 18.0, 100
FADING = specimen.Dye(475.0, 515.0, 3e4, 16.0)
"""Half of it is gone after 11 J/cm2: the light of some 100 frames at the first exposure."""


class Noted(specimen.FieldOfBeads):
    """Beads in rows, 1.5 um apart. `signal` (counts over the medium) and `snr` of each exposure, of the pixels that are
    brightest without noise: against what is expected there."""

    def __init__(self) -> None:
        rows, columns = np.mgrid[47.5:52.6:1.5, 47.5:52.6:1.5]
        places = np.stack([0 * rows, rows, columns], -1).reshape(-1, 3)
        super().__init__(places, extent_um=(100.0, 100.0), dye=FADING)
        self.snr: list[float] = []
        self.signal: list[float] = []

    def expose(self, shot: specimen.Shot, out: npt.NDArray[Any]) -> None:
        super().expose(shot, out)
        expected = self.truth(shot.number)
        over = expected - np.median(expected)
        bright = over > 0.5 * over.max()
        self.signal.append(float(over[bright].mean()))
        self.snr.append(self.signal[-1] / float((out - expected)[bright].std()))


@dataclass(frozen=True)
class Told:
    """Of one run: `signal` and `snr` by exposure, the last exposure time, and how many actions were done."""

    signal: npt.NDArray[np.float64]
    snr: npt.NDArray[np.float64]
    exposure_ms: float
    done: int

    @property
    def left(self) -> float:
        """Of the signal-to-noise ratio of the first exposures, what the last ones still have."""
        return float(self.snr[-20:].mean() / self.snr[:20].mean())


@pytest.mark.long
def test_exposure_control_keeps_the_signal_to_noise_ratio_while_a_dye_bleaches(tmp_path: Path) -> None:
    """Pass: the ratio stays within a tenth and the signal within a sixth, where both would have lost a quarter."""
    kept, lost = run(tmp_path / "with", armed=True), run(tmp_path / "without", armed=False)
    assert lost.exposure_ms == FIRST_MS
    assert lost.done == 0
    assert lost.left < 0.8
    assert lost.signal[-1] < 0.6 * lost.signal[0]
    assert kept.left > 0.9
    assert np.all(np.abs(kept.signal / kept.signal[:20].mean() - 1) < 1 / 6)
    assert 2 * FIRST_MS < kept.exposure_ms <= 200


def run(folder: Path, *, armed: bool) -> Told:
    """A real core, camera and light; every result is looked at and acted upon before the next one is."""
    folder.mkdir()
    scene = Noted()
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    with controlled(scene, real=True) as (scope, _), Runtime(pipeline(folder), worker="thread") as runtime:
        controller = Patient(scope, calibration_of(scope))
        source = controller.live(exposure_ms=FIRST_MS)
        runtime.prepare(source.spec())
        journal = folder / "feedback.jsonl"
        with Feedback(runtime, rules, controller, armed=armed, journal=journal, patience_s=PATIENT_S) as feedback:
            for _ in runtime.stream(source, FRAMES):
                feedback.settle()
            exposure_ms = controller.setting().exposure_ms
            done = feedback.counts["done"]
    assert exposure_ms is not None
    return Told(np.array(scene.signal), np.array(scene.snr), exposure_ms, done)
