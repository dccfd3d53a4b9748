"""Versions of packages whose private parts are used: others may keep things elsewhere, which would fail obscurely."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from onscope.runtime import SourceError

KNOWN: Mapping[str, tuple[str, str]] = {"mmpycorex": ("0.3.16", "0.3.17"), "pymmcore-plus": ("0.18.1", "0.19")}
"""By package, the first version that was read and the first that may differ; pyproject.toml has the same."""


def check_version(package: str) -> None:
    """Raises SourceError when the package is not there, or not one of the versions whose private parts are known."""
    first, beyond = KNOWN[package]
    try:
        found = version(package)
    except PackageNotFoundError:
        found = ""
    if not found or not _numbers(first) <= _numbers(found) < _numbers(beyond):
        here = f"{package} {found}" if found else f"no {package}"
        raise SourceError(
            f"found {here}, expected {first} or later but before {beyond} (private parts of it are used): "
            "pip install 'onscope[micromanager]' brings it"
        )


def _numbers(of: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", of)[:3])
