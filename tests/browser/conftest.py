"""A browser, and pages of it that must not complain."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

CHROMIUM = os.environ.get("ONSCOPE_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or ""
PATIENT_MS = 60_000
"""How long tests wait for what has to come, however busy the machine is."""
Open = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing: `make test-browser` installs it")
    pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")
    if not CHROMIUM:
        pytest.skip("chromium is missing: `make test-browser` installs it, or name one in ONSCOPE_CHROMIUM")
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM)
        yield made
        made.close()


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """Opens a page at an address, in a context of its own; at the end none of them may have had an error."""
    contexts, wrong = [], []

    def complain(message: Any) -> None:
        if (
            message.type == "error"
            and "WebSocket" not in message.text
            and "Failed to load resource" not in message.text
        ):
            wrong.append(message.text)

    def make(url: str, width: int = 1280, height: int = 800, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", complain)
        page.goto(url)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not wrong
