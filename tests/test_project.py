"""What holds for the whole project: small files, arrows between the rooms, extras, licences."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(
    path for room in ("runtime", "export", "drivers", "benchmarks") for path in (ROOT / room).rglob("*.py")
)
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_no_source_file_is_over_250_lines() -> None:
    long = {str(path.relative_to(ROOT)): n for path in SOURCES if (n := len(path.read_text().splitlines())) > 250}
    assert not long


def test_imports_follow_the_arrows() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("room", ["runtime", "export", "drivers"])
def test_onscope_is_a_namespace(room: str) -> None:
    assert not (ROOT / room / "onscope" / "__init__.py").exists()
    assert all((portion / "py.typed").exists() for portion in (ROOT / room / "onscope").iterdir() if portion.is_dir())


def test_every_dependency_is_bounded() -> None:
    project = PYPROJECT["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    loose = [need for group in groups for need in group if not need.startswith("onscope[") and "<" not in need]
    assert all(need.startswith(("tifffile", "mm-test-adapters")) for need in loose), loose  # versioned by date


@pytest.mark.long
def test_every_entry_point_can_be_imported() -> None:
    code = "\n".join(
        f"import importlib; getattr(importlib.import_module({target.split(':')[0]!r}), {target.split(':')[1]!r})"
        for group in PYPROJECT["project"]["entry-points"].values()
        for target in group.values()
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", ["onscope.runtime", "onscope.runtime.worker", "onscope.cli", "onscope.export.zoo"])
def test_what_starts_often_imports_nothing_heavy(module: str) -> None:
    heavy = ["torch", "bioimageio", "onnxruntime", "pycromanager", "skimage", "pyarrow", "tensorstore"]
    code = f"import sys, {module}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_nothing_untrusted_reaches_pickle_eval_or_a_shell() -> None:
    forbidden = re.compile(r"\b(pickle\.loads?|eval|exec)\(|shell=True|os\.system|allow_pickle=True|weights_only=False")
    found = [
        f"{path.name}: {line}" for path in SOURCES for line in path.read_text().splitlines() if forbidden.search(line)
    ]
    found = [each for each in found if ".eval()" not in each]
    assert not found
