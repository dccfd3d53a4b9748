"""Microscopes with a specimen, a runtime and a feedback over them: all of them the real parts."""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onscope.drivers import specimen
from onscope.drivers.micromanager.control import CoreController, SteeredSource, calibration_of
from onscope.runtime import Event, Pipeline, Runtime, Stage
from onscope.runtime.feedback import Limits
from onscope.runtime.feedback.journal import Entry, read_journal
from onscope.runtime.feedback.loop import Feedback
from tests import models
from tests.drivers.control.rigs import controlled

GO = """
@rule(name="go")
def go(seen):
    yield MoveStage(45.0 + seen.number % 10, 50.0)
"""
"""Asks for a move with every result."""
PATIENT_S = 60.0
"""How long tests wait for what has to come, however busy the machine is."""


def rules_file(folder: Path, text: str = GO) -> Path:
    """A Python file with rules."""
    path = folder / "rules.py"
    head = "import os, time\nfrom onscope.runtime.feedback import *\nfrom onscope.runtime.feedback.rules import rule\n"
    path.write_text(head + textwrap.dedent(text))
    return path


@dataclass
class Bench:
    """A microscope whose frames are looked at, and steered."""

    scope: specimen.SpecimenScope
    controller: CoreController
    source: SteeredSource
    runtime: Runtime
    folder: Path
    events: list[Event]

    def feedback(self, rules: Any = None, **options: Any) -> Feedback:
        """Armed, unless told otherwise, with rules that ask for a move with every result."""
        usual: dict[str, Any] = {"armed": True, "journal": self.folder / "feedback.jsonl", "patience_s": PATIENT_S}
        rules = rules_file(self.folder) if rules is None else rules
        return Feedback(self.runtime, rules, self.controller, **usual | options)

    def run(self, n: int) -> int:
        """Take so many frames, and look at the results; how many came."""
        return sum(1 for _ in self.runtime.stream(self.source, n))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take frames in a thread while the block lasts, or until the safe state ends them."""

        def take() -> None:
            for _ in self.runtime.stream(self.source):
                pass

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.source.end()
            self.source.changed()
            thread.join(PATIENT_S)
            assert not thread.is_alive()

    @property
    def safe(self) -> bool:
        """Whether the watchdog has made it safe; an action that was under way does so once more at its end."""
        return any(each.kind == "safe state" and "(again" not in each.message for each in list(self.events))

    @property
    def entries(self) -> list[Entry]:
        """The journal's, in their order."""
        return list(read_journal(self.folder / "feedback.jsonl"))

    def commanded(self, *devices: str) -> list[tuple[str, str, object]]:
        """What devices were told that the camera's own frames do not tell them."""
        journal = self.scope.bench.journal
        return [(one.device, one.verb, one.value) for one in journal if not devices or one.device in devices]


class Patient(CoreController):
    """Whose limits no busy machine exceeds: ages and delays of a minute are none."""

    def limits(self) -> Limits:
        return replace(super().limits(), stale_ms=PATIENT_S * 1e3, apply_ms=PATIENT_S * 1e3)


@contextmanager
def bench(folder: Path, worker: Any = "process", **options: Any) -> Iterator[Bench]:
    """A quick microscope in real time, and a runtime that finds bright pixels."""
    events: list[Event] = []
    with (
        controlled(real=True) as (scope, _),
        Runtime(pipeline(folder), worker=worker, on_event=events.append, **options) as runtime,
    ):
        controller = Patient(scope, calibration_of(scope))
        source = controller.live(exposure_ms=10.0)
        runtime.prepare(source.spec())
        yield Bench(scope, controller, source, runtime, folder, events)


def pipeline(folder: Path) -> Pipeline:
    """Bright pixels as a table."""
    return Pipeline([Stage("found", models.brightest(folder / "found"))])


def until(true: Callable[[], object]) -> None:
    """Wait for something; fails when it does not come."""
    end = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.002)
