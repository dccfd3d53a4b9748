"""The dock widget in a real napari viewer, connected over a real socket to a server that speaks the contract."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed: `make test-napari` installs it and runs these tests")

from qtpy.QtCore import Qt

from onscope.view.napari import LiveView
from tests.view.client.standin import StandIn, standin
from tests.view.client.values import STATUS, layout

Until = Callable[[Callable[[], Any]], Any]
EVERYTHING = ("raw", "denoise", "nuclei", "cells", "tracks")


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standin(token="secret") as made:
        yield made


@pytest.fixture
def live(viewer: Any, server: StandIn, until: Until) -> Iterator[LiveView]:
    """Connected, with the first raw picture shown."""
    widget = LiveView(viewer)
    widget.connect_to_run(server.url)
    until(lambda: "raw" in viewer.layers)
    yield widget
    pump = widget._pump
    widget.close()
    if pump is not None:
        pump._thread.join(10)
        assert not pump._thread.is_alive()
        assert pump._client.state == "closed"


def seq(layer: Any) -> int:
    return int(layer.metadata["onscope"]["frame"]["seq"])


def shows(viewer: Any, name: str, number: int) -> bool:
    return name in viewer.layers and seq(viewer.layers[name]) == number


def test_layers_lie_where_their_pixels_are_and_follow_the_frames(
    live: LiveView, viewer: Any, server: StandIn, until: Until
) -> None:
    for name in EVERYTHING:
        live.choose(name)
    until(lambda: len(viewer.layers) == 5)
    assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Image", "Labels", "Tracks", "Points"]
    raw, denoise, nuclei, tracks, cells = viewer.layers
    limits = tuple(raw.contrast_limits)
    server.frame = 40
    until(lambda: all(seq(layer) == 40 for layer in viewer.layers))
    assert list(viewer.layers) == [raw, denoise, nuclei, tracks, cells]  # the same layers, changed in place
    assert raw.data.shape == (48, 64)
    assert raw.data.dtype == np.uint16
    assert raw.data[0, 0] == 40
    assert tuple(raw.contrast_limits) == limits
    # Pixels are 0.5 um; those of an answer with twice as many begin a quarter of a raw pixel before.
    assert tuple(raw.scale[-2:]) == (0.5, 0.5)
    assert tuple(raw.translate[-2:]) == (0, 0)
    assert tuple(denoise.scale[-2:]) == (0.25, 0.25)
    assert tuple(denoise.translate[-2:]) == (-0.125, -0.125)
    # Floats have their own values again: the server said 100 is 0 and 900 is 65,535.
    assert denoise.data.dtype == np.float32
    assert denoise.data[1, 1] == pytest.approx(100 + 103 * 800 / 65535, rel=1e-5)
    now = server.objects_now()
    assert np.array_equal(cells.data, np.stack([now["y"], now["x"]], axis=1))
    assert list(cells.features["area"]) == list(now["area"])
    assert all(
        nuclei.data[int(y), int(x)] == label for y, x, label in zip(now["y"], now["x"], now["label"], strict=True)
    )
    assert np.allclose(cells.data_to_world(cells.data[0])[-2:], (4.0, now["x"][0] / 2))
    assert all(str(layer.units[-1]) == "micrometer" for layer in viewer.layers)
    assert tuple(viewer.dims.axis_labels) == ("frame", "y", "x")


def test_tracks_keep_the_last_frames_and_the_slider_follows(
    live: LiveView, viewer: Any, server: StandIn, until: Until
) -> None:
    live._rate.setValue(60)
    live.choose("tracks")
    for number in range(1, 71):
        server.frame = number
        until(partial(shows, viewer, "tracks", number))
    data = viewer.layers["tracks"].data
    assert set(data[:, 1]) == set(range(11, 71))  # 60 frames, and no more
    assert set(data[:, 0]) == {1, 2, 3}
    assert viewer.dims.point[0] == 70
    server.dead = frozenset({2})
    server.frame = 140
    until(lambda: seq(viewer.layers["tracks"]) == 140)
    last = viewer.layers["tracks"].data
    assert set(last[last[:, 1] == 140, 0]) == {1, 3}
    server.layout = layout(run="next")
    server.frame = 2
    until(lambda: seq(viewer.layers["tracks"]) == 2)
    assert set(viewer.layers["tracks"].data[:, 1]) == {2}  # another run: it begins anew


def test_objects_come_and_go(live: LiveView, viewer: Any, server: StandIn, until: Until) -> None:
    live.choose("cells")
    live.choose("tracks")
    until(lambda: "cells" in viewer.layers and "tracks" in viewer.layers)
    for frame, dead in ((1, {1, 2, 3}), (2, {3}), (3, set())):
        server.dead, server.frame = frozenset(dead), frame
        until(partial(shows, viewer, "cells", frame))
        assert len(viewer.layers["cells"].data) == len(viewer.layers["cells"].features) == 3 - len(dead)


def test_what_lies_under_the_cursor_is_answered_while_objects_come_and_go(
    live: LiveView, viewer: Any, server: StandIn, until: Until
) -> None:
    """As napari's own thread asks it, whenever the mouse moves."""
    live._rate.setValue(60)
    live.choose("cells")
    until(lambda: "cells" in viewer.layers)
    layer, errors, ended = viewer.layers["cells"], [], threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                layer.get_status((4.0, 4.0), dims_displayed=[0, 1], world=True)
            except Exception as error:
                errors.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for number in range(1, 40):
            server.dead, server.frame = frozenset({1, 2, 3} if number % 2 else ()), number
            until(partial(shows, viewer, "cells", number))
    finally:
        ended.set()
        asking.join()
    assert errors == []


