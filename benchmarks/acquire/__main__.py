"""The process that acquires: `python -m benchmarks.acquire '{"driver": ..., "who": ...}'`, one JSON line at the end."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from .._beside import busy
from . import _cameras, _submits, _workers
from ._job import Job, Outcome

HOOKS = {
    "script": _workers.script,
    "onscope": _workers.onscope,
    "copies": _submits.copies,
    "turns": _submits.turns,
}


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        found: dict[str, object] = {}
        with HOOKS[job.who](job, folder, found) as hook, busy(job.busy):
            error, saved, seconds = _cameras.acquire(job, folder, hook)
        print(json.dumps(asdict(Outcome(error, saved, seconds, found))), flush=True)
    os._exit(0)  # what an overflow leaves of a core does not always end by itself


if __name__ == "__main__":
    main()
