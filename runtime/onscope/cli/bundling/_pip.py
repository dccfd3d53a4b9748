"""pip, as a program: it fetches wheels without looking at what they need."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ._errors import BundleError
from ._target import Target


def download(requirements: Sequence[str], into: Path, target: Target, constraints: Path | None) -> str:
    """Fetch a wheel for each requirement; returns what pip said when it could not, else ""."""
    pinned = [] if constraints is None else ["--constraint", str(constraints)]
    return _pip(
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        str(into),
        *target.pip_options,
        *pinned,
        *requirements,
    )


def build(what: str, into: Path, constraints: Path | None = None) -> str:
    """Build a wheel of a source folder, or of a project that has none; returns what pip said when it could not."""
    pinned = [] if constraints is None else ["--constraint", str(constraints)]
    return _pip("wheel", "--no-deps", "--wheel-dir", str(into), *pinned, what)


def _pip(command: str, *words: str) -> str:
    line = [sys.executable, "-m", "pip", command, "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(line, capture_output=True, text=True, errors="replace")
    if "No module named pip" in done.stderr:
        raise BundleError(f"found no pip in {sys.executable}, expected it to fetch wheels: python -m ensurepip")
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
    return "" if done.returncode == 0 else " ".join(said)[:1000] or f"exit code {done.returncode}"
