"""Graphs that read each other's images as one model: the image between them never leaves the server."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..engines import TensorSpec
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


def why_not(links: Sequence[Link]) -> str:
    """Why the models cannot be one, in words; empty: they can. The client asks for one graph after another then, which
    gives the same answers."""
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
        image, takes = image_of(links, link.reads), link.ports.given
        if len(takes) != 1 or image.dtype != takes[0].dtype or _pixels(image) != _pixels(takes[0]):
            return f"{names} takes {link.reads} in another form than it comes"
    return ""


def image_of(links: Sequence[Link], stage: str) -> TensorSpec:
    """The output that is a stage's image."""
    for link in links:
        for answer in link.compiled.answers:
            if answer.stage == stage:
                return next(spec for spec in link.ports.answered if spec.name == answer.output)
    raise KeyError(stage)


def ensemble(links: Sequence[Link]) -> Any:
    """The configuration of an ensemble of the models, a `ModelConfig`; each reader takes images as they come."""
    pb = schema()
    name = CHAIN + hashlib.sha256("+".join(link.model for link in links).encode()).hexdigest()[:16]
    config = pb.ModelConfig(name=name, platform="ensemble", max_batch_size=links[0].ports.most)
    config.version_policy.latest.num_versions = 1
    given: set[str] = set()
    for link in links:
        step = config.ensemble_scheduling.step.add(model_name=link.model, model_version=-1)
        for spec in link.ports.given:
            source = spec.name if link.reads == FRAME else image_of(links, link.reads).name
            step.input_map[spec.name] = source
            if link.reads == FRAME and source not in given:
                given.add(source)
                config.input.add(name=source, data_type=data_type(spec.dtype), dims=list(spec.shape))
        for spec in link.ports.answered:
            step.output_map[spec.name] = spec.name
            config.output.add(name=spec.name, data_type=data_type(spec.dtype), dims=list(spec.shape))
    return config


def _pixels(spec: TensorSpec) -> int:
    return math.prod(size or 0 for size in spec.shape)
