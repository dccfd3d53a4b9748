"""The account of one variant: what stayed in float, how far off it is, how fast it is and where."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
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


def as_json(variants: Mapping[str, Any]) -> str:
    """The account of all variants of a package, each as `VariantReport.to_json` has it, by precision."""
    return json.dumps({"schema": 1, "variants": dict(variants)}, indent=2) + "\n"


def as_markdown(variants: Mapping[str, Any]) -> str:
    """The section of a package's documentation."""
    lines = [HEADING, "", "The same network in fewer bits, held against the float weights on the same frames.", ""]
    lines += ["| variant | output | error | limit | reduced wholly | more | passes |", "|---|---|---|---|---|---|---|"]
    for name, one in variants.items():
        for error, wholly in zip(one["errors"], one["errors_wholly"], strict=True):
            lines.append(
                f"| {name} | {error['output']} | {_percent(error['error'])} {FRAMES[error['kind']]} | "
                f"{_percent(error['limit'])} | {_percent(wholly['error'])} | {_words(error)} | "
                f"{'yes' if error['passed'] else 'no'} |"
            )
    lines += ["", "| variant | engine | speed | float, ms | variant, ms | frame | machine |"]
    lines += ["|---|---|---|---|---|---|---|"]
    for name, one in variants.items():
        for engine, timed in one["speed"].items():
            lines.append(
                f"| {name} | {engine} | {timed['ratio']:.2f} | {timed['float_ms']:.2f} | {timed['variant_ms']:.2f} "
                f"| {timed['size']} | {timed['cpu']}, {timed['cores']} cores, load {timed['load']:g} |"
            )
    for name, one in variants.items():
        lines += ["", *_about(name, one)]
    return "\n".join(lines) + "\n"


def _about(name: str, one: Mapping[str, Any]) -> list[str]:
    kept, small, frames = one["kept_float"], one["small_layers"], one["calibration"]
    words = f"{len(kept)} of {one['layers']} layers stayed in float by measurement"
    words += f" ({', '.join(kept)})" if kept else ""
    words += f"; {len(small)} more cost less than 2 % of the computing and stayed too" if small else ""
    size = f"{one['weights_bytes'] / 1e6:.2f} MB instead of {one['float_bytes'] / 1e6:.2f}"
    tried = "1 way was" if one["trials"] == 1 else f"{one['trials']} ways were"
    lines = [
        f"{name}: {words}. {size}, opset {one['opset']}, sha256 {one['weights_sha256'][:12]}…. Ranges from "
        f"{frames['frames']} frame{'s' if frames['frames'] != 1 else ''} ({frames['source']}), errors on "
        f"{one['measured_on']}; {tried} tried.",
    ]
    if one["overflow"]:
        most = ", ".join(f"{node} ({'no number' if value is None else f'{value:.3g}'})"
                         for node, value in list(one["overflow"].items())[:4])  # fmt: skip
        lines.append(f"- beyond half precision's 65504, so in float32: {most}")
    return [*lines, *(f"- {note}" for note in one["notes"])]


def _words(error: Mapping[str, Any]) -> str:
    known = ("output", "kind", "error", "limit", "passed")
    return ", ".join(f"{name} {value:.4g}" for name, value in error.items() if name not in known and value is not None)


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.2%}"


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
