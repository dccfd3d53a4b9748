"""What a wheel says of itself, read from the file; nothing of it is run."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from ._errors import BundleError


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's file, its project's normalised name, version, requirements and extras."""

    path: Path
    name: str
    version: Version
    requires: tuple[Requirement, ...]
    extras: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Wheel:
        """Read a wheel; raises BundleError when it is none."""
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
            with zipfile.ZipFile(path) as archive:
                inside = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
                told = HeaderParser().parsestr(archive.read(inside).decode())
            requires = tuple(Requirement(line) for line in told.get_all("Requires-Dist", []))
        except (ValueError, zipfile.BadZipFile, StopIteration, OSError) as error:
            raise BundleError(f"found {path.name}, which is no whole wheel ({error}): fetch it again") from error
        extras = frozenset(canonicalize_name(each) for each in told.get_all("Provides-Extra", []))
        return cls(path, name, version, requires, extras)

    @property
    def anywhere(self) -> bool:
        """Whether every platform can install it."""
        return self.path.name.endswith("-none-any.whl")

    def needs(self, extras: Iterable[str], markers: Mapping[str, str]) -> Iterator[Requirement]:
        """What it needs with these extras, where the markers hold."""
        asked = ["", *extras]
        for each in self.requires:
            if each.marker is None or any(each.marker.evaluate({**markers, "extra": extra}) for extra in asked):
                yield each
