"""Addresses, layouts and updates as they are read: what is right comes through, all else is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onscope.view._wire import WireError
from onscope.view.client import ViewError, address_of, layout_from, update_from
from tests.view.client.values import layout


@pytest.mark.parametrize(
    ("url", "token", "websocket", "said"),
    [
        ("http://127.0.0.1:8787/#abc", "", "ws://127.0.0.1:8787/live", "abc"),
        ("http://127.0.0.1:8787/#token=abc", "", "ws://127.0.0.1:8787/live", "abc"),
        (" localhost:99 ", "abc", "ws://localhost:99/live", "abc"),
        ("https://scope.lab:443/#old", "new", "wss://scope.lab:443/live", "new"),
        ("http://[::1]:8787/", "", "ws://[::1]:8787/live", ""),
    ],
)
def test_addresses(url: str, token: str, websocket: str, said: str) -> None:
    address = address_of(url, token)
    assert (address.websocket, address.token) == (websocket, said)


@pytest.mark.parametrize("url", ["", "scope", "http://scope/", "file:///etc/passwd", "scope:port", "ftp://scope:21"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(ViewError, match="expected http://HOST:PORT"):
        address_of(url)


def test_a_layout_comes_back() -> None:
    told = layout(axes={"c": ["DAPI"], "z": []}, settings=[{"of": "a", "name": "b", "value": 1, "least": 0, "most": 2}])
    found = layout_from(told | {"of a newer server": 1})
    assert (found.shape, found.images[1].scale, found.tables[0].kinds) == ((48, 64), 2.0, ("spots", "outlines"))
    assert (found.axes["c"], found.settings[0].most, found.actions[0]) == (["DAPI"], 2.0, "arm")


ARRAYS: list[np.ndarray[Any, Any]] = [np.zeros((4, 5), np.uint16), np.zeros((3, 2), np.float32), np.array([0, 1, 3])]
ARRAYS += [np.zeros(2), np.zeros(256)]
HEAD: dict[str, Any] = {
    "frame": {"seq": 1},
    "views": [{"id": 1, "image": "raw", "rect": [0, 0, 4, 5], "array": 0, "low": 0, "high": 1}],
    "vectors": [{"id": 1, "kind": "outlines", "table": "t", "points": {"array": 1}, "starts": {"array": 2}}],
    "tables": [{"name": "t", "columns": {"y": {"array": 3}, "x": {"array": 3}}}],
}


def test_an_update_is_read() -> None:
    update = update_from(HEAD, ARRAYS)
    assert update.pictures[1].pixels is ARRAYS[0]
    assert update.tables["t"]["x"] is ARRAYS[3]
    told = HEAD["views"][0] | {"histogram": {"array": 4, "from": 1, "to": 9}}
    assert update_from(HEAD | {"views": [told]}, ARRAYS).pictures[1].bounds == (1.0, 9.0)


@pytest.mark.parametrize(
    ("where", "changed", "words"),
    [
        ("views", {"array": 9}, "array 9"),
        ("views", {"array": -1}, "array -1"),
        ("views", {"array": 1}, "picture of float32"),
        ("views", {"rect": [0, 0, 0, 5]}, "part"),
        ("views", {"rect": [0, 0, float("nan"), 5]}, "part"),
        ("views", {"rect": 3}, "cannot be read"),
        ("vectors", {"points": {"array": 3}}, "points of"),
        ("vectors", {"starts": {"array": 1}}, "without whole numbers"),
        ("vectors", {"starts": {"array": 0}}, "without whole numbers"),
        ("vectors", {"kind": "boxes"}, r"expected \(n, 4\)"),
        ("tables", {"columns": {"y": {"array": 3}, "x": {"array": 2}}}, "differ in length"),
        ("tables", {"columns": {"y": {"array": 1}}}, "one value per row"),
    ],
)
def test_an_update_that_is_wrong_is_named(where: str, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(WireError, match=words):
        update_from(HEAD | {where: [HEAD[where][0] | changed]}, ARRAYS)


def test_starts_that_do_not_rise_are_refused() -> None:
    arrays = [*ARRAYS[:2], np.array([0, 4, 3]), *ARRAYS[3:]]
    with pytest.raises(WireError, match="do not rise"):
        update_from(HEAD, arrays)


@pytest.mark.parametrize(
    "told", [{}, layout(images=3), layout(shape=[1]), layout(tables=[{"name": "t", "columns": 3}])]
)
def test_a_layout_that_is_wrong_is_named(told: dict[str, Any]) -> None:
    with pytest.raises(WireError, match="layout that cannot be read"):
        layout_from(told)
