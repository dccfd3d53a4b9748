"""All wheels that a machine needs, found wave by wave from what each wheel says.

pip fetches wheels for another machine, but asks their markers (`; sys_platform == "win32"`) about this one: what is
needed there alone would be missing. So it fetches wheels alone, and what they need is worked out here. Pins leave
nothing to choose; where two requirements do not go together, that is said.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from . import _pip
from ._errors import BundleError
from ._target import Target
from ._wheel import Wheel

Tell = Callable[[str], object]


def gather(
    own: Wheel, extras: Iterable[str], target: Target, into: Path, constraints: Path | None, tell: Tell = len
) -> list[Wheel]:
    """Fetch what `own` with these extras needs on the target into a folder; returns all wheels by name, `own` first.

    `own` is in the folder already. Raises BundleError: an extra that it has not, a wheel that is nowhere, or
    requirements that do not go together.
    """
    wanted = {canonicalize_name(extra) for extra in extras}
    if unknown := sorted(wanted - own.extras):
        raise BundleError(f"found the extra {', '.join(unknown)}, expected some of {', '.join(sorted(own.extras))}")
    search = _Search(target, into, constraints, tell)
    search.take(own)
    search.want(Requirement(f"{own.name}[{','.join(sorted(wanted))}]" if wanted else own.name), "the bundle")
    search.run()
    return [own, *sorted((each for each in search.wheels.values() if each is not own), key=lambda each: each.name)]


class _Search:
    def __init__(self, target: Target, into: Path, constraints: Path | None, tell: Tell) -> None:
        self.wheels: dict[str, Wheel] = {}
        self._target, self._into, self._constraints, self._tell = target, into, constraints, tell
        self._extras: dict[str, set[str]] = {}
        self._wanted: dict[str, list[tuple[SpecifierSet, str]]] = {}
        self._fresh: list[str] = []
        """Names whose requirements are to be looked at, again where it is with more extras."""

    def take(self, wheel: Wheel) -> None:
        self.wheels[wheel.name] = wheel

    def want(self, need: Requirement, whose: str) -> None:
        if need.url is not None:
            raise BundleError(f"found {need} needed by {whose}, expected a version and no address: pin it")
        name = canonicalize_name(need.name)
        known, extras = self._extras.get(name), {canonicalize_name(extra) for extra in need.extras}
        if known is None or not extras <= known:
            self._extras[name] = (known or set()) | extras
            self._fresh.append(name)
        self._wanted.setdefault(name, []).append((need.specifier, whose))

    def run(self) -> None:
        while self._fresh:
            missing = sorted({name for name in self._fresh if name not in self.wheels})
            if missing:
                self._tell(f"{len(self.wheels)} wheels; fetching {', '.join(missing)}")
                self._fetch(missing)
            names, self._fresh = list(dict.fromkeys(self._fresh)), []
            for name in names:
                wheel = self.wheels[name]
                for need in wheel.needs(self._extras[name], self._target.markers):
                    self.want(need, f"{wheel.name} {wheel.version}")
        self._check()

    def _fetch(self, names: list[str]) -> None:
        with tempfile.TemporaryDirectory(dir=self._into.parent, prefix=".wheels-") as folder:
            asked = [f"{name}{self._specifier(name)}" for name in names]
            if _pip.download(asked, Path(folder), self._target, self._constraints):
                for each in asked:  # one of them is no wheel: which?
                    self._fetch_one(each, Path(folder))
            for path in sorted(Path(folder).glob("*.whl")):
                path.rename(self._into / path.name)
                self.take(Wheel.read(self._into / path.name))
        if absent := [name for name in names if name not in self.wheels]:
            raise BundleError(f"found no wheel of {', '.join(absent)} after fetching, expected one of each")

    def _fetch_one(self, asked: str, folder: Path) -> None:
        why = _pip.download([asked], folder, self._target, self._constraints)
        if not why:
            return
        before = set(folder.glob("*.whl"))
        built = not _pip.build(asked, folder, self._constraints)  # of plain Python, it is one for every machine
        made = [Wheel.read(path) for path in set(folder.glob("*.whl")) - before]
        if not built or not all(wheel.anywhere or self._target.is_here for wheel in made):
            target = self._target
            raise BundleError(
                f"found no wheel of {asked} for Python {target.python} on {target.platform} ({why}): leave out the "
                "extra that needs it, or name another platform or Python"
            )

    def _specifier(self, name: str) -> str:
        return ",".join(dict.fromkeys(str(each) for specifiers, _ in self._wanted[name] for each in specifiers))

    def _check(self) -> None:
        for name, wanted in self._wanted.items():
            version = self.wheels[name].version
            for specifiers, whose in wanted:
                if not specifiers.contains(version, prereleases=True):
                    raise BundleError(
                        f"found {name} {version}, expected {name}{specifiers} as {whose} needs: pin both in the "
                        "constraints to versions that go together"
                    )
