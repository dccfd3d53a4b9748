"""A shortened soak: 20 s at 100 frames/s. Its counts are asserted, its times and megabytes are not: machines differ."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.soak import Plan, judge, soak
from benchmarks.soak.__main__ import main, write
from benchmarks.soak._run import Account
from benchmarks.soak._vitals import Vitals
from PIL import Image

PLAN = Plan(seconds=20.0, fps=100.0, size=512, every_s=2.0)


@pytest.mark.long
def test_every_frame_of_a_short_soak_is_accounted_for_and_intact(tmp_path: Path) -> None:
    told: list[Vitals] = []
    account = soak(PLAN, tmp_path, told.append)
    verdict = judge(account)
    assert account.error == ""
    assert account.frames + account.lost_by_camera >= 2000
    assert account.ledger["failed"] == account.ledger["open"] == 0
    assert account.ledger["done"] > 0
    assert (verdict.unaccounted, verdict.hash_mismatches, verdict.unrecorded) == (0, 0, 0)
    assert told == account.vitals
    assert account.vitals[-1].checked == account.vitals[-1].saved == account.frames
    assert set(account.vitals[0].own_mb) == {"acquisition", "worker", "recorder"}
    write(tmp_path / "soak.json", PLAN, account, verdict, {})
    assert json.loads((tmp_path / "soak.json").read_text())["verdict"]["unaccounted"] == 0
    with Image.open(tmp_path / "soak.png") as picture:
        assert len(set(picture.getdata())) > 10


def line(number: int, own_mb: float = 100.0, p50_ms: float = 2.0) -> Vitals:
    times = {"p50": p50_ms}
    own = {"acquisition": own_mb}
    return Vitals(60.0 * number, 100.0, 100.0, times, times, {}, 0, 0, own, 0.0, {}, {})


SOUND = Account(frames=10, ledger={"done": 10}, vitals=[line(number) for number in range(20)])


def test_a_sound_run_has_no_failures() -> None:
    assert judge(SOUND).failures == ()


def test_memory_that_grows_fails() -> None:
    growing = replace(SOUND, vitals=[line(number, 100.0 + 4 * number) for number in range(20)])
    verdict = judge(growing)
    assert verdict.memory_growth_mb == {"acquisition": 36.0}
    assert verdict.failures == ("memory of the acquisition grew by 36 MB",)


def test_latency_that_drifts_fails() -> None:
    drifting = replace(SOUND, vitals=[line(number, p50_ms=2.0 + number / 4) for number in range(20)])
    assert judge(drifting).latency_drift > 3
    assert len(judge(drifting).failures) == 1


def test_each_count_that_must_be_zero_is_named() -> None:
    bad = replace(SOUND, unaccounted=1, wrong_in_results=2, wrong_on_disk=3, unrecorded=4, lost_by_camera=5)
    verdict = judge(replace(bad, ledger={"failed": 6}, error="boom"))
    assert [failure.split()[0] for failure in verdict.failures] == ["1", "5", "4", "5", "6", "boom"]


def test_a_folder_to_write_to_is_said_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not after the hour."""
    monkeypatch.setattr("sys.argv", ["soak", "--minutes", "60", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert "expected a file" in capsys.readouterr().err
