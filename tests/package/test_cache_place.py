"""Where the cache lies, on each system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from onscope.runtime import PackageError
from onscope.runtime._cache_place import cache_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("ONSCOPE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", ".cache/onscope"),
        ("darwin", "Library/Caches/onscope"),
        ("win32", "AppData/Local/onscope/Cache"),
    ],
)
def test_by_convention(home: Path, monkeypatch: pytest.MonkeyPatch, platform: str, place: str) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder("graphs") == home / place / "graphs"
    assert (home / place / "graphs").is_dir()


def test_the_systems_own_variables(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "xdg"))
    assert cache_folder("graphs") == home / "xdg" / "onscope" / "graphs"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder("graphs") == home / ".cache" / "onscope" / "graphs"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(home / "local"))
    assert cache_folder("graphs") == home / "local" / "onscope" / "Cache" / "graphs"


def test_the_users_word_goes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONSCOPE_CACHE", str(home / "mine"))
    assert cache_folder("graphs") == cache_folder("graphs") == home / "mine" / "graphs"


def test_a_place_that_cannot_be_made_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("ONSCOPE_CACHE", str(home / "file" / "inside"))
    with pytest.raises(PackageError, match=r"no cache folder that can be written .*: set ONSCOPE_CACHE"):
        cache_folder("graphs")
