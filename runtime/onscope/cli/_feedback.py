"""Rules beside a run: `onscope run ... --rules FILE [--arm]`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from onscope.runtime import ControlError, RuleError, Runtime, Source

if TYPE_CHECKING:
    from onscope.runtime.feedback import Controller
    from onscope.runtime.feedback.loop import Feedback, Heartbeat

JOURNAL = "feedback.jsonl"


@dataclass(frozen=True, slots=True)
class Steering:
    """The rules of a run: their file, whether they are `armed`, and the files of calibration and doses."""

    rules: Path
    armed: bool = False
    calibration: Path | None = None
    doses: Path | None = None


def steering_of(rules: Path | None, armed: bool, calibration: Path | None, doses: Path | None) -> Steering | None:
    """What the options say; None: there are no rules. Raises RuleError for options that want some."""
    if rules is not None:
        return Steering(rules, armed, calibration, doses)
    for name, told in (("--arm", armed), ("--calibration", calibration), ("--doses", doses)):
        if told:
            raise RuleError(f"found {name} without rules, expected --rules FILE too: name the file, or leave it out")
    return None


def control(source: Source, steering: Steering) -> Controller:
    """The controller of a source's microscope. Raises ControlError where there is none."""
    from onscope.runtime.feedback.loop import Controlled

    if not isinstance(source, Controlled):
        raise ControlError(
            "found a source without a microscope, expected micromanager:... or specimen:... for --rules: try rules on "
            "recordings with `onscope rehearse`"
        )
    return source.control(steering.calibration)


@dataclass
class Steered:
    """What came of the rules: `words` by their subject, and what is wrong, as sentences. `ended` while frames are
    taken: whether an action ended them."""

    feedback: Feedback | None = None
    words: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    files: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.feedback is not None and self.feedback.stopped


@contextmanager
def beating(controller: Controller | None) -> Iterator[Heartbeat | None]:
    """The sign of life for a hardware watchdog, where the calibration of the microscope names one."""
    from onscope.runtime.feedback.loop import Beating

    heart = controller.heartbeat() if isinstance(controller, Beating) else None
    if heart is None:
        yield None
    else:
        with heart:
            yield heart


def feedback_of(
    runtime: Runtime,
    controller: Controller | None,
    steering: Steering | None,
    folder: Path,
    heartbeat: Heartbeat | None = None,
) -> Feedback | None:
    """The feedback of a run, whose journal comes into its folder. Raises RuleError for rules that cannot be used."""
    if steering is None or controller is None:
        return None
    from onscope.runtime.feedback.loop import Feedback

    return Feedback(
        runtime,
        steering.rules,
        controller,
        armed=steering.armed,
        journal=folder / JOURNAL,
        doses=steering.doses,
        heartbeat=heartbeat,
    )


@contextmanager
def steered(feedback: Feedback | None, heartbeat: Heartbeat | None = None) -> Iterator[Steered]:
    """Run the rules while the block lasts; a `heartbeat` whose device refused is told at its end."""
    if feedback is None:
        yield Steered()
        return
    with feedback:
        came = Steered(feedback, files=(JOURNAL,))
        yield came
        feedback.settle()
        counts, held = feedback.counts, feedback.held
    first = "done" if feedback.armed else "shadow"
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == first)
    came.words["feedback"] = f"armed: {told}" if feedback.armed else f"shadow mode, nothing was carried out: {told}"
    if failure := getattr(heartbeat, "failure", None):
        came.faults.append(f"the heartbeat for the hardware watchdog ended: {failure}")
    if held and feedback.armed:
        came.faults.append(f"the microscope was taken to its safe state: {held}")
