"""Workers and the scheduler are killed: nothing is lost, nothing is computed twice, the answers are the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from onscope.runtime import Frame, FrameSpec, Gather, Measure, Pipeline, RecordError, Stage, Track
from onscope.runtime.record import open_recording
from onscope.runtime.reprocess import Reprocessed, local_cluster, reprocess
from tests import models
from tests.live import test_hosted
from tests.live.test_labels import circles
from tests.live.test_window_answers import SPEC as SMALL
from tests.live.test_window_answers import adding

from .made import assert_same, chunk_files, record
from .test_same import small

WINDOWS, CHUNK = 240, 4
CHILD = """
import sys
from pathlib import Path
from onscope.runtime import Pipeline
from onscope.runtime.reprocess import Reprocessed, local_cluster, reprocess

if __name__ == "__main__":
    live, pipeline, out, chunk, provider = sys.argv[1:]
    done = reprocess(live, pipeline, out, workers=2, provider=provider, chunk=int(chunk), threads=1)
    print(done.windows, done.computed, done.there, flush=True)
"""
SLOW = "scripted:slow=100@*"
"""Every window takes 100 ms, so that deaths come in the middle of something."""


def begin(folder: Path, live: Path, pipeline: Path, out: Path) -> subprocess.Popen[str]:
    (folder / "child.py").write_text(CHILD)
    told = [sys.executable, str(folder / "child.py"), str(live), str(pipeline), str(out), str(CHUNK), SLOW]
    return subprocess.Popen(told, stdout=subprocess.PIPE, text=True, start_new_session=True)


def workers_of(child: subprocess.Popen[str]) -> list[psutil.Process]:
    try:
        found = psutil.Process(child.pid).children(recursive=True)
        return [each for each in found if "spawn_main" in " ".join(each.cmdline())]
    except psutil.Error:
        return []


def written(folder: Path, stage: str) -> Path:
    path = folder / "pipeline.yaml"
    path.write_text(f"schema: 1\nstages:\n  net:\n    package: {stage}\n")
    return path


def seen(out: Path, times: dict[Path, int]) -> None:
    """Note when each chunk was written; one that was written must not be written again."""
    for path in chunk_files(out):
        try:
            written_ns = path.stat().st_mtime_ns
        except FileNotFoundError:  # all is done, and they are removed
            continue
        assert times.setdefault(path, written_ns) == written_ns, path


def wait_for_chunks(child: subprocess.Popen[str], out: Path, count: int, times: dict[Path, int]) -> None:
    end = time.monotonic() + 120
    while len(times) < count and child.poll() is None and time.monotonic() < end:
        seen(out, times)
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["alone", "remembering"])
def test_workers_and_the_scheduler_are_killed(tmp_path: Path, client: Any, kind: str) -> None:
    """Pass: workers die five times and the scheduler once; a second run computes what was not done, and no more."""
    live, out = tmp_path / "live", tmp_path / "out"
    if kind == "alone":
        models.plus_one(tmp_path / "net")
    else:
        adding(tmp_path / "net")
    path = written(tmp_path, str(tmp_path / "net"))
    pipeline = Pipeline.load(path)
    record(live, pipeline, small([{"t": n // 3, "p": n % 3} for n in range(WINDOWS)]), SMALL)
    child, times = begin(tmp_path, live, path, out), dict[Path, int]()
    deaths = 0
    try:
        for round in range(1, 6):
            wait_for_chunks(child, out, 3 * round, times)
            workers = workers_of(child)
            if workers:
                workers[round % len(workers)].kill()
                deaths += 1
        wait_for_chunks(child, out, len(times) + 3, times)
        assert child.poll() is None, child.stdout and child.stdout.read()
        assert deaths == 5
    finally:
        left = workers_of(child)
        os.killpg(child.pid, signal.SIGKILL)  # the scheduler, and all that it started
        for each in left:
            each.kill()
        child.wait()
    psutil.wait_procs(left, timeout=20)
    seen(out, times)
    done = {path for path in times if path.exists()}
    assert done == set(times)  # nothing that was done is lost
    assert 0 < len(done) < WINDOWS // CHUNK
    assert open_recording(out).manifest["state"] == "open"
    again = reprocess(live, pipeline, out, cluster=client, provider=SLOW, chunk=CHUNK)
    assert again.there == len(done) * CHUNK
    assert again.computed == WINDOWS - again.there
    assert_same(live, out, 1)
    assert reprocess(live, pipeline, out, cluster=client, provider=SLOW, chunk=CHUNK).finished_before


def remembering(folder: Path, kind: str) -> tuple[Pipeline, list[Frame], FrameSpec]:
    if kind == "network":
        taken = small([{"t": n} for n in range(24)])
        return Pipeline([Stage("net", adding(folder / "net"))], Gather(1, on_gap="hold")), taken, SMALL
    stages = [
        Stage("nuclei", circles(folder / "circles")),
        Measure("cells", of="nuclei"),
        Track("tracks", of="cells", max_distance=10, gap=2),
    ]
    places = [{"t": n // 2, "p": n % 2} for n in range(24)]
    taken = [
        test_hosted.frame(n, (20, 20 + n, 8), *(((52, 40, 7),) if n % 5 else ()), index=at)
        for n, at in enumerate(places)
    ]
    return Pipeline(stages), taken, test_hosted.SPEC


@contextmanager
def changed(live: Path, row: int) -> Iterator[None]:
    """A raw frame has other pixels than its checksum says, for a while."""
    at, other = (
        live / each["array"] / "0" / "c" / "/".join(map(str, (*each["index"], 0, 0)))
        for each in open_recording(live).table("frames").take([row, row + 2 if row < 12 else row - 2]).to_pylist()
    )
    before = at.read_bytes()
    at.write_bytes(other.read_bytes())
    try:
        yield
    finally:
        at.write_bytes(before)


@pytest.mark.long
@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("kind", ["network", "tracks"])
def test_memories_go_on_after_a_death(tmp_path: Path, client: Any, kind: str, kept: bool) -> None:
    """Pass: what was put down is gone on from, and where that is lost, what came before is run again; frames that
    cannot be read say which it was. Nothing that was done is written again, and the answers are the same."""
    live, out = tmp_path / "live", tmp_path / "out"
    pipeline, taken, spec = remembering(tmp_path, kind)
    record(live, pipeline, taken, spec)

    def again(cluster: Any) -> Reprocessed:
        return reprocess(live, pipeline, out, cluster=cluster, provider="cpu", chunk=4)

    with changed(live, 23), pytest.raises(RecordError, match="frame 23 of"):
        again(client)
    chunks = {path: path.stat().st_mtime_ns for path in chunk_files(out)}
    assert len(chunks) == 5
    (state,) = chunk_files(out, "state")  # the newest alone is needed
    assert state.with_suffix(".chunk") == max(chunks, key=lambda path: chunks[path])
    with local_cluster(1) as fresh:  # nobody remembers anything there
        with changed(live, 1):
            if not kept:
                state.unlink()
                with pytest.raises(RecordError, match="frame 1 of"):
                    again(fresh)
                assert chunks == {path: path.stat().st_mtime_ns for path in chunk_files(out)}
            else:
                assert (again(fresh).computed, again(fresh).finished_before) == (4, True)
        if not kept:
            assert (again(fresh).computed, again(fresh).finished_before) == (4, True)
    assert_same(live, out, len(pipeline.stages))
