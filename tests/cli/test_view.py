"""`--view` of a run and `onscope view`: the real command line and server, looked at by a real viewer."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onscope.runtime.feedback.journal import read_journal
from onscope.runtime.record import open_recording
from tests.processes import heed_ctrl_c

from .conftest import FRAMES, Call
from .looker import PATIENCE_S, Looker, url_of

pytest.importorskip("websockets")
pytest.importorskip("starlette")
RUN = "from onscope.cli import main; main()"
VIEW = "import typer; from onscope.cli._view import view; typer.run(view)"
RAW = {"id": 1, "image": "raw", "size": [64, 64], "bits": 16}


@contextmanager
def started(code: str, *words: object) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A command in a process of its own, and what it has said so far."""
    lines: list[str] = []
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        preexec_fn=heed_ctrl_c if os.name == "posix" else None,
    ) as process:
        try:
            yield process, lines
        finally:
            process.kill()


def ended(process: subprocess.Popen[str], lines: list[str]) -> int:
    assert process.stdout is not None
    lines += process.stdout.readlines()
    return process.wait(PATIENCE_S)


def is_frame(number: int, head: dict[str, Any]) -> bool:
    return "frame" in head and head["frame"]["seq"] == number


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a POSIX signal")
def test_a_run_is_looked_at_and_ended_by_a_viewer(
    call: Call, pipeline_file: Path, stack: Path, images: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["run", pipeline_file, "--source", f"replay:{stack}", "--fps", 0.5, "--out", out, "--view", "--stay"]
    with started(RUN, *words) as (process, lines), Looker(url_of(process, lines)) as looker:
        assert looker.layout["live"]
        assert {"stop", "snapshot", "pause", "resume"} <= set(looker.layout["actions"])
        assert not {"arm", "shadow", "swap", "seek"} & set(looker.layout["actions"])
        looker.show(RAW)
        head, arrays = looker.wait(lambda: looker.update(lambda head: bool(head["views"])))
        assert np.array_equal(arrays[head["views"][0]["array"]], images[head["frame"]["seq"]])
        done = looker.do("snapshot", views=[RAW, {"id": 2, "image": "double"}], colours={"2": "fire"})
        assert done["ok"], done
        found = looker.wait(lambda: looker.update(lambda head: head.get("snapshot") == done["name"]))
        png = found[1][0].tobytes()
        assert looker.do("arm")["ok"] is False
        assert looker.do("pause")["ok"]
        assert looker.wait(lambda: looker.text("status", paused=True))
        assert looker.do("stop")["ok"]
        assert looker.wait(lambda: looker.text("ended"))
        later = looker.do("snapshot", views=[RAW])  # the last picture can still be asked for
        assert later["ok"], later
        for line in process.stdout or ():
            lines.append(line)
            if "the view stays" in line:
                break
        last = looker.do("snapshot", views=[RAW])  # also when the recording is closed
        assert last["ok"], last
        process.send_signal(signal.SIGINT)
        assert ended(process, lines) == 0, "".join(lines)
    run = open_recording(out)
    assert 0 < len(run) < FRAMES
    assert (out / "snapshots" / done["name"]).read_bytes() == png
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        told = json.loads(image.text["onscope"])  # type: ignore[attr-defined]
    assert told["frame"]["run"] == run.frame(0).id.run
    assert [view["image"] for view in told["views"]] == ["raw", "double"]
    assert told["providers"]["plus"] == "cpu"
    assert len(told["packages"]["plus"]["sha256"]) == 64
    events = [event["message"] for event in run.manifest["events"] if event["kind"] == "view"]
    assert [message.split(":")[0] for message in events] == [
        f"a viewer asked for {action}" for action in ("snapshot", "pause", "stop")
    ]
    assert "the ledger adds up" in "".join(lines)
    assert {each.name for each in (out / "snapshots").iterdir()} == {each["name"] for each in (done, later, last)}
    said = call("verify", out)
    assert said.code == 0, said.out


@pytest.mark.long
def test_a_token_is_wanted_and_stays_out_of_the_recording(pipeline_file: Path, stack: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["run", pipeline_file, "--source", f"replay:{stack}", "--fps", 1, "--frames", 3, "--out", out]
    with started(RUN, *words, "--view", "--host", "0.0.0.0", "--token", "s3cr3t-word") as (process, lines):
        url = url_of(process, lines)
        with Looker(url) as looker:
            assert looker.layout["run"] is not None
        with pytest.raises(Exception, match="1008"):
            Looker(url.replace("s3cr3t-word", "guessed"))
        assert ended(process, lines) == 0, "".join(lines)
    assert len(open_recording(out)) == 3
    assert not [path for path in out.rglob("*") if path.is_file() and b"s3cr3t-word" in path.read_bytes()]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--view-port", 8000], "--view"),
        (["--token", "x"], "--view"),
        (["--stay"], "--view"),
        (["--view", "--swap", "plus"], "STAGE=PACKAGE"),
        (["--view", "--host", "0.0.0.0", "--token", ""], "expected one"),
        (["--view", "--host", "no such host", "--token", "x"], "cannot listen on"),
    ],
)
def test_options_that_do_not_fit_are_named(
    call: Call, pipeline_file: Path, stack: Path, tmp_path: Path, words: list[object], expected: str
) -> None:
    out = tmp_path / "out"
    said = call("run", pipeline_file, "--source", f"replay:{stack}", "--out", out, *words)
    assert said.code == 1, said.out
    assert expected in " ".join(said.err.split())
    assert not out.exists()


