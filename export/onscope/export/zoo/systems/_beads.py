"""What the systems of the packages for beads have in common: held-out scenes, their network, training and export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING

from onscope.export import Choices

from .. import PACKAGES
from .._beads_frames import exported_with
from .._quality import Sample
from .._texts import WORDS
from ..evaluate import samples
from ..train import SHIPPED_DENOISER, STEPS
from ._system import Live, Measured, System, Training

if TYPE_CHECKING:
    from torch import nn

    from .._tasks import Task

FIRST_SEED = 11_000_000
"""Training draws from one stream with a small seed; the tables of the packages' own READMEs begin at 10 million."""
KINDS = {
    "demo-like": "scenes like the demonstration's",
    "wide": "all that training covers",
    "sharp": "sharp and bright",
}
NETWORKS = {"care": ("care", "Care"), "espcn": ("espcn", "Espcn"), "spots": ("unet_spots", "UnetSpots")}
"""Module and class of each."""
DENOISED = """schema: 1
stages:
  denoise: {package: zoo/care-beads}
  answer: {package: "{package}", reads: denoise}
"""
"""The pipeline of what stands behind `care-beads`."""
ABOUT = (
    "Measured through the runtime on simulated beads that training never saw, one scene of each kind for each seed; "
    "mean and standard deviation over the seeds. "
)


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Samples of one kind, one for each seed."""

    kind: str
    samples: tuple[Sample, ...]


@cache
def beads(seeds: int) -> tuple[Held, ...]:
    """Of each kind as many scenes as `seeds`."""
    return tuple(Held(told, tuple(samples(kind, seeds, FIRST_SEED))) for kind, told in KINDS.items())


def beads_system(name: str, pipeline: str, measured: Measured) -> System:
    """The system of a network of `WORDS`, on the simulated spots."""
    words = WORDS[name]
    return System(
        key=words.folder,
        network=partial(_network, name),
        choices=partial(_choices, name),
        words=words,
        live=Live(pipeline, "specimen:spots"),
        training=Training(_task(name), STEPS[name]),
        measured=measured,
    )


def _network(name: str) -> nn.Module:
    module, network = NETWORKS[name]
    made = getattr(import_module(f"..{module}", __package__), network)()
    return made  # type: ignore[no-any-return]


def _task(name: str) -> Callable[[], Task]:
    def task() -> Task:
        from .._tasks import task_for

        return task_for(name, SHIPPED_DENOISER)

    return task


def _choices(name: str) -> Choices:
    return Choices(**exported_with(name, PACKAGES))
