"""What must not come in does not, and costs nobody else anything."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from onscope.view import View, ViewError
from onscope.view._wire import MOST_TEXT

from .rigs import PATIENT_S, Rig, eyes, goes_on, rig

HELLO = {"type": "hello", "version": 1, "token": "s3cret"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """One view for all, which has to outlive everything that is said to it."""
    with rig(tmp_path_factory.mktemp("run"), token="s3cret") as made:
        yield made


@pytest.fixture(autouse=True)
def _goes_on(run: Rig) -> Iterator[None]:
    yield
    goes_on(run)


def test_a_wrong_token_is_not_told_on(run: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    with eyes(run.view.port) as viewer:
        viewer.say(**{**HELLO, "token": "s3cret-nearly"})
        assert "s3cret" not in viewer.closed()[1]
    assert "s3cret" not in "".join(capfd.readouterr())
    assert not any("s3cret" in each for each in psutil.Process(run.view.pid).cmdline())


@pytest.mark.parametrize("token", ["", "s3cre", "s3cret ", "é" * 100])
def test_a_wrong_token(run: Rig, token: str) -> None:
    with eyes(run.view.port) as viewer:
        viewer.say(**{**HELLO, "token": token})
        code, words = viewer.closed()
        assert code == 1008
        assert "token" in words


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:1"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.168.1.7"},
        {"Host": "localhost:80:90"},
        {"Host": "evil.example", "Origin": "http://evil.example"},
    ],
)
def test_another_site(run: Rig, headers: dict[str, str]) -> None:
    known = {"Host": f"127.0.0.1:{run.view.port}"}
    asked = HTTPConnection("127.0.0.1", run.view.port, timeout=PATIENT_S)
    asked.request("GET", "/health", headers={**known, **headers})
    assert asked.getresponse().status == 403
    asked = HTTPConnection("127.0.0.1", run.view.port, timeout=PATIENT_S)
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    asked.request("GET", "/live", headers={**known, **upgrade, **key, **headers})
    assert asked.getresponse().status == 403


def test_the_own_page_and_a_tunnel(run: Rig) -> None:
    with eyes(run.view.port, origin=f"http://127.0.0.1:{run.view.port}") as viewer:
        viewer.say(**HELLO)
        assert viewer.text("hello")
    asked = HTTPConnection("127.0.0.1", run.view.port, timeout=PATIENT_S)
    asked.request("GET", "/health", headers={"Host": "localhost:9999", "Origin": "http://localhost:9999"})
    answer = asked.getresponse()
    assert answer.status == 200
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_no_state_is_changed_by_requests(run: Rig, method: str) -> None:
    asked = HTTPConnection("127.0.0.1", run.view.port, timeout=PATIENT_S)
    asked.request(method, "/health")
    assert asked.getresponse().status == 405


@pytest.mark.parametrize(
    "path", ["/../_view.py", "/%2e%2e/_view.py", "/_pages.py", "//etc/passwd", "/..%2f..%2fetc/passwd"]
)
def test_no_request_is_a_path(run: Rig, path: str) -> None:
    asked = HTTPConnection("127.0.0.1", run.view.port, timeout=PATIENT_S)
    asked.request("GET", path)
    assert asked.getresponse().status == 404


WRONG = [
    "",
    "no JSON",
    "[]",
    "[" * 60_000,
    '{"type": "hello"}',
    '{"type": "show", "views": 3}',
    json.dumps({"type": "show", "views": [{"id": n} for n in range(9)]}),
    json.dumps({"type": "show", "views": [{"id": 1}, {"id": 1}]}),
    json.dumps({"type": "show", "views": [{"id": 1, "size": [4097, 1]}]}),
    json.dumps({"type": "show", "views": [{"id": 1, "size": [True, 1]}]}),
    json.dumps({"type": "show", "views": [{"id": 1, "rect": [5, 0, 5, 9]}]}),
    json.dumps({"type": "show", "views": [{"id": 1, "bits": 12}]}),
    json.dumps({"type": "show", "views": [{"id": 1, "index": {"c": -1}}]}),
    json.dumps({"type": "show", "views": [{"id": 1, "path": "/etc/passwd"}]}),
    '{"type": "show", "views": [{"id": 1, "low": NaN}]}',
    '{"type": "show", "views": [{"id": 1, "low": 1e999}]}',
    '{"type": "credit", "n": 3}',
    '{"type": "credit", "n": -1}',
    '{"type": "credit", "n": 1' + "0" * 5000 + "}",
    '{"type": "do"}',
    '{"type": "credit", "n": 1, "n": 2}',
    '{"type": "do", "id": 1, "action": "tune", "value": 1e999}',
    '{"type": "do", "id": 1, "action": "tune", "value": 1' + "0" * 400 + "}",
    '{"type": "do", "id": 1, "action": "tune", "value": ' + "[" * 900 + "]" * 900 + "}",
    '{"type": "do", "id": 1, "action": "swap", "package": "\\ud800"}',
    '{"type": "do", "id": 1, "action": "swap", "package": "\\u001b]0;x"}',
    '{"type": "do", "id": 1, "action": "swap", "\\u202e": 1}',
    json.dumps({"type": "do", "id": 1, "action": "x" * 300}),
    json.dumps({"type": "credit", "n": 1, "more": "x" * MOST_TEXT}),
]


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_no_message(run: Rig, text: str) -> None:
    for begins in ([], [json.dumps(HELLO)]):
        with eyes(run.view.port) as viewer:
            for each in [*begins, text]:
                viewer.socket.send(each)
            code, words = viewer.closed()
            assert code == 1008
            assert "expected" in words


def test_bytes_and_what_is_huge(run: Rig) -> None:
    for wrong, told in ((b"OSV1", 1008), ("x" * (1 << 22), 1009)):
        with eyes(run.view.port) as viewer:
            viewer.say(**HELLO)
            with suppress(ConnectionClosed):
                viewer.socket.send(wrong)
            assert viewer.closed()[0] in (told, 1006)


@pytest.mark.long
def test_no_hello(run: Rig) -> None:
    with eyes(run.view.port) as viewer:
        code, words = viewer.closed()
        assert code == 1008
        assert "no hello" in words


def test_more_viewers_than_there_may_be(run: Rig) -> None:
    with ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(run.eyes())
        with eyes(run.view.port) as viewer:
            viewer.say(**HELLO)
            code, words = viewer.closed()
        assert code == 1013
        assert "64 viewers" in words


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
WORDS = st.sampled_from(["id", "image", "camera", "index", "rect", "size", "bits", "low", "high", "vectors"])
VIEWS = st.lists(
    st.dictionaries(WORDS, JSON | st.sampled_from(["raw", "outlines:found", [0, 0, 9, 9], 1, 16]), max_size=5)
)
MESSAGES = st.fixed_dictionaries(
    {"type": st.sampled_from(["show", "credit", "do", "hello"])},
    optional={"views": VIEWS | JSON, "n": JSON, "id": JSON, "action": JSON, "version": JSON, "token": JSON},
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(max_size=60) | MESSAGES.map(json.dumps), max_size=5))
def test_whatever_is_said(run: Rig, texts: list[str]) -> None:
    with eyes(run.view.port) as viewer, suppress(ConnectionClosed):
        viewer.say(**HELLO)
        for text in texts:
            viewer.socket.send(text)


def test_others_need_a_token(tmp_path: Path, run: Rig) -> None:
    with pytest.raises(ViewError, match="found no token"):
        View(run.runtime, host="0.0.0.0", token="")
    with pytest.raises(ViewError, match="no address can hold"):
        View(run.runtime, token="two words")
    with View(run.runtime, host="0.0.0.0") as view:
        assert view.token is not None
        assert len(view.token) >= 43
        assert view.url == f"http://127.0.0.1:{view.port}/#token={view.token}"
        assert view.url_elsewhere == view.url.replace("127.0.0.1", socket.gethostname())
        assert run.view.url_elsewhere == ""
        for host, status in (("evil.example", 403), ("192.168.1.7:80", 200), (socket.gethostname(), 200)):
            asked = HTTPConnection("127.0.0.1", view.port, timeout=PATIENT_S)
            asked.request("GET", "/health", headers={"Host": host})
            assert asked.getresponse().status == status


def test_a_port_that_is_taken(run: Rig) -> None:
    with (
        pytest.raises(ViewError, match=f"cannot listen on 127.0.0.1 port {run.view.port}"),
        View(run.runtime, port=run.view.port),
    ):
        pass
