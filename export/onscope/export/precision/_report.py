"""The account of one variant: what stayed in float, how far off it is, how fast it is and where."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ._judge import Measured
from ._speed import Timed

HEADING = "## Variants"
FRAMES = {
    "image": "of what the network changes",
    "points": "missing to an F1 of 1",
    "labels": "missing to a mean IoU of 1",
    "values": "of the output's range",
}
"""What an error is a share of, by the kind of output."""


@dataclass(frozen=True, slots=True)
class VariantReport:
    """One variant. `kept` are layers that stayed in float by measurement, `small` those that cost next to nothing.

    `layers` is how many were worth reducing; `overflow` are nodes beyond half precision's numbers, with the largest
    number seen. `wholly` are the errors with all layers reduced, `measured` those of what was written.
    """

    precision: str
    weights_bytes: int
    weights_sha256: str
    float_bytes: int
    opset: int
    layers: int
    kept: tuple[str, ...]
    small: tuple[str, ...]
    overflow: Mapping[str, float]
    calibrated: int
    measured_on: int
    source: str
    frames_sha256: str
    wholly: tuple[Measured, ...]
    measured: tuple[Measured, ...]
    alone: tuple[tuple[tuple[str, ...], float], ...]
    trials: int
    speeds: Mapping[str, Timed]
    versions: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def passes(self) -> bool:
        """Whether every output is near enough to that of the float weights."""
        return all(each.passed for each in self.measured)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "precision": self.precision,
            "passes": self.passes,
            "weights_bytes": self.weights_bytes,
            "weights_sha256": self.weights_sha256,
            "float_bytes": self.float_bytes,
            "opset": self.opset,
            "layers": self.layers,
            "kept_float": list(self.kept),
            "small_layers": list(self.small),
            "overflow": {name: _number(value) for name, value in self.overflow.items()},
            "calibration": self._calibration(),
            "measured_on": self.measured_on,
            "errors_wholly": [_error(each) for each in self.wholly],
            "errors": [_error(each) for each in self.measured],
            "alone": [{"layers": list(names), "error_of_limit": _number(error)} for names, error in self.alone],
            "trials": self.trials,
            "speed": {engine: timed.to_json() for engine, timed in self.speeds.items()},
            "versions": dict(self.versions),
            "notes": list(self.notes),
        }

    def entry(self, source: str) -> dict[str, Any]:
        """What config.onscope.variants says of it; `source` is the file's name."""
        return {
            "source": source,
            "sha256": self.weights_sha256,
            "opset_version": self.opset,
            "passes": self.passes,
            "kept_float": [*self.kept, *self.small],
            "calibration": self._calibration(),
            "errors": {each.output: _error(each) for each in self.measured},
            "speed": {engine: timed.to_json() for engine, timed in self.speeds.items()},
            "versions": dict(self.versions),
        }

    def _calibration(self) -> dict[str, Any]:
        return {"frames": self.calibrated, "source": self.source, "sha256": self.frames_sha256}


def as_json(reports: Sequence[VariantReport]) -> str:
    content = {"schema": 1, "variants": {report.precision: report.to_json() for report in reports}}
    return json.dumps(content, indent=2) + "\n"


def as_markdown(reports: Sequence[VariantReport]) -> str:
    """The section of a package's documentation."""
    lines = [HEADING, "", "The same network in fewer bits, held against the float weights on the same frames.", ""]
    lines += ["| variant | output | error | limit | reduced wholly | more | passes |", "|---|---|---|---|---|---|---|"]
    for report in reports:
        for one, wholly in zip(report.measured, report.wholly, strict=True):
            lines.append(
                f"| {report.precision} | {one.output} | {_percent(one.error)} {FRAMES[one.kind]} | "
                f"{_percent(one.limit)} | {_percent(wholly.error)} | {_words(one)} | {'yes' if one.passed else 'no'} |"
            )
    lines += ["", "| variant | engine | speed | float, ms | variant, ms | frame | machine |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for report in reports:
        for engine, timed in report.speeds.items():
            lines.append(
                f"| {report.precision} | {engine} | {timed.ratio:.2f} | {timed.float_ms:.2f} | {timed.variant_ms:.2f} "
                f"| {timed.size} | {timed.cpu}, {timed.cores} cores, load {timed.load:g} |"
            )
    for report in reports:
        lines += ["", *_about(report)]
    return "\n".join(lines) + "\n"


def _about(report: VariantReport) -> list[str]:
    kept = f"{len(report.kept)} of {report.layers} layers stayed in float by measurement"
    names = f" ({', '.join(report.kept)})" if report.kept else ""
    small = f"; {len(report.small)} more cost less than 2 % of the computing and stayed too" if report.small else ""
    size = f"{report.weights_bytes / 1e6:.2f} MB instead of {report.float_bytes / 1e6:.2f}"
    lines = [
        f"{report.precision}: {kept}{names}{small}. {size}, opset {report.opset}, sha256 "
        f"{report.weights_sha256[:12]}…. Ranges from {report.calibrated} frames ({report.source}), errors on "
        f"{report.measured_on}; {report.trials} ways were tried.",
    ]
    if report.overflow:
        most = ", ".join(f"{name} ({value:.3g})" for name, value in list(report.overflow.items())[:4])
        lines.append(f"- beyond half precision's 65504, so in float32: {most}")
    return [*lines, *(f"- {note}" for note in report.notes)]


def _words(one: Measured) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in one.numbers.items())


def _percent(share: float) -> str:
    return f"{share:.2%}" if math.isfinite(share) else "none"


def _error(one: Measured) -> dict[str, Any]:
    return {
        "output": one.output,
        "kind": one.kind,
        "error": _number(one.error),
        "limit": one.limit,
        "passed": one.passed,
        **{name: _number(value) for name, value in one.numbers.items()},
    }


def _number(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
