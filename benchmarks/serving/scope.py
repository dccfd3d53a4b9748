"""One microscope: `python -m benchmarks.serving.scope PACKAGE WORKER SIDE FPS SECONDS`; prints what came of it."""

from __future__ import annotations

import json
import sys
import time

from onscope.runtime import Frame, FrameId, Pipeline, Runtime, Stage, block, keep_newest, new_run_id

from ._server import pixels_of, spec_of


def main(package: str, worker: str, side: int, fps: float, seconds: float) -> None:
    pixels, frames = pixels_of(side), int(fps * seconds)
    pipeline = Pipeline([Stage("plus", package)])
    with Runtime(pipeline, worker=worker, admission=keep_newest(2), on_event=lambda event: None) as it:
        it.prepare(spec_of(side))
        print("ready", flush=True)
        sys.stdin.readline()
        results, run, began = it.subscribe(block(frames)), new_run_id(), time.perf_counter()
        for seq in range(frames):
            time.sleep(max(0.0, began + seq / fps - time.perf_counter()))
            it.submit(Frame(FrameId(run, "cam", 0, seq), pixels[seq % len(pixels)]))
        it.drain(60)
        found = [result.latency_ms for _ in range(it.ledger.counts["done"]) if (result := results.take(1.0))]
        assert it.ledger.adds_up()
    print(json.dumps({"latencies_ms": found, "counts": it.ledger.counts}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
