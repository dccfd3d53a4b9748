"""A scenario's specimen by its name: the driver `specimen` of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from onscope.runtime import SourceError
from onscope.specimen.scenarios import Scenario, ScenarioError, read_scenario

from ._aim import FINER, aim_of
from ._choice import FINE, Choice, listed, parsed
from ._from_scenario import from_scenario
from ._source import SpecimenSource, shown

REMEMBER_MB = 256.0
"""Memory for what is true of the last exposures: float32 counts and two int32 label images, 12 bytes per pixel."""
AIMS: Mapping[str | None, int] = {None: 0, FINE: FINER**2}
"""Images as large as a frame that what is to be found takes beside it; another channel: one."""


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
    channels: str | None = None,
    planes: int | None = None,
    step_um: float | None = None,
    z_um: float | None = None,
    phases: int | None = None,
    flat: str | None = None,
    against: str | None = None,
) -> Iterator[SpecimenSource]:
    """A scenario's specimen, live: the driver `specimen` of the command line.

    `arg` is the name of a scenario or the path of its YAML file, and may go on with `@CHANNEL`, then with these options
    as `,planes=13,step_um=0.6`; one of them counts before what is given beside it. `exposure_ms` is the channel's own
    unless told. The sample lives `lapse` times as fast as the clock (None: a second shows one interval of the scenario,
    or a second, if that is more). `size`: rows and columns at most. With `truth` the last frames' is remembered, which
    costs the computer about as much as the frames themselves.

    In rounds, where there is more than one exposure to a time point: `channels` ("transmitted+nuclei") in turn,
    `planes` `step_um` apart (None: the scenario's) around `z_um` (None: each channel's focal plane), of the channels in
    `flat` the middle plane alone; of a channel with stripes all its phases, or the first `phases`. `against`: what a
    network is to find in a frame (`SpecimenSource.aim`), another channel, or "fine", the same dye twice as fine.
    Raises SourceError for what is not there.
    """
    given: dict[str, Any] = {
        "exposure_ms": exposure_ms,
        "seed": seed,
        "lapse": lapse,
        "size": size,
        "channels": channels,
        "planes": planes,
        "step_um": step_um,
        "z_um": z_um,
        "phases": phases,
        "flat": flat,
        "against": against,
    }
    name, named, said = parsed(arg)
    told = {key: said.get(key, value) for key, value in given.items()}
    told = {key: value for key, value in told.items() if value is not None}
    try:
        scenario = read_scenario(name)
        choice = _choice(scenario, channel or named, told)
        chosen = told.get("seed", scenario.seed)
        size = told.get("size")
        shape = scenario.acquisition.shape if size is None else tuple(min(size, n) for n in scenario.acquisition.shape)
        remember = remembered(shape, 1 + AIMS.get(choice.against, 1)) if truth else 0
        lives = told.get("lapse", max(1.0, scenario.acquisition.interval_s))
        scope = from_scenario(scenario, seed=chosen, lapse=1.0 if choice.walks else lives, remember=remember)
    except ScenarioError as error:
        raise SourceError(str(error)) from error
    with scope:
        scope.choose(choice.first)
        if "z_um" in told:
            scope.mmc.setPosition(told["z_um"])
            scope.mmc.waitForSystem()
        if size is not None:
            rows, columns = scope.bench.hardware.camera.shape
            scope.set_roi((columns - shape[1]) // 2, (rows - shape[0]) // 2, shape[1], shape[0])
        if choice.against is not None:
            scope.scene.aim_at(aim_of(scenario, scope.bench.hardware, choice.against))
        again = {"lapse": lives, "seed": chosen, **({} if size is None else {"size": size})}
        opens = f"specimen:{name}@{choice.channels[0]},{_words(choice.told | again)}"
        yield SpecimenSource(scope, choice, opens, lives, remember, chosen)


def remembered(shape: tuple[int, ...], images: int = 1) -> int:
    """How many exposures' truth REMEMBER_MB holds, each with so many images of float32; at least 4."""
    return max(4, min(300, int(REMEMBER_MB * 1e6 / ((8 + 4 * images) * np.prod(shape)))))


def _choice(scenario: Scenario, channel: str, told: dict[str, Any]) -> Choice:
    several = listed(told.get("channels"))
    if channel and several and channel != several[0]:
        raise SourceError(
            f"found the channel {channel} beside channels={'+'.join(several)}, expected one of the two: leave one out"
        )
    taken = {key: told[key] for key in ("planes", "step_um", "z_um", "phases", "exposure_ms", "against") if key in told}
    taken.setdefault("step_um", scenario.acquisition.step_um)
    first = channel or _usual(scenario, phases="phases" in told)
    return Choice(scenario, several or (first,), flat=frozenset(listed(told.get("flat"))), **taken)


def _usual(scenario: Scenario, *, phases: bool = False) -> str:
    """The channel of the cells' nuclei, else the first with a dye, else the first; with `phases`, the first that has
    some."""
    striped = [name for name, one in scenario.channels.items() if one.sim is not None]
    if phases and striped:
        return striped[0]
    names = list(scenario.all_channels)
    nuclei = [name for name in names if shown(scenario, name) == "nuclei"]
    dyed = [name for name, one in scenario.all_channels.items() if one.dye is not None]
    return (nuclei or dyed or names)[0]


def _words(told: dict[str, Any]) -> str:
    """Options as they stand behind a scenario's name."""
    return ",".join(f"{key}={value}" for key, value in told.items())
