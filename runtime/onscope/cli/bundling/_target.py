"""The machine that a bundle is for: which wheels it can install, and what requirements' markers say there."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ._errors import BundleError

NEWEST_GLIBC = 35
"""Of Ubuntu 22.04 and JetPack 6: wheels that need a newer one are not taken."""


@dataclass(frozen=True, slots=True)
class Platform:
    """Tags of its wheels, the best first, and what PEP 508 calls it."""

    tags: tuple[str, ...]
    markers: Mapping[str, str]


def _linux(machine: str, oldest_glibc: int, legacy: tuple[str, ...]) -> Platform:
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, oldest_glibc - 1, -1)]
    tags += [f"{name}_{machine}" for name in (*legacy, "linux")]
    return Platform(tuple(tags), _markers("posix", "linux", "Linux", machine))


def _macos(machine: str, tags: tuple[str, ...]) -> Platform:
    return Platform(tags, _markers("posix", "darwin", "Darwin", machine))


def _markers(os_name: str, sys_platform: str, system: str, machine: str) -> Mapping[str, str]:
    told = {"os_name": os_name, "sys_platform": sys_platform, "platform_system": system, "platform_machine": machine}
    return MappingProxyType(told)


PLATFORMS: dict[str, Platform] = {
    "linux": _linux("x86_64", 5, ("manylinux2014", "manylinux2010", "manylinux1")),
    "linux-arm64": _linux("aarch64", 17, ("manylinux2014",)),
    "windows": Platform(("win_amd64",), _markers("nt", "win32", "Windows", "AMD64")),
    "macos-arm64": _macos(
        "arm64",
        (*(f"macosx_{n}_0_{kind}" for n in (14, 13, 12, 11) for kind in ("arm64", "universal2")),),
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A platform (a name out of PLATFORMS) and a Python, as "3.11". Raises BundleError for others."""

    platform: str
    python: str

    def __post_init__(self) -> None:
        if self.platform not in PLATFORMS:
            raise BundleError(f"found the platform {self.platform!r}, expected one of {', '.join(PLATFORMS)}")
        if not re.fullmatch(r"3\.\d{1,2}", self.python):
            raise BundleError(f"found the Python {self.python!r}, expected a version such as 3.11")

    @classmethod
    def of(cls, platform: str | None, python: str | None) -> Target:
        """The one that options name; what they leave out is as here."""
        return cls(platform or _here(), python or _python_here())

    @property
    def is_here(self) -> bool:
        """Whether this Python on this machine is one."""
        return self.platform == _here() and self.python == _python_here()

    @property
    def pip_options(self) -> list[str]:
        """What tells pip to take wheels for it."""
        if self.is_here:
            return []
        platforms = [word for tag in PLATFORMS[self.platform].tags for word in ("--platform", tag)]
        return [*platforms, "--python-version", self.python, "--implementation", "cp"]

    @property
    def markers(self) -> dict[str, str]:
        """What requirements' markers are asked with there. pip itself asks with those of the machine it runs on."""
        told = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
        told |= {"python_version": self.python, "python_full_version": f"{self.python}.0"}
        told |= {"implementation_version": f"{self.python}.0", "platform_release": "", "platform_version": ""}
        return told | dict(PLATFORMS[self.platform].markers)


def _python_here() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def _here() -> str:
    for name, known in PLATFORMS.items():
        if known.markers["sys_platform"] == sys.platform and known.markers["platform_machine"] == platform.machine():
            return name
    raise BundleError(
        f"found {sys.platform} on {platform.machine()}, for which there is no name: say --platform, one of "
        f"{', '.join(PLATFORMS)}"
    )
