"""The whole way: frames in, pictures at a viewer."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import Event, FrameSpec, OnscopeError
from onscope.view import Setting

from .rigs import picture, rig

RAW = {"id": 1, "image": "raw", "bits": 16}


def test_pictures_arrive_and_change(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        eyes.show(RAW, {"id": 2, "image": "double", "bits": 16, "vectors": ["spots:found"]}, credit=1)
        run.submit(2000)
        head, arrays = eyes.update()
        assert head["frame"]["seq"] == 0
        assert [each["id"] for each in head["views"]] == [1, 2]
        assert (picture((head, arrays)) == 2000).all()
        assert picture((head, arrays), 1).shape == (96, 128)
        assert (picture((head, arrays), 1) == 2001).all()
        assert head["views"][1]["rect"] == [0, 0, 48, 64]
        spots = arrays[head["vectors"][0]["points"]["array"]]
        columns = head["tables"][0]["columns"]
        assert np.array_equal(spots[:, 1], arrays[columns["x"]["array"]] + 0.5)
        eyes.say(type="credit", n=1)
        run.submit(3000)
        assert (picture(eyes.update()) == 3000).all()


def test_the_layout_says_what_there_is_and_is_told_again_when_it_changes(tmp_path: Path) -> None:
    with rig(tmp_path, axes={"c": ["DAPI"]}) as run, run.eyes() as eyes:
        run.submit(1500)
        layout = eyes.text("layout", lambda told: told["layout"]["run"])["layout"]
        assert layout["shape"] == [48, 64]
        assert {image["name"]: (image["shape"], image["scale"]) for image in layout["images"]} == {
            "raw": ([48, 64], 1.0),
            "plus": ([48, 64], 1.0),
            "double": ([96, 128], 2.0),
        }
        assert layout["tables"][0]["kinds"] == ["spots"]
        assert layout["axes"] == {"c": ["DAPI"]}
        run.seq = 0
        other = FrameSpec((32, 32), "uint16", camera="cam")
        run.runtime.prepare(other)
        run.submit(1500, other, 1)
        assert eyes.text("layout", lambda told: told["layout"]["shape"] == [32, 32])
        eyes.show(RAW, credit=1)
        assert picture(eyes.update()).shape == (32, 32)
        run.view.set_settings([Setting("found", "threshold", 5.0, 0.0, 10.0)])
        assert eyes.text("layout", lambda told: told["layout"]["settings"])["layout"]["settings"][0]["value"] == 5.0


def test_credit_is_kept_and_the_newest_wins(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        eyes.show(RAW, credit=1)
        first = run.submit(1000)
        assert eyes.update()[0]["frame"]["seq"] == first
        for value in range(2000, 2010):
            last = run.submit(value)
        for _ in range(3):  # statuses that were told after the last result
            eyes.text("status", lambda told: told["ledger"]["done"] == last + 1)
        assert not eyes.updates
        eyes.say(type="credit", n=1)
        assert eyes.update()[0]["frame"]["seq"] == last


def test_nothing_is_copied_while_nobody_can_take_it(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        run.submit(1000)
        before = boards()
        run.submit(1001)
        eyes.show(RAW)
        eyes.text("status", lambda told: told["ledger"]["done"] == 2)
        assert boards() == before
        eyes.say(type="credit", n=1)
        eyes.update()
        assert len(boards() - before) == 1


def boards() -> set[str]:
    """Shared memory that this process has."""
    return {path.name for path in Path("/dev/shm").glob(f"onscope-{os.getpid()}-*")}


def test_another_part_of_a_frame_that_stands_still(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        run.submit(1000)
        eyes.show(RAW, credit=1)
        eyes.update()
        eyes.show({**RAW, "rect": [10, 20, 20.5, 40]}, credit=1)
        head, arrays = eyes.update()
        assert picture((head, arrays)).shape == (11, 20)
        assert head["views"][0]["rect"] == [10, 20, 21, 40]
        assert head["views"][0]["wanted_rect"] == [10, 20, 20.5, 40]
        eyes.show({"id": 1, "size": [12, 64]}, credit=1)
        assert picture(eyes.update()).shape == (12, 16)


def test_channels_take_turns(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        views = [{**RAW, "id": channel, "index": {"c": channel}} for channel in (0, 1)]
        eyes.show(*views, credit=2)
        run.submit(1000, index={"t": 0, "c": 0})
        run.submit(2000, index={"t": 0, "c": 1})
        seen = {}
        for _ in range(2):
            head, arrays = eyes.update()
            seen[head["views"][0]["id"]] = int(picture((head, arrays))[0, 0])
            assert len(head["views"]) == 1
        assert seen == {0: 1000, 1: 2000}


def test_the_last_pictures_stay_when_the_run_has_ended(tmp_path: Path) -> None:
    with rig(tmp_path) as run, run.eyes() as eyes:
        run.submit(1000)
        run.runtime.close()
        assert eyes.text("ended")["words"]
        eyes.show(RAW, credit=1)
        assert (picture(eyes.update()) == 1000).all()
        with run.eyes() as late:
            assert late.text("ended")
            late.show(RAW, credit=1)
            assert (picture(late.update()) == 1000).all()


def test_ten_viewers_see_the_same(tmp_path: Path) -> None:
    with rig(tmp_path) as run, ExitStack() as stack:
        all_eyes = [stack.enter_context(run.eyes()) for _ in range(10)]
        for eyes in all_eyes:
            eyes.show({**RAW, "bits": 8, "low": 0, "high": 510}, credit=1)
        run.submit(100)
        pictures = [picture(eyes.update()) for eyes in all_eyes]
        assert all((each == 50).all() for each in pictures)
        run.submit(200)
        for eyes in all_eyes:
            eyes.say(type="credit", n=1)
        assert all((picture(eyes.update()) == 100).all() for eyes in all_eyes)


def test_events_and_numbers_are_told(tmp_path: Path) -> None:
    with rig(tmp_path, status=lambda: {"recording": {"folder": "run", "frames": 3, "bytes": float("nan")}}) as run:
        run.view.tell(Event("warning", "the lamp is cold"))
        with run.eyes() as eyes:
            told = eyes.text("told")
            assert (told["kind"], told["words"], told["bad"]) == ("warning", "the lamp is cold", True)
            run.submit(1000)
            status = eyes.text("status", lambda told: told["ledger"]["done"] == 1)
            assert {"p50", "p95"} == status["steps_ms"]["whole way"].keys()
            assert status["providers"].keys() == {"plus", "double", "found"}
            assert status["recording"] == {"folder": "run", "frames": 3, "bytes": None}


def test_actions(tmp_path: Path) -> None:
    def tune(fields: dict[str, object]) -> dict[str, object]:
        if fields.get("value") == 0:
            raise OnscopeError("found 0, expected more")
        return {"words": f"{fields['value']} from window 7 on", "window": 7}

    def broken(fields: dict[str, object]) -> dict[str, object]:
        raise KeyError("x")

    png = os.urandom(5 << 20)
    actions = {"tune": tune, "broken": broken, "snapshot": lambda fields: {"name": "a.png", "png": png}}
    with rig(tmp_path, actions=actions) as run, run.eyes() as eyes:
        eyes.say(type="do", id=1, action="tune", value=3)
        done = {"type": "done", "id": 1, "ok": True, "words": "3 from window 7 on", "window": 7}
        assert eyes.text("done") == done
        eyes.say(type="do", id=2, action="tune", value=0)
        assert eyes.text("done") == {"type": "done", "id": 2, "ok": False, "words": "found 0, expected more"}
        eyes.say(type="do", id=3, action="broken")
        assert not eyes.text("done")["ok"]
        eyes.say(type="do", id=4, action="stop")
        assert not eyes.text("done")["ok"]
        eyes.say(type="do", id=5, action="snapshot")
        assert eyes.text("done")["name"] == "a.png"
        head, arrays = eyes.update()
        assert head == {"snapshot": "a.png"}
        assert arrays[0].tobytes() == png


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_address(tmp_path: Path, host: str) -> None:
    with rig(tmp_path, host=host) as run:
        assert run.view.url == f"http://{host}:{run.view.port}/"
