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
        return _live_view()
    if name == MANIFEST:  # named in the entry point, which others than npe2 load as any other
        return Path(__file__).with_name(MANIFEST)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _live_view() -> Any:
    try:
        from ._widget import LiveView
    except ImportError as error:
        if (error.name or "").startswith("onscope"):
            raise
        from .._errors import ViewError

        raise ViewError(
            f"found no Qt for napari ({error}), expected PySide6 or PyQt6: install one of them beside onscope[napari], "
            'such as `pip install "PySide6-Essentials>=6.8,<6.12"`'
        ) from error
    return LiveView
