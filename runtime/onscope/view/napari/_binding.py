"""Which Qt napari runs on, where that matters."""

from __future__ import annotations

import sys


def warning_of(binding: str | None, version: str | None, python: tuple[int, int] = sys.version_info[:2]) -> str:
    """What is to be known of a Qt binding ("pyside6", "pyqt6") of this version; "" when there is nothing.

    PySide6 6.12 gives away a reference to True with each signal that tells of one. Before Python 3.12 these are
    counted, and Python ends with "deallocating True or False" when all are gone: napari after some hundred updates.
    """
    if (binding or "").lower() != "pyside6" or not (version or "").startswith("6.12.") or python >= (3, 12):
        return ""
    return (
        f"found PySide6 {version} with Python {python[0]}.{python[1]}, which end together after some hundred updates: "
        'pip install "PySide6-Essentials>=6.8,<6.12"'
    )
