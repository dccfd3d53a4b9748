"""`python -m tests.remote.fuzz [HARNESS ...] [libFuzzer's options]`: all harnesses, one after another.

    python -m tests.remote.fuzz -max_total_time=60              a minute each
    python -m tests.remote.fuzz guest desk -runs=100000

Each begins with what is really said, recorded from small runs. What they learn is kept in the checkout's folder .fuzz,
and so is an input that did what must not be; then the exit code is 1.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .messages import WORDS

KEPT = Path(__file__).resolve().parents[3] / ".fuzz"
LIMITS = ("-rss_limit_mb=1024", "-malloc_limit_mb=512", "-timeout=20", "-max_len=65536")


def main(words: Sequence[str]) -> int:
    if importlib.util.find_spec("atheris") is None:
        print('found no atheris, expected it: pip install -e ".[fuzz]"')
        return 1
    names = [word for word in words if not word.startswith("-")]
    options = [word for word in words if word.startswith("-")] or ["-max_total_time=60"]
    with tempfile.TemporaryDirectory() as temporary:
        known = _prepare(Path(temporary))
        failed = []
        for name in names or known:
            print(f"== {name}", flush=True)
            if _fuzz(name, Path(temporary), options):
                failed.append(name)
    print(f"found something: {', '.join(failed)}" if failed else "nothing was found")
    return bool(failed)


def _prepare(folder: Path) -> list[str]:
    """Seeds and a dictionary in a folder; the names of all harnesses."""
    from .harnesses import HARNESSES
    from .recorded import record

    for name, seeds in record(folder / "runs").items():
        (folder / name).mkdir()
        for number, seed in enumerate(seeds):
            (folder / name / str(number)).write_bytes(seed)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in dict.fromkeys(WORDS)))
    return list(HARNESSES)


def _fuzz(name: str, folder: Path, options: Sequence[str]) -> int:
    corpus, work = KEPT / name, folder / f"{name}-work"
    corpus.mkdir(parents=True, exist_ok=True)
    work.mkdir()
    line = [sys.executable, "-m", "tests.remote.fuzz.one", name, str(work), *LIMITS, f"-dict={folder / 'words'}"]
    line += [f"-artifact_prefix={KEPT / name}-", "-print_final_stats=1", *options, str(corpus), str(folder / name)]
    return subprocess.run(line, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
