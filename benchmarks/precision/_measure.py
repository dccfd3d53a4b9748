"""Each shipped package: reduced, held against the truth, and timed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from onscope.export.precision import VariantReport, reduce_package
from onscope.runtime import Package

from .._rows import Row
from . import _speed
from ._plan import Plan
from ._quality import KINDS, UNITS, Quality, calibrating

NAMES = tuple(UNITS)
PRECISIONS = ("int8", "fp16")
SHARES = {
    "image": "of what it changes",
    "points": "short of F1 = 1",
    "labels": "short of IoU = 1",
    "values": "of the range",
}


def measure(plan: Plan, names: Sequence[str] = NAMES, tell: Callable[[str], object] = print) -> list[Row]:
    """Every named package, one after the other; files go to a temporary folder."""
    with tempfile.TemporaryDirectory() as temporary:
        rows: list[Row] = []
        for name in names:
            rows += _package(plan, name, Path(temporary, name), tell)
        return rows


def _package(plan: Plan, name: str, folder: Path, tell: Callable[[str], object]) -> Iterator[Row]:
    tell(f"reducing {name}")
    reports = reduce_package(
        Package.load(f"zoo/{name}"), PRECISIONS, folder / "reduced", calibrating(name, plan.calibrating),
        limit_s=plan.search_s, rounds=1,
    )  # fmt: skip
    package = Package.load(folder / "reduced")
    for report in reports:
        yield _error(name, report)
    for kind in KINDS:
        tell(f"measuring {name} on {kind} frames")
        quality = Quality(name, kind, plan.count)
        whole = quality.of(package.weights)
        for variant in package.variants.values():
            own = quality.of(variant.weights)
            yield Row(
                f"{name} in {variant.precision} against the truth, {plan.count} {kind} frames",
                _value(own, UNITS[name]),
                f"{_value(whole, UNITS[name])} in float",
                detail={"unit": UNITS[name], "variant": own, "float": whole, "difference": own - whole},
            )
    tell(f"timing {name}")
    yield from _speed.measure(plan, name, package, folder)


def _error(name: str, report: VariantReport) -> Row:
    (one,) = report.measured
    (wholly,) = report.wholly
    kept = f"{len(report.kept)} of {report.layers} layers in float"
    return Row(
        f"{name} in {report.precision}, {kept}: difference to float (wholly reduced: {wholly.error:.1%})",
        f"{one.error:.2%} {SHARES[one.kind]}",
        "",
        round(one.error / one.limit, 3),
        f"at most {one.limit:.0%}",
        report.passes,
        report.to_json(),
    )


def _value(value: float, unit: str) -> str:
    return f"{value:.2f} dB" if unit == "dB" else f"F1 {value:.3f}"
