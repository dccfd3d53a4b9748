"""Usable by keyboard, by assistive tools, on narrow screens, in the dark and by day."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live, until
from .standin import serving

AXE = "axe-core@4.14.1"


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """axe-core's program, from the npm registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is missing, which fetches axe-core")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run([npm, "pack", AXE], cwd=folder, capture_output=True, text=True, env={**os.environ})
    if done.returncode:
        pytest.skip(f"axe-core could not be fetched: {done.stderr.strip().splitlines()[-1:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        packed.extract("package/axe.min.js", folder, filter="data")
    return Path(folder, "package", "axe.min.js").read_text()


def serious(browser: Any, axe: str, url: str, keys: str, **options: Any) -> list[str]:
    """What axe-core finds that is serious or worse, after these keys."""
    context = browser.new_context(bypass_csp=True, **options)  # axe-core is a script from elsewhere
    try:
        page = context.new_page()
        page.goto(url)
        live(page)
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(300)
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        return [
            f"{each['id']}: {[node['html'][:160] for node in each['nodes']]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
    finally:
        context.close()


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("keys", ["", "2", "3", "?"])
def test_axe_finds_nothing_serious(scheme: str, keys: str, browser: Any, axe: str) -> None:
    with serving() as run:
        size = {"width": 1280, "height": 800}
        assert not serious(browser, axe, run.url, keys, color_scheme=scheme, viewport=size)


@pytest.mark.parametrize("tab", ["Tune", "Feedback", "Run"])
def test_axe_finds_nothing_serious_in_the_tabs(tab: str, browser: Any, axe: str) -> None:
    with serving() as run:
        context = browser.new_context(bypass_csp=True, color_scheme="light")
        page = context.new_page()
        page.goto(run.url)
        live(page)
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(1200)
        page.evaluate(axe)
        found = page.evaluate("axe.run()")["violations"]
        context.close()
        assert not [each["id"] for each in found if each["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1600, 950), (820, 1180), (1180, 820)])
def test_nothing_lies_outside_the_screen(width: int, height: int, opened: Open) -> None:
    with serving() as run:
        page = opened(run.url, width, height, has_touch=width in (820, 1180))
        live(page)
        for button in page.locator("button:visible, #stage, #strip").all():
            box = button.bounding_box()
            if box is None or button.evaluate("node => Boolean(node.closest('.panel'))"):
                continue  # panels scroll
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 0.5
            assert box["y"] + box["height"] <= height + 0.5
        pane = page.locator(".pane").first.bounding_box()
        assert min(pane["width"], pane["height"]) >= 200


def test_everything_is_reached_by_tab(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url)
        live(page)
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "() => document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
                )
            )
        for name in ("Pause", "Arm", "Stop", "high end of the contrast of raw", "gamma of raw", "colours of denoise"):
            assert any(name in (each or "") for each in reached), name


def test_the_theme_is_switched_and_kept(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url, color_scheme="dark")
        live(page)
        ground = "() => getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(ground)
        page.keyboard.press("t")
        until(lambda: page.evaluate(ground) != dark, "the light theme")
        light = page.evaluate(ground)
        page.reload()
        live(page)
        assert page.evaluate(ground) == light
