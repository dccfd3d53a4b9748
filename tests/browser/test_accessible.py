"""Usable by keyboard, by assistive tools, on narrow screens, in the dark and by day."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live, newer, until
from .standin import serving

AXE = "axe-core@4.14.1"
WARNING = {"kind": "warning", "words": "a lamp is out", "bad": True, "at": 0.5}
UNUSUAL = {
    "trust": {"denoise": {"suspicion": 1.4, "distance": 8.1}, "nuclei": {"suspicion": 0.2}},
    "suspect": {"denoise": ["distance"]},
}


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
        program = packed.extractfile("package/axe.min.js")
        assert program is not None
        return program.read().decode()


def serious(page: Any, axe: str) -> list[str]:
    """What axe-core finds in a page that is serious or worse."""
    page.evaluate(axe)
    return [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes']]}"
        for each in page.evaluate("axe.run()")["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (820, "light")])
def test_axe_finds_nothing_serious(width: int, scheme: str, opened: Open, axe: str) -> None:
    with serving(before=[WARNING], status=UNUSUAL) as run:
        page = opened(run.url, width, 1180, bypass_csp=True, color_scheme=scheme, has_touch=width == 820)
        live(page)  # axe-core is a script from elsewhere: the page's policy is not asked here
        for key in "321":
            page.keyboard.press(key)
            newer(page)
            assert not serious(page, axe), f"the layout {key}"
        run.tell(kind="warning", words="the light drifts", bad=True, at=1.0)
        run.tell(kind="worker gone", words="the network's process ended", bad=True, at=2.0)
        page.locator(".toast.bad").wait_for()
        for tab in ("Tune", "Feedback", "Run"):
            page.get_by_role("tab", name=tab).click()
            until(lambda: page.locator(".panel:visible .card").count() > 0, "what is in it")
            assert not serious(page, axe), tab


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_finds_nothing_serious_in_dialogs_and_at_the_end(scheme: str, opened: Open, axe: str) -> None:
    with serving() as run:
        page = opened(run.url, bypass_csp=True, color_scheme=scheme)
        live(page)
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys and gestures").wait_for()
        assert not serious(page, axe)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Arm", exact=True).click()
        page.get_by_role("dialog").wait_for()
        assert not serious(page, axe)
        page.locator("dialog").get_by_role("button", name="Arm").click()
        page.get_by_role("button", name="Armed").wait_for()
        assert not serious(page, axe)
        page.get_by_role("button", name="Stop", exact=True).click()
        page.get_by_role("button", name="Stop the run").click()
        page.get_by_text("The run is over").wait_for()
        assert not serious(page, axe)
    page.get_by_role("button", name="Snapshot").wait_for()
    with serving(token="another") as other:
        page.goto(other.url.split("#")[0])
        page.get_by_text("The server refused this page").wait_for()
        assert not serious(page, axe)


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


def test_everything_is_reached_by_tab_and_seen_there(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url)
        live(page)
        page.evaluate("for (const each of document.querySelectorAll('button, input, select')) each.dataset.wanted = ''")
        unseen = set()
        for _ in range(80):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => {
                    const at = document.activeElement, style = getComputedStyle(at);
                    delete at.dataset.wanted;
                    const name = at === document.body ? null : at.ariaLabel || at.textContent; // after the last one
                    return [name, style.outlineStyle, parseFloat(style.outlineWidth)];
                }"""
            )
            if told[0] is not None and (told[1] == "none" or told[2] < 2):
                unseen.add(told[0])
        assert not unseen - {"place of the comparison"}
        left = page.locator("[data-wanted]:visible:not([tabindex='-1'])").evaluate_all(
            "nodes => nodes.map(node => node.ariaLabel || node.textContent)"
        )
        assert not left


def test_escape_closes_a_dialog_and_does_nothing_else(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url)
        live(page)
        page.get_by_role("button", name="Stop", exact=True).focus()
        page.keyboard.press("Enter")
        page.get_by_role("dialog", name="Stop the run?").wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
        assert page.evaluate("document.activeElement.ariaLabel") == "Stop"  # back where it was
        page.keyboard.press("p")
        until(lambda: run.asked("do"), "the next key")
        assert [each["action"] for each in run.asked("do")] == ["pause"]


def test_the_layout_is_chosen_by_arrows_and_the_focus_stays(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url)
        live(page)
        page.get_by_role("radio", name="Side by side").focus()
        for name in ("Swipe", "Overlay", "Side by side"):
            page.keyboard.press("ArrowRight")
            assert page.evaluate("document.activeElement.ariaLabel") == name
            assert page.get_by_role("radio", name=name).get_attribute("aria-checked") == "true"
        page.get_by_role("button", name="denoise", exact=True).focus()
        page.keyboard.press("Enter")
        until(lambda: page.locator(".pane").count() == 2, "one picture less")
        assert page.evaluate("document.activeElement.textContent") == "denoise"


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_want_that(motion: str, moves: bool, opened: Open) -> None:
    with serving() as run:
        page = opened(run.url, reduced_motion=motion)
        live(page)
        took = page.evaluate(
            """Math.max(...[...document.querySelectorAll("*")].map(
                one => parseFloat(getComputedStyle(one).transitionDuration)
            ))"""
        )
        assert (took > 0) == moves


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
