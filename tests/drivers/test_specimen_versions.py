"""What the mounted microscope says of packages that are missing, or of other versions than those that are known."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from onscope.drivers import specimen
from onscope.drivers.micromanager import _versions
from onscope.drivers.micromanager._versions import KNOWN, check_version
from onscope.runtime import SourceError

from .specimens import QUICK, one_bead

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def installed(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    """Whatever is asked for is there in this version."""
    monkeypatch.setattr(_versions, "version", lambda _: number)


@pytest.mark.parametrize("package", KNOWN)
def test_the_installed_versions_are_known(package: str) -> None:
    check_version(package)


@pytest.mark.parametrize("package", KNOWN)
def test_the_project_asks_for_the_versions_that_are_known(package: str) -> None:
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    first, beyond = KNOWN[package]
    assert f"{package}>={first},<{beyond}" in extras["micromanager"]


@pytest.mark.parametrize("number", ["0.18.0", "0.19", "0.19.0rc1", "1.0.0", "0.17.9"])
def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    installed(monkeypatch, number)
    with pytest.raises(SourceError, match=rf"found pymmcore-plus {number}, expected 0.18.1 or later but before 0.19"):
        check_version("pymmcore-plus")


@pytest.mark.parametrize("number", ["0.18.1", "0.18.12", "0.18.2.post1", "0.18.2.dev3+g1a2b"])
def test_the_same_series_is_taken(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    installed(monkeypatch, number)
    check_version("pymmcore-plus")


def test_no_core_is_lent_to_another_mmpycorex(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        installed(other, "0.4.0")
        with pytest.raises(SourceError, match=r"found mmpycorex 0.4.0, expected 0.3.16 or later but before 0.3.17"):
            specimen.open(one_bead(), hardware=QUICK)
    with specimen.open(one_bead(), hardware=QUICK) as scope:  # nothing was left behind
        scope.mmc.snapImage()


@pytest.mark.parametrize("missing", ["pymmcore_plus", "pymmcore"])
def test_a_missing_package_is_said_in_one_sentence(missing: str) -> None:
    script = f"""
import sys
sys.modules[{missing!r}] = None  # what an import finds when it is not installed
from onscope.drivers import specimen
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=False)
    said = done.stderr.splitlines()[-1]
    assert f"SourceError: found no {missing}, expected Micro-Manager's Python packages: pip install" in said
