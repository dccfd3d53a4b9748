"""A real run with its view: two objects, labelled, measured and tracked, of which one walks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from onscope.runtime import Measure, Pipeline, Runtime, Stage, Track, block
from onscope.view import View
from tests.live.test_hosted import SPEC, frame
from tests.live.test_labels import circles

WAIT_S = 60.0


class Run:
    """`submit` hands the next frame over and waits for its result."""

    def __init__(self, runtime: Runtime, view: View) -> None:
        self.runtime, self.view, self.number = runtime, view, 0

    def submit(self) -> None:
        n = self.number
        self.runtime.submit(frame(n, (20, 20 + 2 * min(n % 40, 40 - n % 40), 9), (52, 60, 12), index={"t": n}))
        assert self.runtime.drain(WAIT_S)
        self.number += 1


@contextmanager
def real_run(folder: Path, token: str = "a-secret-of-the-run") -> Iterator[Run]:
    stages = [Stage("nuclei", circles(folder / "circles")), Measure("cells", of="nuclei")]
    pipeline = Pipeline([*stages, Track("tracks", of="cells", max_distance=10, gap=2)])
    with Runtime(pipeline, worker="thread", admission=block(4)) as runtime:
        runtime.prepare(SPEC)

        def pause(fields: dict[str, Any]) -> dict[str, Any]:
            return {"words": "paused by the test"}

        with View(runtime, token=token, spec=SPEC, actions={"pause": pause}) as view:
            yield Run(runtime, view)
