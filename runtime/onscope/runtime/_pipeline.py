"""Pipelines: which packages run on what, in Python or from YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ._errors import PipelineError
from ._package import Package
from .decode import decoder

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What stages may be called: the names become folders of a recording."""
FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step: the package it runs, and what it reads: "frame" (the raw one) or an earlier stage with an image.

    `package` is a Package, the path of one, or the name of a shipped one ("zoo/care-beads"). `settings` go before
    those of the package, e.g. {"threshold": 0.4}.
    """

    name: str
    package: Package
    reads: str = FRAME
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __init__(
        self, name: str, package: Package | str | Path, reads: str = FRAME, settings: Mapping[str, Any] | None = None
    ) -> None:
        if not NAME.fullmatch(name) or name == FRAME:
            raise PipelineError(
                f"found a stage named {name!r}, expected letters, digits, - and _ beginning with a letter, and not "
                f"{FRAME!r}: rename it"
            )
        set_once = object.__setattr__
        set_once(self, "name", name)
        set_once(self, "package", package if isinstance(package, Package) else Package.load(package))
        set_once(self, "reads", reads)
        set_once(self, "settings", MappingProxyType({**self.package.settings, **(settings or {})}))

        self._check()

    def _check(self) -> None:
        try:
            json.dumps(dict(self.settings))
        except (TypeError, ValueError) as error:
            raise PipelineError(
                f"found settings of the stage {self.name!r} that are no plain values ({error}), expected numbers, "
                "texts and lists: convert NumPy's numbers with float()"
            ) from error
        outputs = self.package.outputs
        steps = [step for tensor in (*self.package.inputs, *outputs) for step in tensor.processing]
        # bioimageio.spec adds ensure_dtype to every description; the graph's own dtypes say the same.
        if beside := [step for step in steps if step != "ensure_dtype"]:
            raise PipelineError(
                f"found {self.package.name!r} with {', '.join(beside)} described beside its graph, expected all "
                "processing inside: it is not carried out live yet, so export the network with it"
            )
        if len(outputs) != 1:
            raise PipelineError(
                f"found {self.package.name!r} with {len(outputs)} outputs, expected 1: several outputs do not run live "
                "yet, so export the network with one"
            )

    def message(self) -> dict[str, Any]:
        """All that the worker needs to know of the stage."""
        source, target = self.package.inputs[0], self.package.outputs[0]
        return {
            "name": self.name,
            "graph": str(self.package.weights.resolve()),
            "sha256": self.package.weights_sha256,
            "package": self.package.package_sha256,
            "reads": self.reads,
            "input_axes": list(source.axes),
            "output_axes": list(target.axes),
            "settings": dict(self.settings),
        }


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in the order in which they run, on windows of `window` consecutive frames (1: every frame by itself)."""

    stages: tuple[Stage, ...]
    window: int = 1

    def __init__(self, stages: Sequence[Stage], window: int = 1) -> None:
        object.__setattr__(self, "stages", tuple(stages))
        object.__setattr__(self, "window", window)
        if not self.stages or window < 1:
            raise PipelineError(
                f"found {len(self.stages)} stages and a window of {window}, expected at least 1 of each"
            )
        images: dict[str, bool] = {FRAME: True}
        for stage in self.stages:
            if stage.name in images:
                raise PipelineError(f"found two stages named {stage.name!r}, expected different names: rename one")
            if not images.get(stage.reads):
                readable = ", ".join(name for name, image in images.items() if image)
                raise PipelineError(
                    f"found the stage {stage.name!r} reading {stage.reads!r}, expected one of {readable}: stages read "
                    "the raw frame or the image of an earlier stage"
                )
            axes = stage.package.outputs[0].axes
            images[stage.name] = not decoder(axes, stage.settings).columns

    @classmethod
    def load(cls, path: str | Path) -> Pipeline:
        """Read a pipeline's YAML; packages are found beside it, or among the shipped ones.

        Raises PipelineError with the line at fault, or PackageError.
        """
        from ._pipeline_file import read_pipeline

        return read_pipeline(Path(path))

    def messages(self) -> list[dict[str, Any]]:
        """The stages as the worker needs them."""
        return [stage.message() for stage in self.stages]
