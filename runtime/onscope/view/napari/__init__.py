"""onscope in napari: a dock widget that shows a running experiment as layers, and recordings opened as layers.

napari finds both by `napari.yaml`. What needs Qt is imported when it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._reader import read_layers, reader_of

if TYPE_CHECKING:
    from ._widget import LiveView

MANIFEST = "napari.yaml"
__all__ = ["LiveView", "read_layers", "reader_of"]


def __getattr__(name: str) -> Any:
    if name == "LiveView":
        from ._widget import LiveView

        return LiveView
    if name == MANIFEST:  # named in the entry point, which others than npe2 load as any other
        return Path(__file__).with_name(MANIFEST)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
