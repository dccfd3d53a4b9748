"""How far a package's answers can be looked at: whether they are its input restored, and what is usual for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import PackageError
from ..trust import Reference, reference_from, restores

if TYPE_CHECKING:
    from ._package import Package

MOST_BYTES = 64 << 20
"""Of test tensors that are read to see whether a package restores its input."""


def read_trust(content: Mapping[str, Any]) -> Reference | None:
    """`config.onscope.trust` of a description; None where it has none. Raises PackageError."""
    config = content.get("config")
    own = config.get("onscope") if isinstance(config, Mapping) else None
    stated = own.get("trust") if isinstance(own, Mapping) else None
    return None if stated is None else reference_from(stated)


def restores_its_input(package: Package) -> bool:
    """Whether the first answer is the first input restored, in the same counts: seen from the test tensors.

    Packages that map their answer back (`denormalise`) do; those without test tensors do not say.
    """
    if "values" in dict(package.settings.get("denormalise") or {}).values():
        return True
    tests: Sequence[Path] = (*package.test_inputs[:1], *package.test_outputs[:1])
    if len(tests) < 2 or sum(path.stat().st_size for path in tests) > MOST_BYTES:
        return False
    try:
        given, answer = package.load_test_inputs()[0].squeeze(), package.load_test_outputs()[0].squeeze()
    except PackageError:  # told by who validates the package
        return False
    return given.dtype.kind in "uif" and answer.dtype.kind in "uif" and restores(given, answer)
