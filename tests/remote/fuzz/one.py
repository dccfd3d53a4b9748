"""`python -m tests.remote.fuzz.one HARNESS FOLDER [libFuzzer's options]`: one harness under atheris.

Ends when libFuzzer's options say so, with exit code 0; otherwise with what was found, and the input that did it in a
file that libFuzzer names.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import atheris

from .messages import edited, joined, split

BY_BYTES = 0.2
"""Share of the inputs that are changed as libFuzzer does, without a thought of messages."""

with atheris.instrument_imports(include=["onscope.runtime.remote"]):
    from .harnesses import HARNESSES


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Another input of at most so many bytes."""
    chance = random.Random(seed)
    if chance.random() < BY_BYTES:
        return bytes(atheris.Mutate(data, most))
    edits = [tuple(chance.randrange(1 << 20) for _ in range(3)) for _ in range(chance.randint(1, 4))]
    made = joined(edited(split(data), edits))  # type: ignore[arg-type] # three each
    return made if len(made) <= most else bytes(atheris.Mutate(data, most))


def main(name: str, folder: Path, *options: str) -> None:
    harness = HARNESSES[name](folder)
    atheris.Setup([sys.argv[0], *options], harness, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
