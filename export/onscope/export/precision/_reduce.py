"""Make variants of a package in fewer bits, with proof: the conductor of the other files of this folder."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from onscope.runtime import ExportError, OnscopeError, Package
from onscope.runtime.engines import Session, open_session
from onscope.runtime.package import PRECISIONS

from .._folder import check_target
from .._original import Array, one_line
from ..frames import Given, Tell
from ._calibrate import Frames, frames_for
from ._half import halved, rounded, too_large
from ._judge import Judge
from ._network import floats, observe, read_network
from ._quantise import quantised
from ._report import VariantReport
from ._sensitive import Answers, Found, Search
from ._speed import ENGINES, ROUNDS, Timed, speeds
from ._write import write_variants
from ._zone import Zone, find_zone

if TYPE_CHECKING:
    from onnx import ModelProto

TOOLS = ("onscope", "onnx", "onnxruntime", "openvino")
LIMIT_S = 300.0


def reduce_package(
    package: Package,
    precisions: Sequence[str],
    target: str | Path | None = None,
    frames: Sequence[Given] = (),
    *,
    overwrite: bool = False,
    reduce_range: bool = False,
    limit: float | None = None,
    limit_s: float = LIMIT_S,
    rounds: int = ROUNDS,
    threads: int | None = None,
    tell: Tell = lambda step, done, total: None,
) -> tuple[VariantReport, ...]:
    """Write variants of a package ("fp16", "int8") into `target`, a copy of it; None: into its own folder.

    `frames` are those to calibrate with and to measure on (arrays, paths, sources by name); none: the package's test
    input. A variant that is
    too far off is written too, marked, and refused by the runtime. `limit` is how far off an image network may be, as a
    share of what it changes (None: LIMITS["image"]). `limit_s` bounds the search for sensitive layers of
    each variant, `rounds` the turns that speeds are measured in. `tell` hears what is done, and how much of it.

    Raises ExportError, PackageError or ProviderError, one sentence: nothing to reduce, no frames, frames that do not
    fit, a target that is taken.
    """
    unknown = [name for name in precisions if name not in PRECISIONS]
    if unknown or not precisions:
        raise ExportError(
            f"found the precisions {', '.join(unknown) or 'none'}, expected some of {', '.join(PRECISIONS)}"
        )
    folder = package.folder if target is None else Path(target)
    check_target(folder, overwrite or target is None)
    taken = frames_for(package, frames, tell)
    with tempfile.TemporaryDirectory() as temporary:
        made = Reduction(package, taken, Path(temporary), threads, tell, limit)
        found = {name: made.search(name, reduce_range, limit_s) for name in dict.fromkeys(precisions)}
        variants = {name: one.model for name, one in found.items()}
        timed = speeds(made.model, variants, made.judge.fed[0], threads, rounds, tell=tell)
        models = {name: one.model.SerializeToString(deterministic=True) for name, one in found.items()}
        reports = [made.report(name, found[name], models[name], timed[name]) for name in found]
        write_variants(package, folder, overwrite or target is None, models, reports)
    return tuple(reports)


class Reduction:
    """A package's network looked into on frames, ready to be reduced in several ways."""

    def __init__(
        self, package: Package, frames: Frames, folder: Path, threads: int | None, tell: Tell,
        limit: float | None = None,
    ) -> None:  # fmt: skip
        self._package, self._frames, self._folder, self._threads, self._tell = package, frames, folder, threads, tell
        self.model = read_network(package.weights)
        self._judge_on(open_session(package.weights, "cpu", threads), limit)
        self.zone: Zone = find_zone(self.model, {name: each.shape for name, each in self.seen.items()})
        if not self.zone.layers:
            raise ExportError(
                f"found no layer with weights in {package.name!r}, expected convolutions or products: there is nothing "
                "to reduce"
            )

    def _judge_on(self, session: Session, limit: float | None) -> None:
        package, frames = self._package, self._frames
        names = [spec.name for spec in session.inputs]
        step, measured = "running the float weights", len(frames.measured)
        total = len(frames.calibrating) + measured
        self._tell(step, 0, total)
        self.judge = Judge(package, frames.measured, session, limit, lambda done: self._tell(step, done, total))

        def feeds() -> Iterator[dict[str, Array]]:
            for number, frame in enumerate(frames.calibrating):
                self._tell(step, measured + number, total)
                yield dict(zip(names, self.judge.feed(frame, session), strict=True))

        self.seen = observe(self.model, floats(self.model), feeds())
        self._tell(step, total, total)

    def search(self, precision: str, reduce_range: bool = False, limit_s: float = LIMIT_S) -> Found:
        """The best variant of that precision; it may be too far off. Raises ExportError when nothing can be reduced."""
        zone, model = self.zone, self.model
        beyond = frozenset(too_large(model, zone, self.seen))
        if precision == "int8":
            layers = list(zone.layers)

            def make(kept: frozenset[str]) -> ModelProto:
                return quantised(model, zone, self.seen, kept, reduce_range)
        else:
            # A layer beyond the numbers of half precision stays in float, whatever else does.
            layers = [layer for layer in zone.layers if layer.name not in beyond]

            def make(kept: frozenset[str]) -> ModelProto:
                return rounded(model, zone, kept, beyond)

        if not layers:
            raise ExportError(
                f"found no layer of {self._package.name!r} that can be reduced to {precision}, expected some: take the "
                "float weights"
            )
        search = Search(
            make, self._measure, lambda step, done, total: self._tell(f"{precision}: {step}", done, total), limit_s
        )
        found = search.run(layers)
        return found if precision == "int8" else self._as_written(found, halved(model, zone, found.kept, beyond))

    def _as_written(self, found: Found, model: ModelProto) -> Found:
        """The graph with real half precision; its own numbers only where the CPU's are worse than rounding explains."""
        measured = self._measure(model)
        return replace(found, model=model, measured=found.measured if all(x.passed for x in measured) else measured)

    def _measure(self, model: ModelProto) -> Answers:
        path = self._folder / "trial.onnx"
        path.write_bytes(model.SerializeToString())
        try:
            return self.judge.measure(open_session(path, "cpu", self._threads))
        except OnscopeError as error:
            raise ExportError(f"found a variant that does not run: {one_line(error)}") from error

    def report(self, precision: str, found: Found, content: bytes, timed: Mapping[str, Timed]) -> VariantReport:
        """All that is known of a variant, as it is written."""
        beyond = too_large(self.model, self.zone, self.seen) if precision == "fp16" else {}
        notes = [*self._frames.notes]
        if self._package.forced:
            notes.append("the package's float weights are not equal to their network, and nor is this: it was forced")
        absent = [engine for engine in ENGINES if engine not in timed]
        notes += [f"speed not measured on {engine}: it is not here, or cannot run it" for engine in absent]
        if precision == "fp16":
            notes.append(
                "meant for GPUs; measured with every tensor rounded to half precision, as CPUs compute in float32"
            )
        opset = max(entry.version for entry in found.model.opset_import if entry.domain in ("", "ai.onnx"))
        return VariantReport(
            precision=precision,
            weights_bytes=len(content),
            weights_sha256=hashlib.sha256(content).hexdigest(),
            float_bytes=self._package.weights.stat().st_size,
            opset=opset,
            layers=len(self.zone.layers),
            kept=tuple(layer.name for layer in self.zone.layers if layer.name in found.kept),
            small=self.zone.left,
            overflow=beyond,
            calibrated=len(self._frames.calibrating),
            measured_on=len(self._frames.measured),
            source=self._frames.source,
            frames_sha256=self._frames.sha256,
            wholly=found.wholly,
            measured=found.measured,
            alone=found.alone,
            trials=found.trials,
            speeds=timed,
            versions=_versions(),
            notes=tuple(notes),
        )


def _versions() -> dict[str, str]:
    found = {}
    for tool in TOOLS:
        try:
            found[tool] = version(tool)
        except PackageNotFoundError:
            continue
    return found
