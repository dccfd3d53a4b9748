"""The mounted core as pycro-manager knows cores, in this process.

pycro-manager's Python backend makes its own core and keeps it in a list of mmpycorex. There is no public way to bring
another one, so private parts are used here and nowhere else: `mmpycorex.launcher._PYMMCORES` (what
`pycromanager.Core()` gives), `_camel_to_snake` and `TaggedImage` of the same module, and `Engine(core)` of
pycromanager's acquisition engine. Read in mmpycorex 0.3.16 and pycromanager 1.0.2, to which pyproject.toml and
constraints.txt hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

from onscope.runtime import SourceError

from ..micromanager._core import forget_engine, need, stop_core
from ._core import SpecimenCore

ENGINE = "pycromanager.acquisition.acq_eng_py.internal.engine"


class PycroCore:
    """A SpecimenCore with the names of `pycromanager.Core()` (`snap_image` for `snapImage`); those of pymmcore-plus
    work too.

    `mmc` is the core behind it. What a core does not know (a KeyError of pymmcore-plus) is a RuntimeError, as from
    Micro-Manager's core.
    """

    def __init__(self, mmc: SpecimenCore) -> None:
        launcher = need("mmpycorex.launcher")
        self.mmc = mmc
        self.TaggedImage = launcher.TaggedImage
        self._names = {launcher._camel_to_snake(name): name for name in dir(mmc) if not name.startswith("_")}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.mmc, self._names.get(name, name))
        if callable(found):
            found = _as_core(found)
            setattr(self, name, found)
        return found

    def get_config_data(self, group: str, preset: str) -> Any:
        """Micro-Manager's own Configuration object, which pycro-manager's engine walks through."""
        return self.mmc.getConfigData(group, preset, native=True)

    def pop_next_tagged_image(self) -> Any:
        """The oldest image of the running sequence, with its tags as text."""
        pixels, tags = self.mmc.pop_with_tags()
        return self.TaggedImage(tags, pixels)

    def get_tagged_image(self, cam_index: int, camera: str, height: int, width: int, **_: Any) -> Any:
        """The snapped image, with the tags that pycro-manager's Python backend writes and the camera's own."""
        pixels = self.mmc.getImage()
        tags = {
            "Camera": camera,
            "Height": height,
            "Width": width,
            "PixelType": f"GRAY{8 * pixels.itemsize}",
            "CameraChannelIndex": cam_index,
            **self.mmc.snap_tags(),
        }
        return self.TaggedImage(tags, pixels)


def lend(mmc: SpecimenCore) -> PycroCore:
    """Let `pycromanager.Core()` and `Acquisition` in this process find this core, until `take_back`.

    Raises SourceError when another core runs in this process: pycro-manager knows one.
    """
    need("pycromanager")
    if need("mmpycorex").is_pymmcore_active():
        raise SourceError(
            "found a Micro-Manager core running in this process, expected none (pycro-manager knows one): leave the "
            "other `with` block first"
        )
    forget_engine()
    face = PycroCore(mmc)
    import_module("mmpycorex.launcher")._PYMMCORES.append(face)
    import_module(ENGINE).Engine(face)
    return face


def take_back() -> None:
    """Stop what runs, unload all devices, end pycro-manager's engine; nothing to do when no core is lent."""
    stop_core()


def _as_core(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def asked(*args: Any, **options: Any) -> Any:
        try:
            return call(*args, **options)
        except (KeyError, TypeError, AttributeError) as error:
            raise RuntimeError(str(error).strip("\"'")) from error

    return asked
