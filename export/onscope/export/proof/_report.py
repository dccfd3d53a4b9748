"""What an export was: route, versions, hashes and the proof, as a value with two renderings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._parity import Parity


@dataclass(frozen=True, slots=True)
class Report:
    """One finished export. `folder` is the package; `route` where the network came from; `exporter` what made the ONNX.

    `parameters` is the number of trained values, `weights_bytes` the size of the ONNX file, `source_sha256` the hash
    of the file that the weights came from (None: a network in memory), `notes` what happened on the way.
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

    @property
    def passed(self) -> bool:
        """Whether every comparison passed; a package is written only then."""
        return bool(self.parity) and all(one.passed for one in self.parity)

    def to_json(self) -> str:
        """All of it as a JSON document; the folder by its name alone."""
        content: dict[str, Any] = {
            "name": self.name,
            "package": self.folder.name,
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
            "parity": [one.to_json() for one in self.parity],
        }
        return json.dumps(content, indent=2)

    def to_markdown(self) -> str:
        """A section for the package's documentation, with the numbers of the proof."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [
            "## Validation of the export",
            "",
            f"Exported from {self.route} by {self.exporter} (opset {self.opset}, IR {self.ir_version}; {versions}). "
            "The network and the exported file ran on the same pixels; errors are relative to the range of the "
            "network's output.",
            "",
            "| output | input | y x x | largest error | 99.9th percentile | pixels that differ | points |",
            "|---|---|---|---|---|---|---|",
            *(_row(one) for one in self.parity),
        ]
        lines += ["", *(f"- {note}" for note in self.notes)] if self.notes else []
        return "\n".join(lines) + "\n"


def _row(one: Parity) -> str:
    differing = "" if one.differing is None else f"{one.differing:.3%} by 1 count" if one.differing else "none"
    points = "" if one.rows is None else str(one.rows)
    return (
        f"| {one.output} | {one.where} | {one.size[0]} x {one.size[1]} | {one.max_relative:.1e} | "
        f"{one.p999_relative:.1e} | {differing} | {points} |"
    )
