"""`onscope explain`: in words, as a picture, as a table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from onscope.runtime.drawing import BAD, GOOD
from onscope.runtime.feedback import Command, MoveStage, Recentre, SetInterval
from onscope.runtime.feedback.journal import Journal
from tests.cli.conftest import Call
from tests.feedback.journal.examples import SECOND, done, passed, proposal, refused


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Done, refused twice for one reason, failed; the watchdog; a curve."""
    path = tmp_path_factory.mktemp("journal") / "feedback.jsonl"
    with Journal(path, armed=True, rules_name="mitosis.yaml", packages={"phase": "zoo/mitosis-cells"}) as journal:
        began = journal.clock.monotonic_ns
        at = began + 5 * SECOND
        fast = SetInterval(1.0)
        number = journal.proposal(proposal(fast, at, priority=5))
        journal.verdict(number, passed(fast, at))
        journal.done(number, done(at))
        for count in range(2):
            at += 10 * SECOND
            far = MoveStage(900.0 + count, 0.0)
            number = journal.proposal(proposal(Recentre(), at, rule="follow"))
            words = f"found {900 + count} um as x, allowed are 0 to 500 um: set wider limits before the start"
            journal.verdict(number, refused(words, at, far))
        number = journal.proposal(proposal(Recentre(), at + SECOND, rule="follow"))
        journal.verdict(number, passed(MoveStage(1.0, 2.0), at + SECOND))
        journal.failed(number, "the stage does not answer", [Command(at + SECOND, "setXYPosition", "XYStage", [1, 2])])
        journal.event(
            "safe state",
            "no result for 2 s",
            at_ns=at + 4 * SECOND,
            commands=[Command(at, "setShutterOpen", "Shutter", False)],
        )
        for second in range(30):
            journal.values({"dose_j_cm2": second / 10}, at_ns=began + second * SECOND)
    return path


def test_without_an_event_it_says_what_became_of_all(call: Call, journal: Path) -> None:
    said = call("explain", journal)
    assert said.code == 0, said.err
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert "rule asked done refused failed" in lines
    assert "mitosis 1 1 0 0" in lines
    assert "follow 3 0 2 1" in lines
    assert any(line.startswith("2 found 901 um as x, allowed are 0 to 500 um") for line in lines)
    assert "1 the stage does not answer event 4" in lines
    assert (
        "from core receipt to the first command: half within 40.9 ms, 95 % within 40.9 ms, all within 40.9 ms" in lines
    )
    assert any(line.startswith("1 5 s mitosis done take a frame every 1 s") for line in lines)


def test_an_event_is_told_from_the_frame_to_the_command(call: Call, journal: Path) -> None:
    said = call("explain", journal, "--event", 1)
    assert said.code == 0, said.err
    assert "5 s after the start: the microscope did what the rule mitosis asked for." in said.out
    for words in (
        "frame 7 of Camera (run r1, segment 0)",
        "object 4 (track 12) at y 120.5, x 33.25 pixels: area 301",
        "because 2 of the last 3 frames: score of phase 0.91 > 0.8",
        "values: score 0.91, odd no number",
        "answers of phase by zoo/mitosis-cells, sha256 abababababab",
        "take a frame every 1 s",
        "by the rule mitosis, priority 5",
        "passed: within all limits",
        "setProperty Laser 488 Power, 1.5",
        "setExposure Camera 12",
        "40.00 ms  the rule asked              (+40.00 ms)",
        "40.30 ms  the gate had judged         (+0.30 ms)",
        "40.90 ms  the first command was sent  (+0.10 ms)",
        "42.50 ms  it was done                 (+1.60 ms)",
    ):
        assert words in said.out, words


def test_why_nothing_was_done_is_told(call: Call, journal: Path) -> None:
    said = call("explain", journal, "--event", 2).out
    assert "the gate refused what the rule follow asked for, and nothing was done" in said
    assert "bring the object to the middle" in said
    assert "that means to move the stage to x 900 um, y 0 um" in said
    assert "refused: found 900 um as x, allowed are 0 to 500 um" in said
    assert "no command was sent" in said
    said = call("explain", journal, "--event", 4).out
    assert "the hardware refused it: the stage does not answer" in said
    assert "setXYPosition XYStage 1, 2" in said
    said = call("explain", journal, "--event", 5).out
    assert "safe state" in said
    assert "no result for 2 s" in said
    assert "setShutterOpen Shutter off" in said


def test_the_table_has_a_row_per_event(call: Call, journal: Path, tmp_path: Path) -> None:
    assert call("explain", journal, "--table", tmp_path / "out.csv").code == 0
    with open(tmp_path / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["outcome"] for row in rows] == ["done", "refused", "refused", "failed", "event"]
    assert rows[0]["words"] == "take a frame every 1 s"
    assert rows[0]["commands"] == "setProperty Laser 488 Power, 1.5\nsetExposure Camera 12"
    assert int(rows[0]["first_command_ns"]) - int(rows[0]["received_ns"]) == 40_900_000
    assert rows[1]["reason"].startswith("found 900 um as x")
    assert rows[4]["rule"] == ""


def test_the_timeline_has_marks_for_what_was_done_and_refused(call: Call, journal: Path, tmp_path: Path) -> None:
    said = call("explain", journal, "--timeline", tmp_path / "out.png")
    assert said.code == 0, said.err
    pixels = np.asarray(Image.open(tmp_path / "out.png"))
    assert pixels.shape[1] == 1600
    plot = pixels[110:-320, 310:]
    for colour in (GOOD, BAD):
        assert (plot == colour).all(axis=2).sum() > 30


def test_a_journal_of_nothing_and_one_that_was_torn(call: Call, journal: Path, tmp_path: Path) -> None:
    with Journal(tmp_path / "empty.jsonl"):
        pass
    said = call("explain", tmp_path / "empty.jsonl", "--timeline", tmp_path / "empty.png")
    assert (said.code, "no rule asked for anything" in said.out) == (0, True)
    assert "shadow mode" in said.out
    (tmp_path / "torn.jsonl").write_bytes(journal.read_bytes()[:-20])
    said = call("explain", tmp_path / "torn.jsonl")
    assert said.code == 0
    assert "it did not end in order" in said.out
    assert "was cut off after" in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--event", "17"], "found no event 17 in"),
        (["--timeline", "out.jpg"], "found the suffix '.jpg'"),
        (["--table", "out.xls"], "found the suffix '.xls'"),
        (["--timeline", "nowhere/out.png"], "could not be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    call: Call, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = call("explain", journal, *words)
    assert said.code == 1
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1


def test_what_is_no_journal_is_one_sentence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("hello\n")
    for path in (tmp_path / "other.txt", tmp_path / "none.jsonl", tmp_path):
        said = call("explain", path)
        assert said.code == 1
        assert len(said.err.splitlines()) == 1


def test_what_a_terminal_would_obey_is_written_out(call: Call, tmp_path: Path) -> None:
    with Journal(tmp_path / "j.jsonl") as journal:
        journal.proposal(proposal(Recentre(), rule="a\x1b[31m[bold]b", because="\x1b]0;title\x07"))
    for words in ([], ["--event", "1"]):
        said = call("explain", tmp_path / "j.jsonl", *words)
        assert said.code == 0
        assert "\x1b" not in said.out
        assert "\x07" not in said.out
    assert "[bold]b" in said.out
