"""The folder of a run is as it was when the run could not begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from onscope.cli._folder import new_recording
from onscope.runtime.record import Recording, open_recording


def begin(path: Path, overwrite: bool = False, fails: bool = False) -> None:
    with new_recording(path, overwrite, lambda where: Recording(where, "new")) as (_, sure):
        if fails:
            raise ZeroDivisionError
        sure()


@pytest.fixture
def old(tmp_path: Path) -> Path:
    begin(tmp_path / "run")
    (tmp_path / "run" / "mine.txt").write_text("mine")
    return tmp_path / "run"


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        begin(tmp_path / "run", fails=True)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(ZeroDivisionError):
        begin(tmp_path / "empty", fails=True)
    assert list((tmp_path / "empty").iterdir()) == []


def test_what_was_there_stays_when_it_may_not_be_overwritten(old: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="in use"):
        begin(old)
    assert (old / "mine.txt").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(Exception, match="in use"):
        begin(tmp_path / "other", overwrite=True)
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"


def test_what_was_to_be_overwritten_comes_back_when_the_new_run_cannot_begin(old: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        begin(old, overwrite=True, fails=True)
    assert (old / "mine.txt").read_text() == "mine"
    assert open_recording(old).manifest["state"] == "complete"
    assert [path.name for path in old.parent.iterdir()] == ["run"]


def test_a_run_that_goes_on_takes_its_place(old: Path) -> None:
    begin(old, overwrite=True)
    assert not (old / "mine.txt").exists()
    assert [path.name for path in old.parent.iterdir()] == ["run"]


def test_two_that_begin_together_do_not_remove_each_other(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()

    def second(where: Path) -> Recording:
        begin(where)  # another one was faster
        return Recording(where, "second")

    with pytest.raises(Exception, match="in use"), new_recording(path, False, second):
        pass
    assert open_recording(path).manifest["pipeline"] == "new"


@pytest.mark.long
def test_a_recording_that_a_killed_run_set_aside_is_kept(old: Path) -> None:
    aside = old.with_name(".run-before-1234")
    old.rename(aside)
    begin(old)
    with pytest.raises(ZeroDivisionError):
        begin(old, overwrite=True, fails=True)
    begin(old, overwrite=True)
    assert (aside / "mine.txt").read_text() == "mine"


def test_an_empty_folder_behind_a_link_is_emptied_again(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with pytest.raises(ZeroDivisionError):
        begin(tmp_path / "link", fails=True)
    assert list((tmp_path / "there").iterdir()) == []
    begin(tmp_path / "link")
    assert len(open_recording(tmp_path / "there")) == 0
