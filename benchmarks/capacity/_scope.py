"""One microscope in a process of its own: `python -m benchmarks.capacity._scope SETTINGS.json` prints what came of it.

It says that it is ready, and begins when a line comes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from onscope.runtime import Admission, Pipeline, Runtime, open_source
from onscope.runtime.capacity import JITTER

STAMPS = ("received", "copied", "sent", "started", "finished", "delivered")


def main() -> None:
    told = json.loads(Path(sys.argv[1]).read_text())
    words = f"fps={told['fps']},n={told['frames']},size={told['size']},jitter={JITTER},seed={told['seed']}"
    pipeline = Pipeline.load(told["pipeline"])
    admission = Admission(told["kind"], 2)
    with open_source(f"scripted:{words}") as source:
        with Runtime(pipeline, worker=told["worker"], provider=told["provider"], admission=admission) as runtime:
            runtime.prepare(source.spec())
            print("ready", flush=True)
            sys.stdin.readline()
            stamps = [[getattr(each.stamps, name) for name in STAMPS] for each in runtime.stream(source)]
        print(json.dumps({"ends": runtime.ledger.reasons, "stamps": stamps}), flush=True)


if __name__ == "__main__":
    main()
