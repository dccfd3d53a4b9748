"""An answer that was computed again, held against the recorded one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ...package import Package, Tolerance, agree

Array = npt.NDArray[Any]
MEASURED = Tolerance(relative=1e-5, absolute=1e-4)
"""By how much measured numbers of the same labels may differ on another machine."""
Verdict = Literal["identical", "within", "off"]


@dataclass(frozen=True, slots=True)
class Compared:
    """`largest` is the largest difference of two values; `words` say what is off."""

    verdict: Verdict
    largest: float = 0.0
    words: str = ""


def compare_images(recorded: Array, computed: Array, package: Package) -> Compared:
    """Of the same shape and dtype bit by bit, else within the package's tolerance (NaN is NaN)."""
    if recorded.shape != computed.shape or recorded.dtype != computed.dtype:
        shapes = [f"{'x'.join(map(str, each.shape))} {each.dtype}" for each in (recorded, computed)]
        return Compared("off", np.inf, f"{shapes[0]} recorded, {shapes[1]} computed")
    if recorded.tobytes() == computed.tobytes():
        return Compared("identical")
    return _near(recorded.astype(np.float64), computed.astype(np.float64), package.tolerances[0])


def compare_columns(recorded: Mapping[str, Array], computed: Array, package: Package | None) -> Compared:
    """The rows of one result of a stage of the host: `computed` is structured, its columns have their own dtypes.

    Without a package, as of measured objects, what is not the same to the bit may differ by MEASURED.
    """
    names = computed.dtype.names or ()
    if lacking := [name for name in names if name not in recorded]:
        return Compared("off", np.inf, f"no columns {', '.join(lacking)} recorded, though computed")
    if any(len(recorded[name]) != len(computed) for name in names):
        return Compared("off", np.inf, f"{len(recorded[names[0]])} objects recorded, {len(computed)} computed")
    then = [np.asarray(recorded[name]).astype(computed.dtype[name]) for name in names]
    if all(column.tobytes() == computed[name].tobytes() for column, name in zip(then, names, strict=True)):
        return Compared("identical")
    now = [computed[name] for name in names]
    tables = [np.stack([np.asarray(each, np.float64) for each in columns]) for columns in (then, now)]
    return _near(tables[0], tables[1], MEASURED if package is None else package.tolerances[0])


def compare_tables(recorded: Mapping[str, Array], computed: Array, names: Sequence[str], package: Package) -> Compared:
    """The rows of one result: `computed` is (rows, columns), `names` its columns. Points that differ are paired."""
    if lacking := [name for name in names if name not in recorded]:
        return Compared("off", np.inf, f"no columns {', '.join(lacking)} recorded, though computed")
    table = np.stack([np.asarray(recorded[name]).astype(computed.dtype) for name in names], axis=1)
    if table.shape == computed.shape and table.tobytes() == np.ascontiguousarray(computed).tobytes():
        return Compared("identical")
    if package.settings.get("decode") in ("points", "peaks"):
        settings = {**package.settings, "decode": "points", "columns": tuple(names)}
        found = agree("", table, computed.dtype.name, computed, package.tolerances[0], settings)
        return Compared("within" if found.passed else "off", found.max_abs, found.words)
    if table.shape != computed.shape:
        return Compared("off", np.inf, f"{len(table)} objects recorded, {len(computed)} computed")
    return _near(table.astype(np.float64), computed.astype(np.float64), package.tolerances[0])


def _near(recorded: Array, computed: Array, tolerance: Tolerance) -> Compared:
    both_nan = np.isnan(recorded) & np.isnan(computed)
    error = np.where(both_nan, 0.0, np.abs(computed - recorded))
    within = error <= tolerance.absolute + tolerance.relative * np.abs(np.where(both_nan, 0.0, recorded))
    largest, off = float(np.nanmax(error, initial=0.0)), int(np.sum(~within))
    if off * 1e6 <= tolerance.off_per_million * error.size:
        return Compared("within", largest)
    return Compared("off", largest, f"{off:,} of {error.size:,} values differ, by {largest:.3g} at most")
