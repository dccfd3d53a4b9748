"""The mounted core as pycro-manager knows cores, in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from onscope.runtime import SourceError

from ..micromanager._core import need, stop_core
from ..micromanager._mmpycorex import keep_core, snake_case, tagged_image
from ._core import SpecimenCore


class PycroCore:
    """A SpecimenCore with the names of `pycromanager.Core()` (`snap_image` for `snapImage`); those of pymmcore-plus
    work too.

    `mmc` is the core behind it. What a core does not know (a KeyError of pymmcore-plus) is a RuntimeError, as from
    Micro-Manager's core.
    """

    def __init__(self, mmc: SpecimenCore) -> None:
        self.mmc = mmc
        self.TaggedImage = tagged_image()
        self._names = {snake_case(name): name for name in dir(mmc) if not name.startswith("_")}

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

    Raises SourceError when another core runs in this process (pycro-manager knows one), or when mmpycorex is of a
    version whose private parts are not known.
    """
    need("pycromanager")
    if need("mmpycorex").is_pymmcore_active():
        raise SourceError(
            "found a Micro-Manager core running in this process, expected none (pycro-manager knows one): leave the "
            "other `with` block first"
        )
    face = PycroCore(mmc)
    keep_core(face)
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