def test_a_layer_that_is_hidden_stays_hidden(live: LiveView, viewer: Any, server: StandIn, until: Until) -> None:
    for name in EVERYTHING:
        live.choose(name)
    until(lambda: len(viewer.layers) == 5)
    for layer in viewer.layers:
        layer.visible = False
    server.frame = 3
    until(lambda: all(seq(layer) == 3 for layer in viewer.layers))
    assert not any(layer.visible for layer in viewer.layers)


def test_what_is_ticked_stays_so_when_the_run_begins_again(
    live: LiveView, viewer: Any, server: StandIn, until: Until
) -> None:
    for name in EVERYTHING:
        live.choose(name)
    until(lambda: len(viewer.layers) == 5)
    layers, whole = list(viewer.layers), server.layout
    images = [image | {"dtype": "", "shape": []} for image in whole["images"][1:]]
    tables = [table | {"columns": {}, "kinds": []} for table in whole["tables"]]
    server.layout = whole | {"run": "next", "images": [whole["images"][0], *images], "tables": tables}
    server.drop()  # as a run that is started again tells it, before its first answers
    until(lambda: live._list.count() == 3)
    server.frame = 1
    until(lambda: seq(viewer.layers["raw"]) == 1)
    server.layout = whole | {"run": "next"}
    server.tell({"type": "layout", "layout": server.layout})
    server.frame = 2
    until(lambda: all(seq(layer) == 2 for layer in viewer.layers))
    assert list(viewer.layers) == layers
    server.layout = whole | {"images": whole["images"][:1], "tables": []}
    server.tell({"type": "layout", "layout": server.layout})
    until(lambda: [layer.name for layer in viewer.layers] == ["raw"])  # a run that has nothing of that name


def test_an_update_that_napari_cannot_show_is_said(live: LiveView, viewer: Any, server: StandIn, until: Until) -> None:
    live.choose("tracks")
    until(lambda: "tracks" in viewer.layers)
    table = next(each for each in server.layout["tables"] if each["name"] == "tracks")
    columns = table["columns"]
    table["columns"] = {"y": "<f8", "x": "<f8"}  # of tracks without their numbers
    server.frame = 5
    until(lambda: bool(live._trouble))
    server.tell(STATUS)
    until(lambda: "cannot be shown" in live._words.text())
    table["columns"] = columns
    server.frame = 6
    until(lambda: seq(viewer.layers["tracks"]) == 6)
    server.tell(STATUS)
    until(lambda: "cannot be shown" not in live._words.text())


def test_a_servers_words_are_no_markup_and_not_endless(live: LiveView, server: StandIn, until: Until) -> None:
    server.tell({"type": "ended", "words": "<b>" + "x" * 10_000})
    until(lambda: live._words.text().startswith("ended: <b>"))
    assert live._words.textFormat() == Qt.TextFormat.PlainText
    assert len(live._words.text()) < 1000


def test_only_what_is_ticked_is_asked_for(live: LiveView, viewer: Any, server: StandIn, until: Until) -> None:
    assert [view["image"] for view in server.said("show")[-1]["views"]] == ["raw"]
    live.choose("raw", False)
    live.choose("cells")
    until(lambda: [layer.name for layer in viewer.layers] == ["cells"])
    (view,) = server.said("show")[-1]["views"]
    assert (view["size"], view["vectors"]) == ([1, 1], ["spots:cells"])
    viewer.layers.clear()
    until(lambda: not live.chosen)
    assert not viewer.layers  # one that the user removes is not made again


