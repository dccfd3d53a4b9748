"""Words reach real servers on the loopback and real programs; what hangs, fails or listens elsewhere hurts nobody."""

from __future__ import annotations

import json
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from onscope.runtime import RuleError
from onscope.runtime.feedback.notify import MOST_WAITING, Notifier

PATIENCE_S = 60.0
SAVES = "import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"


class Server(ThreadingHTTPServer):
    """Keeps what it is sent, and answers with `code`, after `hold` is set."""

    daemon_threads = True
    code = 200
    location = ""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str], Any]] = []
        self.hold = threading.Event()
        self.hold.set()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), json.loads(body, parse_constant=pytest.fail)))
        self.server.hold.wait(PATIENCE_S)
        self.send_response(self.server.code)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.heard.append((self.path, {}, "GET"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


@contextmanager
def serving() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        made.hold.set()
        made.shutdown()
        thread.join()
        made.server_close()


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """Whether a process has ended; what no one has waited for yet is a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_a_webhook_hears_words_and_what_they_are_about(server: Server, host: str) -> None:
    told: list[str] = []
    with Notifier({"phone": [f"http://{host}:{server.port}/hook?a=1"]}, tell=told.append) as notifier:
        assert notifier.send("phone", "a cell divides; ü", {"event": 17, "snr": math.nan, "at": (1, 2)})
        assert notifier.drain(PATIENCE_S)
        assert (notifier.sent, notifier.failed, told) == (1, 0, [])
    ((path, headers, body),) = server.heard
    assert path == "/hook?a=1"
    assert headers["Content-Type"] == "application/json"
    assert body == {"words": "a cell divides; ü", "event": 17, "snr": {"number": "nan"}, "at": [1, 2]}


def test_proxies_of_this_machine_are_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with Notifier({"phone": [f"http://127.0.0.1:{server.port}"]}) as notifier:
            notifier.send("phone", "words")
            assert notifier.drain(PATIENCE_S)
            assert notifier.sent == 1
        assert [path for path, _, _ in server.heard] == ["/"]
        assert not proxy.heard


def test_redirects_are_not_followed(server: Server) -> None:
    told: list[str] = []
    with serving() as other:
        server.code, server.location = 302, f"http://127.0.0.1:{other.port}/elsewhere"
        with Notifier({"phone": [f"http://127.0.0.1:{server.port}/"]}, tell=told.append) as notifier:
            notifier.send("phone", "words")
            assert notifier.drain(PATIENCE_S)
            assert (notifier.sent, notifier.failed) == (0, 1)
        assert not other.heard
    assert told == ["phone was not told: it answered 302 Found"]


def test_a_server_that_hangs_has_its_time_and_others_are_told(server: Server) -> None:
    server.hold.clear()
    told: list[str] = []
    with serving() as other:
        targets = {"hangs": [f"http://127.0.0.1:{server.port}"], "works": [f"http://127.0.0.1:{other.port}"]}
        with Notifier(targets, timeout_s=0.5, tell=told.append) as notifier:
            notifier.send("hangs", "words")
            notifier.send("works", "words")
            assert notifier.drain(PATIENCE_S)
            assert notifier.failed == 1
            assert "hangs was not told: it did not answer within 0.5 s" in told
        assert len(other.heard) == 1


def test_a_server_that_drips_has_its_time() -> None:
    """A byte now and then begins a socket's own time-out anew."""
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not ended.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Notifier({"drips": [address]}, timeout_s=0.5, tell=told.append) as notifier:
            notifier.send("drips", "words")
            assert notifier.drain(PATIENCE_S / 2)
        ended.set()
        thread.join()
    assert told == ["drips was not told: it did not answer within 0.5 s"]


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told: list[str] = []
    with Notifier({"phone": [f"http://127.0.0.1:{port}"]}, tell=told.append) as notifier:
        notifier.send("phone", "words")
        assert notifier.drain(PATIENCE_S)
    assert told == ["phone was not told: Connection refused"]


@pytest.mark.parametrize(
    "words",
    [
        ["http://example.org/"],
        ["http://192.168.0.1/"],
        ["http://0.0.0.0/"],
        ["http://127.0.0.1.example.org/"],
        ["http://localhost@example.org/"],
        ["http://user:word@127.0.0.1/"],
        ["https://127.0.0.1/"],
        ["file:///etc/passwd"],
        ["http://127.0.0.1:99999/"],
        ["http://[::1/"],
        ["http://127.0.0.1/a b"],
        ["http://127.0.0.1/\r\nX: y"],
        ["http://127.0.0.1/", "more"],
        [],
        [""],
        ["run.bat"],
        ["C:/tools/run.CMD", "x"],
        ["echo", "a\0b"],
        "echo",
    ],
)
def test_other_targets_are_refused(words: Any) -> None:
    with pytest.raises(RuleError, match=r"found .*, expected "):
        Notifier({"other": words})


def test_a_command_gets_the_words_as_its_last_argument_and_no_shell(tmp_path: Path) -> None:
    words = "$(touch hacked); `id` && \"quoted\" 'too' * ü\nsecond line\0 third"
    with Notifier({"run": [sys.executable, "-c", SAVES, str(tmp_path / "out.json"), "first"]}) as notifier:
        assert notifier.send("run", words)
        assert notifier.drain(PATIENCE_S)
        assert notifier.sent == 1
    assert json.loads((tmp_path / "out.json").read_text()) == ["first", words.replace("\0", " ")]


def test_how_a_command_failed_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    fails = "import sys; print('x' * 100_000, file=sys.stderr); sys.exit('no modem found')"
    targets = {"fails": [sys.executable, "-c", fails], "missing": [str(tmp_path / "nothing")]}
    with Notifier(targets, tell=told.append) as notifier:
        for name in targets:
            notifier.send(name, "words")
        assert notifier.drain(PATIENCE_S)
        assert notifier.failed == 2
    assert told == [
        "fails was not told: it ended with exit code 1: no modem found",
        "missing was not told: No such file or directory",
    ]


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    child = "import time; time.sleep(1000)"
    code = (
        "import os, subprocess, sys, time; "
        f"one = subprocess.Popen([sys.executable, '-c', {child!r}]); "
        f"two = subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True); "
        "open(sys.argv[1] + '.part', 'w').write(f'{os.getpid()} {one.pid} {two.pid}'); "
        "os.rename(sys.argv[1] + '.part', sys.argv[1]); time.sleep(1000)"
    )
    told: list[str] = []
    pids = tmp_path / "pids"
    with Notifier({"hangs": [sys.executable, "-c", code, str(pids)]}, timeout_s=5, tell=told.append) as notifier:
        notifier.send("hangs", "words")
        assert notifier.drain(PATIENCE_S)
    assert told == ["hangs was not told: it did not end within 5 s, and was killed"]
    for pid in map(int, pids.read_text().split()):
        until(partial(is_gone, pid))


def test_the_queue_is_bounded_and_unknown_targets_are_refused(server: Server) -> None:
    server.hold.clear()
    with Notifier({"phone": [f"http://127.0.0.1:{server.port}"]}, timeout_s=PATIENCE_S) as notifier:
        assert not notifier.send("nobody", "words")
        assert notifier.send("phone", "first")
        until(lambda: server.heard)
        taken = [notifier.send("phone", "words") for _ in range(MOST_WAITING + 5)]
        assert taken == [True] * MOST_WAITING + [False] * 5
        server.hold.set()
        assert notifier.drain(PATIENCE_S)
        assert (notifier.sent, notifier.failed) == (MOST_WAITING + 1, 6)
    assert not notifier.send("phone", "after the end")


def test_a_listener_that_fails_ends_nothing(server: Server) -> None:
    def tell(sentence: str) -> None:
        raise RuntimeError(sentence)

    targets = {"fails": ["/nothing/here"], "works": [f"http://127.0.0.1:{server.port}"]}
    with Notifier(targets, tell=tell) as notifier:
        notifier.send("fails", "words")
        notifier.send("works", "words")
        assert notifier.drain(PATIENCE_S)
        assert (notifier.sent, notifier.failed) == (1, 1)
