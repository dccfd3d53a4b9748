"""What a page shows, for tests to wait for. Its policy forbids code in strings: functions are asked instead."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

PATIENT_S = 60.0


def until(true: Callable[[], object], what: str = "it") -> None:
    """Wait for something; fails when it does not come."""
    end = time.monotonic() + PATIENT_S
    while not true():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)


def seq(page: Any) -> int:
    """Number of the frame that is shown, -1 before the first."""
    shown = page.locator("#frame b")
    return int(shown.text_content()[1:]) if shown.count() else -1


def place(page: Any) -> list[str]:
    """Where in the acquisition the frame is that is shown: "FITC", "z 2"."""
    return (page.locator("#frame i").text_content() or "").split("  ")


def newer(page: Any, than: int | None = None) -> int:
    """Wait until a newer frame is shown than now, or than one; its number."""
    than = seq(page) if than is None else than
    until(lambda: seq(page) > than, f"a frame after {than}")
    return seq(page)


def pixels(page: Any, pane: int = 0) -> str:
    """A digest of a pane as it is drawn."""
    return hashlib.sha256(page.locator(".pane .picture").nth(pane).screenshot()).hexdigest()


def live(page: Any) -> None:
    """Wait until pictures come."""
    until(lambda: page.locator("#link").text_content() == "live", "the connection")
    newer(page)


def try_now(page: Any) -> None:
    """Press the button that connects again at once, where the page has not done so by itself."""
    page.evaluate("() => document.querySelector('#banner button')?.click()")