def test_pictures_are_as_large_as_the_limit_lets_them(
    live: LiveView, viewer: Any, server: StandIn, until: Until
) -> None:
    server.layout = layout(pixel_size_um=None)
    server.layout["images"][0]["shape"] = [480, 640]
    server.tell({"type": "layout", "layout": server.layout})
    until(lambda: server.said("show")[-1]["views"][0]["size"] == [480, 640])
    live._limit.setValue(64)
    until(lambda: server.said("show")[-1]["views"][0]["size"] == [48, 64])


def test_the_next_picture_waits_until_one_is_drawn(live: LiveView, server: StandIn, application: Any) -> None:
    live._rate.setValue(60)
    for _ in range(20):
        application.processEvents()
    before = server.updates
    assert live._pump is not None
    live._pump._closing.wait(1)  # napari is busy: its thread does not get to drawing
    assert server.updates <= before + 2


def test_the_runs_numbers_are_said(live: LiveView, server: StandIn, until: Until) -> None:
    until(lambda: "30.1 frames/s" in live._words.text())
    assert "latency 12.0 ms (95 %: 15.0)" in live._words.text()
    assert "not armed" in live._words.text()
    server.tell(STATUS | {"feedback": {"armed": True, "held": "the stage left"}, "suspect": {"denoise": ["noise"]}})
    until(lambda: "ARMED, held: the stage left" in live._words.text())
    assert "not as usual: denoise" in live._words.text()
    server.tell({"type": "ended", "words": "the run is over"})
    until(lambda: live._words.text() == "ended: the run is over")
    server.tell(STATUS)  # numbers go on
    until(lambda: "30.1 frames/s" in live._words.text())
    assert "the run has ended" in live._words.text()


def test_buttons_do_what_the_run_offers(live: LiveView, server: StandIn, until: Until) -> None:
    buttons = live._actions.buttons
    until(lambda: not buttons["arm"].isHidden())
    buttons["pause"].click()
    until(lambda: live._actions.words.text() == "pause: done")
    buttons["arm"].click()
    assert buttons["arm"].text() == "Really?"
    buttons["arm"].click()
    until(lambda: live._actions.words.text() == "arm: done")
    buttons["snapshot"].click()
    until(lambda: live._actions.words.text() == "snapshot: done")
    assert [each["action"] for each in server.said("do")] == ["pause", "arm", "snapshot"]
    assert server.said("do")[-1]["views"][0]["image"] == "raw"
    server.tell({"type": "layout", "layout": layout(actions=["pause"])})
    until(lambda: buttons["arm"].isHidden())
    assert not buttons["pause"].isHidden()


def test_it_comes_back_when_the_server_does(live: LiveView, viewer: Any, server: StandIn, until: Until) -> None:
    raw = viewer.layers["raw"]
    server.drop()
    until(lambda: len(server.said("hello")) == 2)
    server.frame = 9
    until(lambda: seq(viewer.layers["raw"]) == 9)
    assert viewer.layers["raw"] is raw


def test_leaving_leaves_the_layers(live: LiveView, viewer: Any, server: StandIn, until: Until) -> None:
    live._connect.click()
    assert live._words.text() == "not connected"
    server.frame = 99
    until(lambda: not server._sockets)
    assert seq(viewer.layers["raw"]) != 99
    live._url.setText(server.url)
    live._connect.click()
    until(lambda: seq(viewer.layers["raw"]) == 99)
    live.connect_to_run("nowhere")
    assert "expected http://HOST:PORT" in live._words.text()


def test_a_wrong_token_is_said(viewer: Any, server: StandIn, until: Until) -> None:
    widget = LiveView(viewer)
    widget.connect_to_run(f"127.0.0.1:{server.port}", "guess")
    until(lambda: widget._words.text().startswith("refused: found another token"))
    widget.close()


def test_cameras_channels_and_positions_are_chosen(live: LiveView, server: StandIn, until: Until) -> None:
    server.layout = layout(cameras=["left", "right"], axes={"c": ["DAPI", "FITC"], "p": [], "t": []})
    server.tell({"type": "layout", "layout": server.layout})
    until(lambda: set(live._where._axes) == {"c", "p"})
    live._where._axes["c"].setCurrentText("FITC")
    live._where._axes["p"].setValue(3)
    assert live._where._camera is not None
    live._where._camera.setCurrentText("right")
    until(lambda: server.said("show")[-1]["views"][0]["camera"] == "right")
    assert server.said("show")[-1]["views"][0]["index"] == {"c": 1, "p": 3}
    server.tell({"type": "layout", "layout": server.layout})  # the same again: what was chosen stays
    live._where._axes["c"].setCurrentText("any")
    until(lambda: server.said("show")[-1]["views"][0]["index"] == {"p": 3})
