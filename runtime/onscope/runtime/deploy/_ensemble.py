"""Graphs that read each other's images as one model: the image between them never leaves the server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..graph import Compiled
from ..kserve import CHAIN
from ._config import data_type, schema
from ._tensors import Ports

FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Link:
    """A graph's model, and what the graph reads: "frame", or the stage whose image it takes."""

    model: str
    reads: str
    compiled: Compiled
    ports: Ports


def ensemble(links: Sequence[Link]) -> Any:
    """The configuration of an ensemble of the models (a `ModelConfig`), or why there can be none, in words.

    The client asks for one graph after another where there is none, which gives the same answers.
    """
    why = _why_not(links)
    if why:
        return why
    pb = schema()
    name = CHAIN + hashlib.sha256("+".join(link.model for link in links).encode()).hexdigest()[:16]
    most = {link.ports.most for link in links}.pop()
    config = pb.ModelConfig(name=name, platform="ensemble", max_batch_size=most)
    known: set[str] = set()
    for number, link in enumerate(links):
        step = config.ensemble_scheduling.step.add(model_name=link.model, model_version=-1)
        for spec in link.ports.given:
            there = _image(links, link.reads) if link.reads != FRAME else spec.name
            step.input_map[spec.name] = there
            if link.reads == FRAME and there not in known:
                known.add(there)
                config.input.add(name=there, data_type=data_type(spec.dtype), dims=list(spec.shape))
        for spec in link.ports.answered:
            out = f"{spec.name}" if spec.name not in known else f"{number}.{spec.name}"
            known.add(out)
            step.output_map[spec.name] = out
            config.output.add(name=out, data_type=data_type(spec.dtype), dims=list(spec.shape))
    return config


def _image(links: Sequence[Link], stage: str) -> str:
    return next(answer.output for link in links for answer in link.compiled.answers if answer.stage == stage)


def _why_not(links: Sequence[Link]) -> str:
    if len({link.ports.most for link in links}) > 1:
        return "one of them takes several windows at once, another one at a time"
    for link in links:
        names = ", ".join(link.compiled.stages)
        if link.compiled.tiling is not None:
            return f"{names} is run in tiles, which the client cuts"
        if link.ports.memories:
            return f"{names} remembers earlier windows"
        if link.reads == FRAME:
            continue
        if link.compiled.scalars:
            return f"{names} is normalised by numbers that the client takes of {link.reads}"
        answers = [(each.ports, a) for each in links for a in each.compiled.answers if a.stage == link.reads]
        image = {spec.name: spec for spec in answers[0][0].answered}[answers[0][1].output] if answers else None
        takes = link.ports.given[0] if len(link.ports.given) == 1 else None
        if image is None or takes is None or (image.shape, image.dtype) != (takes.shape, takes.dtype):
            return f"{names} takes {link.reads} in another form than it comes"
    return ""
