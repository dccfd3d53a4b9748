"""A failing test is given one more chance, and only one; nothing of it is kept quiet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOMETIMES = """
from pathlib import Path
def test_sometimes():
    first = Path(__file__).with_name("first")
    if not first.exists():
        first.touch()
        raise AssertionError("a moment that it does not allow for")
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("tests", "code", "last"),
    [
        ("def test_good(): pass", 0, "1 passed"),
        (SOMETIMES, 0, "PASSED ONLY THE SECOND TIME, to be looked into: test_it.py::test_sometimes"),
        ("def test_bad(): assert 0", 1, "1 failed"),
        (
            "def test_a(): assert 0\ndef test_b(): assert 0\ndef test_c(): assert 0\ndef test_d(): assert 0",
            1,
            "4 failed",
        ),
        ("x = 1", 5, ""),  # no tests: in whatever words plug-ins make of it
    ],
)
def test_one_more_chance(tmp_path: Path, tests: str, code: int, last: str) -> None:
    (tmp_path / "test_it.py").write_text(tests)
    words = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.once_more import main; "]
    words[-1] += f"sys.exit(main(['--rootdir={tmp_path}', '-p', 'no:cacheprovider', 'test_it.py']))"
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert last in done.stdout.splitlines()[-1]
    if last.startswith("PASSED"):
        assert "a moment that it does not allow for" in done.stdout
