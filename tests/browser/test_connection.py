"""Lost, refused and found again."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the server's packages are missing: pip install onscope[view]")

from .conftest import Open
from .looks import live, try_now, until
from .standin import serving


def test_after_a_restart_everything_that_was_set_is_asked_for_again(opened: Open) -> None:
    with serving() as run:
        page = opened(run.url)
        live(page)
        page.keyboard.press("2")
        page.get_by_label("Channel").select_option(label="FITC")
        page.get_by_role("button", name="Auto").first.click()
        until(lambda: run.asked("show")[-1]["views"][0]["low"] is not None, "a contrast")
        wanted = run.asked("show")[-1]["views"]
        assert len(wanted) == 2
    page.get_by_text("The connection is lost").wait_for()
    assert page.get_by_role("button", name="Pause").is_disabled()
    with serving(run.port) as again:
        try_now(page)
        live(page)
        until(lambda: bool(again.asked("show")), "what was wanted")
        assert again.asked("show")[-1]["views"] == wanted
        assert page.locator("#banner").is_hidden()


def test_what_was_set_outlives_a_reload(opened: Open) -> None:
    with serving(token="secret") as run:
        page = opened(run.url)
        live(page)
        page.keyboard.press("3")
        until(lambda: len(run.asked("show")[-1]["views"]) == 2, "an overlay")
        page.wait_for_timeout(600)  # it is kept a moment later
        assert "secret" not in page.url
        page.reload()
        live(page)
        assert [each["token"] for each in run.asked("hello")] == ["secret", "secret"]
        assert len(run.asked("show")[-1]["views"]) == 2


def test_a_wrong_token_is_told(opened: Open) -> None:
    with serving(token="secret") as run:
        page = opened(run.url.replace("secret", "guess"))
        page.get_by_text("found another token").wait_for()
        assert page.locator("#link").text_content() == "refused"


def test_the_pages_load_nothing_from_elsewhere(opened: Open) -> None:
    with serving() as run:
        page = opened("about:blank")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(run.url)
        live(page)
        elsewhere = [url for url in asked if not url.startswith((f"http://127.0.0.1:{run.port}/", "blob:"))]
        assert len(asked) > 20
        assert not elsewhere
