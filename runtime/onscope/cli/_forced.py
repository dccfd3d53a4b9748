"""Packages that were written although their export is not equal to the network: said before they are used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from onscope.runtime import Package


def warn_of_forced(console: Console, packages: Iterable[Package]) -> None:
    """A line for each of the packages whose export was forced."""
    for name in dict.fromkeys(package.name for package in packages if package.forced):
        words = (
            f"warning: {name} is NOT equal to the network that it was exported from: it was written with --force, so "
            "do not trust its answers"
        )
        console.print(words, style="bold red", highlight=False, markup=False, soft_wrap=True)
