"""What an export was: route, versions, hashes and the proof, as a value with two renderings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._metrics import Metric
from ._parity import MAX_LIMIT, P999_LIMIT, Parity

PICTURE = "export.png"
"""Name of the picture of the proof inside a package."""


OWN = "its own test output"
"""Where a comparison with what the source says of itself comes from; it has a tolerance of its own."""


def account(parity: Sequence[Parity]) -> str:
    """How far apart network and export are at most, with the limits."""
    compared = [one for one in parity if one.where != OWN]
    floats = [one for one in compared if one.differing is None]
    words = []
    if largest := max((one.max_relative for one in floats), default=0.0):
        p999 = max(one.p999_relative for one in floats)
        words.append(
            f"largest error {largest:.1e} of its range (limit {MAX_LIMIT:g}), 99.9th percentile at most {p999:.1e} "
            f"(limit {P999_LIMIT:g})"
        )
    if share := max((one.differing or 0.0 for one in compared), default=0.0):
        words.append(f"at most 1 count, in at most {100 * share:.2g} % of the pixels")
    return "; ".join(words) or "no value differs"


@dataclass(frozen=True, slots=True)
class Report:
    """One finished export. `folder` is the package; `route` where the network came from; `exporter` what made the ONNX.

    `parameters` is the number of trained values, `weights_bytes` the size of the ONNX file, `source_sha256` the hash
    of the file that the weights came from (None: a network in memory), `notes` what happened on the way. `metrics` say
    what the errors mean for the answers to the test tensor and the user's frames.
    """

    name: str
    folder: Path
    route: str
    exporter: str
    opset: int
    ir_version: int
    parameters: int
    weights_bytes: int
    weights_sha256: str
    source_sha256: str | None
    versions: Mapping[str, str]
    parity: tuple[Parity, ...]
    notes: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every comparison is within its limits; a package is written only then, unless it is forced."""
        return bool(self.parity) and all(one.passed for one in self.parity) and all(one.passed for one in self.metrics)

    @property
    def verdict(self) -> str:
        """One sentence, the first that people should read."""
        wrong = [(one.output, one.where) for one in self.parity if not one.passed]
        wrong += [(one.output, one.where) for one in self.metrics if not one.passed]
        if wrong or not self.parity:
            words = "; ".join(dict.fromkeys(f"{output} on {where}" for output, where in wrong[:3]))
            return f"NOT equal to the network: {len(wrong)} comparisons are beyond their limits ({words})"
        return f"equal to the network: {account(self.parity)}"

    def to_json(self) -> str:
        """All of it as a JSON document; the folder by its name alone."""
        content: dict[str, Any] = {
            "name": self.name,
            "package": self.folder.name,
            "verdict": self.verdict,
            "route": self.route,
            "exporter": self.exporter,
            "opset": self.opset,
            "ir_version": self.ir_version,
            "parameters": self.parameters,
            "weights_bytes": self.weights_bytes,
            "weights_sha256": self.weights_sha256,
            "source_sha256": self.source_sha256,
            "versions": dict(self.versions),
            "notes": list(self.notes),
            "passed": self.passed,
            "limits": {"max_relative": MAX_LIMIT, "p999_relative": P999_LIMIT},
            "parity": [one.to_json() for one in self.parity],
            "metrics": [one.to_json() for one in self.metrics],
            "picture": PICTURE,
        }
        return json.dumps(content, indent=2)

    def to_markdown(self) -> str:
        """A section for the package's documentation, with the numbers of the proof."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [
            f"## Validation of the export{'' if self.passed else ': NOT equal'}",
            "",
            f"**The export is {self.verdict}.**" + ("" if self.passed else " It was forced; do not trust its answers."),
            "",
            f"Exported from {self.route} by {self.exporter} (opset {self.opset}, IR {self.ir_version}; {versions}). "
            "The network and the exported file ran on the same pixels; errors are relative to the range of the "
            "network's output.",
            "",
            "| output | input | y x x | largest error | 99.9th percentile | pixels that differ | points |",
            "|---|---|---|---|---|---|---|",
            *(_row(one) for one in self.parity),
        ]
        if self.metrics:
            lines += [
                "",
                "What that means for the answers, behind all steps:",
                "",
                "| output | input | metric | value | at least | of |",
                "|---|---|---|---|---|---|",
                *(_metric_row(one) for one in self.metrics),
            ]
        lines += ["", *(f"- {note}" for note in self.notes)] if self.notes else []
        lines += ["", f"![Input, the network's output, the export's, their difference, and all errors]({PICTURE})"]
        return "\n".join(lines) + "\n"


def _row(one: Parity) -> str:
    differing = "" if one.differing is None else f"{one.differing:.3%} by 1 count" if one.differing else "none"
    points = "" if one.rows is None else str(one.rows)
    return (
        f"| {one.output} | {one.where} | {one.size[0]} x {one.size[1]} | {one.max_relative:.1e}"
        f"{'' if one.passed else ' **beyond**'} | {one.p999_relative:.1e} | {differing} | {points} |"
    )


def _metric_row(one: Metric) -> str:
    value = one.words if one.passed else f"**{one.words}**"
    return f"| {one.output} | {one.where} | {one.name} | {value} | {one.least} | {one.note} |"
