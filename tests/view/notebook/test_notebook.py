"""`runtime.show()` on real runs: what a notebook is given, static and live, published by a real IPython shell."""

from __future__ import annotations

import base64
import io
import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onscope.runtime import Measure, OnscopeError, Pipeline, Runtime, Stage, block
from onscope.view.notebook import LiveShow, Shown
from tests.live.test_hosted import SPEC, frame
from tests.live.test_labels import circles

WAIT_S = 60.0
Show = Callable[..., Any]


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """Finds two objects, as labels and as rows."""
    stages = [Stage("nuclei", circles(tmp_path / "circles")), Measure("cells", of="nuclei")]
    with Runtime(Pipeline(stages), worker="thread", admission=block(4)) as made:
        made.prepare(SPEC)
        yield made


def submit(runtime: Runtime, number: int) -> None:
    runtime.submit(frame(number, (20, 24, 11), (50, 70, 14), index={"t": number}))


def pictures(html: str) -> list[np.ndarray[Any, Any]]:
    """The pictures of a page, as a browser would decode them."""
    found = re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in found]


def test_a_result_beside_its_raw_frame(runtime: Runtime) -> None:
    results = runtime.subscribe(block(2))
    submit(runtime, 0)
    shown = runtime.show(results.take(WAIT_S), width=288)
    html = shown._repr_html_()
    raw, nuclei = pictures(html)
    assert raw.shape == nuclei.shape == (216, 288, 3)
    assert (nuclei[61, 73] != nuclei[151, 211]).any()  # each object in a colour of its own, where it is
    assert nuclei[61, 73].any()
    assert not nuclei[5, 5].any()
    assert raw[61 - 7, 73].any()  # the ring around the object's place
    assert "2 rows: label" in html
    assert "t 0" in html
    assert "72 x 96 float32" in html
    whole = np.asarray(Image.open(io.BytesIO(shown._repr_png_())))
    assert whole.shape == (216, 2 * 288 + 8, 3)
    assert "latency" in repr(shown)


def test_the_next_result_is_waited_for(runtime: Runtime) -> None:
    assert "no result came within 0.05 s" in runtime.show(timeout_s=0.05)._repr_html_()
    ended = threading.Event()

    def acquire() -> None:
        number = 0
        while not ended.wait(0.05):
            submit(runtime, number)
            number += 1

    acquiring = threading.Thread(target=acquire)
    acquiring.start()
    try:
        assert len(runtime.show(timeout_s=WAIT_S).panels) == 2
    finally:
        ended.set()
        acquiring.join()


def test_words_are_no_markup() -> None:
    html = Shown(numbers=(("<script>", "a & b"),), note="<b>")._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html
    assert "a &amp; b" in html


@pytest.fixture
def published() -> Iterator[list[tuple[bool, dict[str, Any], dict[str, Any]]]]:
    """What a real IPython shell publishes: whether it changes a display, its data, and which one it is."""
    pytest.importorskip("IPython", reason="IPython is not installed: `make test-napari` installs it and runs this")
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    found: list[tuple[bool, dict[str, Any], dict[str, Any]]] = []

    class Kept(DisplayPublisher):  # type: ignore[misc]
        def publish(self, data: Any, *, transient: Any = None, update: bool = False, **more: Any) -> None:
            found.append((update, data, transient or {}))

    shell = InteractiveShell.instance()
    before, shell.display_pub = shell.display_pub, Kept(shell=shell)
    yield found
    shell.display_pub = before
    InteractiveShell.clear_instance()


def test_live_it_follows_the_run_until_it_ends(runtime: Runtime, published: list[Any]) -> None:
    view = runtime.show(live=True, rate=15, width=192)
    assert isinstance(view, LiveShow)
    ((update, data, transient),) = published
    assert not update
    assert "no result yet" in data["text/html"]
    for number in range(3):
        submit(runtime, number)
        wait(partial(says, published, f"t {number}"))
    assert all(update for update, *_ in published[1:])
    assert {each[2]["display_id"] for each in published} == {transient["display_id"]}
    assert len(pictures(published[-1][1]["text/html"])) == 2
    assert published[-1][1]["image/png"]
    runtime.close()
    wait(lambda: view.closed)
    assert len(view.newest.panels) == 2


def test_live_it_can_be_closed_before(runtime: Runtime, published: list[Any]) -> None:
    with runtime.show(live=True) as view:
        submit(runtime, 0)
        wait(lambda: len(published) == 2)
    assert view.closed
    submit(runtime, 1)
    assert runtime.drain(WAIT_S)
    assert len(published) == 2


def test_what_is_missing_is_said(runtime: Runtime, published: list[Any]) -> None:
    with pytest.raises(OnscopeError, match="rate of 100"):
        runtime.show(live=True, rate=100)
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    with pytest.raises(OnscopeError, match="found no notebook"):
        runtime.show(live=True)


def test_without_ipython_it_says_what_to_install(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "IPython", None)
    with pytest.raises(OnscopeError, match="no package IPython"):
        runtime.show(live=True)


def says(published: list[Any], words: str) -> bool:
    return words in published[-1][1]["text/html"]


def wait(true: Callable[[], Any]) -> None:
    pause = threading.Event()
    for _ in range(int(WAIT_S / 0.02)):
        if true():
            return
        pause.wait(0.02)
    raise AssertionError("it never came")
