"""A virtual microscope by a scenario's name."""

from __future__ import annotations

from onscope.runtime import SourceError
from onscope.specimen.scenarios import ScenarioError, read_scenario

from ._microscope import VirtualMicroscope


def specimen(
    arg: str,
    *,
    seed: int | None = None,
    hours: float = 1.0,
    interval_s: float | None = None,
    size: int | None = None,
    look: bool = True,
    begin_ns: int = 0,
) -> VirtualMicroscope:
    """A scenario's specimen (its name or YAML file, `@CHANNEL` after it) under a virtual microscope.

    Found as `specimen` of the entry points onscope.rehearsals. Raises SourceError for what is not there.
    """
    name, _, channel = arg.partition("@")
    try:
        scenario = read_scenario(name)
        known = list(scenario.all_channels)
        if channel and channel not in known:
            raise SourceError(f"found the channel {channel!r}, expected one of {', '.join(known)} in {scenario.name}")
        return VirtualMicroscope(
            scenario,
            seed=seed,
            hours=hours,
            interval_s=interval_s,
            channel=channel or None,
            size=size,
            look=look,
            begin_ns=begin_ns,
        )
    except ScenarioError as error:
        raise SourceError(str(error)) from error
