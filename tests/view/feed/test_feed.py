"""The acquisition's part: values as JSON, what a table can be drawn as, and actions."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import Pipeline, Runtime, Stage, keep_newest
from onscope.view._plain import plain, size_of
from onscope.view.feed import Extras
from onscope.view.feed._actions import MOST_WAITING, Actions
from onscope.view.feed._layout import kinds_of
from onscope.view.feed._rates import Rates
from tests import models

PATIENT_S = 60.0
NUMBERS = st.floats() | st.integers() | st.floats(width=32).map(np.float32) | st.booleans().map(np.bool_)
VALUES = st.recursive(
    NUMBERS | st.none() | st.text(max_size=5) | st.just(np.array([1.0, np.nan])) | st.builds(object),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_anything_can_be_told(value: Any) -> None:
    json.dumps(plain(value), allow_nan=False)


def test_numbers_stay_and_what_is_none_is_null() -> None:
    told = plain({"a": np.float64(1.5), "b": np.int32(3), 3: (np.inf, "x"), "c": np.array([1, 2])})
    assert told == {"a": 1.5, "b": 3, "3": [None, "x"], "c": [1, 2]}


def test_kinds() -> None:
    assert kinds_of({"label": "", "y": "", "x": ""}, "nuclei") == ("outlines", "spots")
    assert kinds_of({"label": "", "y": "", "x": ""}, "") == ("spots",)
    assert kinds_of({"y0": "", "x0": "", "y1": "", "x1": ""}, "") == ("boxes",)
    assert kinds_of({"track": "", "y": "", "x": ""}, "") == ("spots", "tails")
    assert kinds_of({"score": ""}, "nuclei") == ()


def test_too_many_actions_are_refused_and_the_others_done() -> None:
    go, told = threading.Event(), list[dict[str, Any]]()

    def slow(fields: dict[str, Any]) -> dict[str, Any]:
        assert go.wait(PATIENT_S)
        return {"words": fields["word"]}

    actions = Actions({"slow": slow}, told.append)
    asked = MOST_WAITING + 5
    for number in range(asked):
        actions.ask({"viewer": 1, "id": number, "action": "slow", "fields": {"word": f"{number}"}})
    refused = [each["done"] for each in told]
    assert refused
    assert not any(each["ok"] for each in refused)
    go.set()
    while len(told) < asked:
        threading.Event().wait(0.01)
    done = [each["done"] for each in told if each["done"]["ok"]]
    assert [each["words"] for each in done] == [f"{each['id']}" for each in done]
    actions.close(PATIENT_S)


def test_what_is_too_long_or_too_deep_is_cut() -> None:
    deep: list[Any] = []
    deep.append(deep)
    told = plain({"text": "x" * 100_000, "list": range(5), "whole": 1 << 70, "array": np.arange(100_000), "deep": deep})
    assert len(told["text"]) == 2000
    assert told["text"].endswith("…")
    assert told["whole"] is None
    assert len(told["array"]) == 4096
    assert size_of(told) < 40_000


def test_further_parts_of_the_status_that_fail_cost_themselves(tmp_path: Path) -> None:
    def broken() -> dict[str, Any]:
        raise RuntimeError("no disk")

    extras = Extras(None, {}, (), 2, True, None, broken)
    with Runtime(models.pipeline(tmp_path), worker="thread") as runtime:
        status = Rates(runtime, extras).status()
    assert status["recording"] is None
    assert status["queue"] == {"waiting": 0, "depth": 2, "in_work": 0}


def test_the_queue_is_what_waits_and_not_what_is_in_work(tmp_path: Path) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    with Runtime(pipeline, admission=keep_newest(2)) as runtime:
        runtime.prepare(models.SPEC)
        rates = Rates(runtime, Extras(None, {}, (), 2, True, None, dict))
        os.kill(runtime.worker_pid, signal.SIGSTOP)
        try:
            for seq in range(20):
                runtime.submit(models.frame(seq))
            queue = rates.status()["queue"]
        finally:
            os.kill(runtime.worker_pid, signal.SIGCONT)
        assert queue["waiting"] == queue["depth"] == 2
        assert queue["in_work"] > 0
        assert runtime.drain(60)
        assert rates.status()["queue"] == {"waiting": 0, "depth": 2, "in_work": 0}
