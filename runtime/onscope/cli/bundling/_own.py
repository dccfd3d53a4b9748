"""onscope's own wheel: built where its sources are, or fetched."""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from importlib.metadata import version
from pathlib import Path

from . import _pip
from ._errors import BundleError
from ._target import Target
from ._wheel import Wheel

SOURCE = Path(__file__).resolve().parents[4]


def own_source() -> Path | None:
    """The folder of onscope's sources that this program runs from; None: it was installed from a wheel."""
    project = SOURCE / "pyproject.toml"
    try:
        named = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, KeyError, ValueError):
        return None
    return SOURCE if named == "onscope" else None


def own_wheel(given: Path | None, into: Path, target: Target) -> Wheel:
    """onscope's wheel in a folder: of `given` (a wheel, or a source folder), of the sources here, or as it is here.

    Raises BundleError when there is none.
    """
    what = given or own_source()
    with tempfile.TemporaryDirectory(dir=into.parent, prefix=".own-") as folder:
        here = Path(folder)
        if what is not None and what.is_file():
            shutil.copy(what, here)
            why = ""
        elif what is not None:
            why = _pip.build(str(what), here)
        else:
            why = _pip.download([f"onscope=={version('onscope')}"], here, target, None)
        made = sorted(here.glob("*.whl"))
        if why or len(made) != 1:
            raise BundleError(
                f"found no wheel of onscope ({why or f'{len(made)} files'}), expected one: name a wheel or a source "
                "folder with --onscope"
            )
        wheel = Wheel.read(made[0])
        if wheel.name != "onscope":
            raise BundleError(f"found a wheel of {wheel.name} in {made[0].name}, expected one of onscope")
        made[0].rename(into / made[0].name)
    return Wheel.read(into / made[0].name)


def pins_of(given: Path | None) -> Path | None:
    """The constraints: those that are given, or the ones beside the sources."""
    if given is not None:
        if not given.is_file():
            raise BundleError(f"found no file {given}, expected constraints of pip")
        return given
    source = own_source()
    pins = None if source is None else source / "constraints.txt"
    return pins if pins is not None and pins.is_file() else None
