"""How objects were measured and tracked, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._about import About, StageAbout
from ._references import one_line

PAPER = "K. Jaqaman et al., Nature Methods 5, 695 (2008)"


def host_words(stage: StageAbout, about: About) -> str:
    """What a stage of the host did with the objects that it read."""
    plan = next((each for each in about.facts.pipeline.stages if each.name == stage.name), None)
    settings: Mapping[str, Any] = {} if plan is None else plan.settings
    name, reads = one_line(stage.name), one_line(stage.reads)
    if stage.kind == "measure":
        images = [str(each) for each in plan.inputs[1:]] if plan is not None else []
        where = ["the raw frames" if each == "frame" else f"the answers of {one_line(each)}" for each in images]
        words = f", and their intensities in {' and '.join(where)}" if where else ""
        return f"The stage {name} measured the objects of {reads}: their places, areas and shapes{words}."
    return f"The stage {name} linked the objects of {reads} from frame to frame ({PAPER}){_limits(settings)}."


def _limits(settings: Mapping[str, Any]) -> str:
    said = []
    for key, unit in (("max_distance", "pixels"), ("max_distance_um", "um")):
        if isinstance(settings.get(key), int | float):
            said.append(f"over at most {settings[key]:g} {unit} per frame")
    gap = settings.get("gap")
    if isinstance(gap, int) and gap:
        said.append(f"over gaps of up to {gap} frame{'s' * (gap != 1)}")
    if settings.get("model") == "kalman":
        said.append("from where a Kalman filter of constant velocity expected them")
    said.append("with divisions" if settings.get("divisions") is True else "without divisions")
    return ", " + ", ".join(said)
