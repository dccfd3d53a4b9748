"""How many threads ONNX Runtime should have, and whether they should spin: `python -m benchmarks.threads`.

Every way of opening the sessions runs in a process of its own, as the worker does; all of them are open at once and
take turns, so that a change of the machine's load meets them alike. Ratios are medians of the rounds' own ratios to
the first way.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort

from onscope.runtime import Pipeline, now_ns
from onscope.runtime._cores import available_cores

from ._beside import PLACES, Where, busy
from ._material import chosen_pipeline, images
from ._report import ROOT, conditions


@dataclass(frozen=True)
class Way:
    """Session options: `threads`, and entries of the configuration."""

    name: str
    threads: int
    entries: tuple[tuple[str, str], ...] = ()


STOP = (("session.force_spinning_stop", "1"),)
NO_SPIN = (("session.intra_op.allow_spinning", "0"),)
SHORT = (("session.intra_op.spin_duration_us", "100"),)


def ways(cores: int) -> list[Way]:
    """The `cpu` engine's own options first."""
    found = [Way(f"{cores} threads, spinning for 100 us", cores, SHORT)]
    found += [Way(f"{cores} threads, {name}", cores, entries) for name, entries in _SPINS]
    found += [Way(f"{n} threads, spinning for 100 us", n, SHORT) for n in sorted({1, max(1, cores - 1)} - {cores})]
    return found


_SPINS = (
    ("spinning", ()),
    ("no spinning", NO_SPIN),
    ("spinning stops after a run", STOP),
    ("spinning for 100 us, stops after a run", STOP + SHORT),
)


def serve(number: int, folder: Path) -> None:
    """A process with its sessions open: runs a frame per line of standard input, `stages frames`, tells the times."""
    way = ways(available_cores())[number]
    pipeline, _ = chosen_pipeline(folder)
    sessions = _open(pipeline, way)
    frames = images(512, 4)
    _run(sessions, frames[0])
    print("ready", flush=True)
    for line in sys.stdin:
        stages, count = map(int, line.split())
        times = []
        for k in range(count):
            start = now_ns()
            _run(sessions[:stages], frames[k % 4])
            times.append((now_ns() - start) / 1e6)
        print(*times, flush=True)


def _open(pipeline: Pipeline, way: Way) -> list[tuple[str, str, ort.InferenceSession]]:
    opened = []
    for stage in pipeline.stages:
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = way.threads, 1
        options.log_severity_level = 3
        for key, value in way.entries:
            options.add_session_config_entry(key, value)
        path = str(stage.package.weights)
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        opened.append((stage.name, stage.reads, session))
    return opened


def _run(sessions: list[tuple[str, str, ort.InferenceSession]], frame: np.ndarray) -> None:
    known = {"frame": frame[None, None]}
    for name, reads, session in sessions:
        known[name] = session.run(None, {session.get_inputs()[0].name: known[reads]})[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--frames", type=int, default=6, help="per round and way")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve, options.folder)
        return
    print(f"load before: {conditions()['load_before']}\n")
    print("| sessions | beside | way | ms p50 | ms p99 | throughput, ratio |\n|---|---|---|---|---|---|")
    chosen = ways(available_cores())
    with tempfile.TemporaryDirectory() as temporary:
        processes = [_start(number, Path(temporary)) for number in range(len(chosen))]
        try:
            for stages in (1, 3):
                for where in PLACES:
                    with busy(where):
                        _measure(chosen, processes, stages, where, options.rounds, options.frames)
        finally:
            for process in processes:
                process.kill()
                process.wait()


def _start(number: int, folder: Path) -> subprocess.Popen[str]:
    own = folder / str(number)
    own.mkdir()
    command = [sys.executable, "-m", "benchmarks.threads", "--serve", str(number), "--folder", str(own)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if _ask(process, "") != "ready":
        raise RuntimeError(
            f"found that process {number} did not open its sessions, expected it to: see its words above"
        )
    return process


def _ask(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    if line:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def _measure(
    chosen: list[Way], processes: list[subprocess.Popen[str]], stages: int, where: Where, rounds: int, frames: int
) -> None:
    times: dict[str, list[float]] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        took: dict[str, float] = {}
        pairs = list(zip(chosen, processes, strict=True))
        for way, process in pairs if number % 2 else reversed(pairs):
            one = [float(text) for text in _ask(process, f"{stages} {frames}").split()]
            times[way.name] += one
            took[way.name] = sum(one)
        for way in chosen:
            ratios[way.name].append(took[chosen[0].name] / took[way.name])
    for way in chosen:
        p50, p99 = np.percentile(times[way.name], (50, 99))
        ratio = statistics.median(ratios[way.name])
        print(f"| {stages} | {where} | {way.name} | {p50:.1f} | {p99:.1f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