RULES = """
schema: 1
rules:
  always:
    when: {found.count: {above: -1}}
    then:
      - move_stage: {x_um: 241, y_um: 240}
"""


def has_said(looker: Looker, armed: bool) -> bool:
    """Whether a status has come that says so."""
    told = [each.get("feedback") for each in looker.texts if each["type"] == "status"]
    return any(each["armed"] is armed for each in told if each)


@pytest.mark.long
def test_a_viewer_arms_and_disarms_the_feedback(pipeline_file: Path, tmp_path: Path) -> None:
    rules, out = tmp_path / "rules.yaml", tmp_path / "out"
    rules.write_text(RULES)
    words = ["run", pipeline_file, "--source", "specimen:dividing-cells", "--out", out, "--rules", rules, "--view"]
    with started(RUN, *words) as (process, lines), Looker(url_of(process, lines)) as looker:
        assert {"arm", "shadow", "stop", "snapshot"} <= set(looker.layout["actions"])
        assert looker.wait(lambda: looker.text("status"))["feedback"]["armed"] is False
        assert looker.do("pause")["ok"] is False  # in shadow mode nothing is carried out
        setting = looker.wait(lambda: [each for each in looker.settings() if each["of"] == "rule always"])[0]
        assert (setting["name"], setting["value"]) == ("found.count.above", -1)
        tuned = looker.do("tune", of="rule always", name="found.count.above", value=1)
        assert tuned["ok"], tuned
        for action, armed in (("arm", True), ("shadow", False)):
            looker.texts.clear()
            done = looker.do(action)
            assert done["ok"], done
            # The first status may be one that was made before.
            assert looker.wait(partial(has_said, looker, armed))
        assert looker.do("stop")["ok"]
        assert ended(process, lines) == 0, "".join(lines)
    kinds = [
        each.kind for each in read_journal(out / "feedback.jsonl") if each.because.startswith(("armed:", "NOTHING"))
    ]
    assert kinds == ["shadow mode", "feedback", "shadow mode"]
    said = [event["message"] for event in open_recording(out).manifest["events"] if event["kind"] == "view"]
    assert [message.split(":")[0] for message in said] == [
        f"a viewer asked for {each}" for each in ("pause, which was refused", "tune", "arm", "shadow", "stop")
    ]


@pytest.mark.long
def test_the_demo_says_where_its_view_is(call: Call, tmp_path: Path) -> None:
    said = call("demo", "--frames", 10, "--out", tmp_path / "out", "--view", "--no-browser")
    assert said.code == 0, said.out + said.err
    assert "view: http://127.0.0.1:" in said.out


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is sent as a POSIX signal")
def test_a_recording_is_looked_at(
    call: Call, pipeline_file: Path, stack: Path, images: np.ndarray, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert call("run", pipeline_file, "--source", f"replay:{stack}", "--out", out).code == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    with started(VIEW, out) as (process, lines):
        with Looker(url_of(process, lines)) as looker:
            assert looker.layout["live"] is False
            assert looker.layout["frames"] == FRAMES
            assert set(looker.layout["actions"]) == {"seek", "play", "snapshot"}
            looker.show(RAW, {"id": 2, "image": "double", "size": [96, 128], "bits": 16, "vectors": ["spots:found"]})
            for number in (7, 2):
                assert looker.do("seek", frame=number)["ok"]
                head, arrays = looker.wait(partial(looker.update, partial(is_frame, number)))
                raw, double = (arrays[view["array"]] for view in head["views"])
                assert np.array_equal(raw, images[number])
                assert np.array_equal(double, np.kron(images[number] + 1, np.ones((2, 2), np.uint16)))
                assert head["vectors"][0]["table"] == "found"
            assert looker.do("seek", frame=FRAMES)["ok"] is False
            assert looker.do("play", fps=100)["ok"]
            looker.wait(partial(looker.update, partial(is_frame, FRAMES - 1)))
            done = looker.do("snapshot", views=[RAW])
            assert done["ok"], done
            looker.wait(lambda: looker.update(lambda head: head.get("snapshot") == done["name"]))
        process.send_signal(signal.SIGINT)
        assert ended(process, lines) == 0, "".join(lines)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
