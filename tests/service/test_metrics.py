"""Metrics of real runtimes on a real page: names and types as Prometheus wants them, numbers as the ledger has them."""

from __future__ import annotations

import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import Event, Frame, FrameId, FrameSpec, Pipeline, Runtime, block, keep_oldest, now_ns
from onscope.runtime.service import (
    METRICS,
    BoxCounters,
    BoxMetrics,
    Histogram,
    LinkCounters,
    Metrics,
    MetricsPage,
    ServiceError,
    Systemd,
)
from onscope.runtime.service._families import Families
from onscope.runtime.service._reasons import label_of
from onscope.runtime.service._runtime_readings import read_link
from tests import models

pytest.importorskip("prometheus_client")
from prometheus_client import parser

UNITS = ("_seconds", "_bytes")
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(url: str, token: str = "", accept: str = "") -> str:
    asked = urllib.request.Request(url)
    if token:
        asked.add_header("Authorization", f"Bearer {token}")
    if accept:
        asked.add_header("Accept", accept)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        text: str = answer.read().decode()
        return text


def samples(text: str) -> Samples:
    """All samples by name and labels; each may be there once."""
    found: Samples = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def total(found: Samples, name: str, **labels: str) -> float:
    return sum(value for (each, its), value in found.items() if each == name and labels.items() <= dict(its).items())


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return models.pipeline(tmp_path)


SPEC = FrameSpec((48, 64), "uint16", camera="Cam")


def frame(seq: int) -> Frame:
    return Frame(FrameId("run", "Cam", 0, seq), np.full(SPEC.shape, seq, np.uint16), received_ns=now_ns())


@pytest.fixture
def run(pipeline: Pipeline) -> Iterator[Runtime]:
    with Runtime(pipeline, worker="thread", admission=block(2)) as runtime:
        runtime.prepare(SPEC)
        yield runtime


def test_the_page_has_the_ledgers_numbers(run: Runtime) -> None:
    metrics = Metrics(run)
    with MetricsPage(metrics, 0) as page:
        assert page.url.startswith("http://127.0.0.1:")
        for seq in [0, 1, 2, 5, 6]:
            run.submit(frame(seq))
        assert run.drain(30)
        run.tell(Event("worker died", "by hand"))
        found = samples(scrape(page.url))
    assert total(found, "onscope_frames_submitted_total") == 5
    assert total(found, "onscope_frames_total", state="done", reason="") == 5
    assert total(found, "onscope_frames_total", state="lost_upstream") == 2
    assert total(found, "onscope_frames_open") == 0
    assert total(found, "onscope_results_total", camera="Cam", state="done") == 5
    assert total(found, "onscope_latency_seconds_count", camera="Cam") == 5
    assert total(found, "onscope_latency_seconds_bucket", le="+Inf") == 5
    assert total(found, "onscope_step_seconds_count", step="queue") == 5
    steps, whole = total(found, "onscope_step_seconds_sum"), total(found, "onscope_latency_seconds_sum")
    assert steps == pytest.approx(whole, rel=1e-6)
    assert total(found, "onscope_worker_up") == 1
    assert total(found, "onscope_worker_restarts_total") == 1
    assert total(found, "onscope_events_total", kind="worker died") == 1
    assert total(found, "onscope_stage_info", provider="cpu") == len(run.pipeline.stages)
    assert total(found, "onscope_build_info") == 1
    metrics.close()


def test_results_that_nobody_scrapes_hold_no_slot_and_are_counted(run: Runtime) -> None:
    metrics = Metrics(run)
    for seq in range(60):
        run.submit(frame(seq))
    assert run.drain(30)
    ring = next(iter(run._path.dispatcher.routes.values())).lane.ring
    assert ring.free == ring.memory.slots, "a slot is held"
    with MetricsPage(metrics, 0) as page:
        assert total(samples(scrape(page.url)), "onscope_results_total") == 60
        metrics.close()
        run.submit(frame(60))
        assert run.drain(30)
        after = samples(scrape(page.url))
    assert total(after, "onscope_results_total") == 60, "closed metrics go on counting"
    assert total(after, "onscope_frames_submitted_total") == 61


def test_scrapes_beside_frames_never_disagree(run: Runtime) -> None:
    """Counters only rise, and buckets add up in every scrape, while frames run."""
    ended = threading.Event()

    def feed() -> None:
        for seq in range(150):
            run.submit(frame(seq))
        run.drain(60)
        ended.set()

    with MetricsPage(Metrics(run), 0) as page:
        feeder = threading.Thread(target=feed)
        feeder.start()
        before: Samples = {}
        last = False
        while not last:
            last = ended.is_set()
            found = samples(scrape(page.url))
            for key, value in before.items():
                if key[0].endswith(("_total", "_count", "_bucket")):
                    assert found[key] >= value, key
            counted = total(found, "onscope_latency_seconds_count")
            assert counted == total(found, "onscope_latency_seconds_bucket", le="+Inf")
            assert counted == total(found, "onscope_results_total")
            before = found
        feeder.join()
    assert total(before, "onscope_frames_total", state="done") == 150


def test_a_runtime_without_frames_and_a_closed_one_can_be_scraped(pipeline: Pipeline) -> None:
    with Runtime(pipeline, worker="thread", admission=keep_oldest(1)) as runtime:
        metrics = Metrics(runtime)
        with MetricsPage(metrics, 0) as page:
            assert total(samples(scrape(page.url)), "onscope_frames_open") == 0
            runtime.close()
            assert total(samples(scrape(page.url)), "onscope_worker_up") == 0


def everything() -> str:
    """The text of a scrape in which every metric of the table has a sample."""
    from prometheus_client import CollectorRegistry, generate_latest

    class All:
        def describe(self) -> list[object]:
            return []

        def collect(self) -> list[object]:
            families = Families()
            for name, metric in METRICS.items():
                labels = dict.fromkeys(metric.labels, 'a"b\\c\nd')
                if metric.kind == "info":
                    families.info(name, **labels)
                else:
                    families.add(name, Histogram() if metric.kind == "histogram" else 1.0, **labels)
            return families.made()

    registry = CollectorRegistry(auto_describe=False)
    registry.register(All())
    text: str = generate_latest(registry).decode()
    return text


def test_names_types_and_help_are_as_prometheus_wants_them() -> None:
    """What `promtool check metrics` looks at."""
    text = everything()
    families = {family.name: family for family in parser.text_string_to_metric_families(text)}
    assert len(families) == len(METRICS)
    for name, metric in METRICS.items():
        assert re.fullmatch(r"onscope(_[a-z]+)+", name)
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_info")), f"{name}: the format adds these"
        assert not re.search(r"_(ms|us|ns|milliseconds|kb|mb|minutes|percent)\b", name), f"{name}: base units only"
        assert not any(kind in name.split("_") for kind in ("counter", "gauge", "histogram")), name
        if any(unit[1:] in name.split("_") for unit in UNITS):
            assert name.endswith(UNITS), f"{name}: the unit is the last word"
        if metric.kind == "histogram":
            assert name.endswith("_seconds")
        assert metric.words[0].isupper() or metric.words[0].isdigit()
        assert not metric.words.endswith(".")
        assert all(re.fullmatch(r"[a-z]+", label) and label not in ("le", "job", "instance") for label in metric.labels)
        suffix = {"counter": "_total", "info": "_info"}.get(metric.kind, "")
        assert f"# HELP {name}{suffix} {metric.words}\n" in text
        kind = "gauge" if metric.kind == "info" else metric.kind
        assert f"# TYPE {name}{suffix} {kind}\n" in text


def test_every_metric_is_in_the_documentation_and_no_other() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "services.md").read_text()
    suffixes = {"counter": "_total", "info": "_info"}
    real = {name + suffixes.get(metric.kind, "") for name, metric in METRICS.items()}
    told = set(re.findall(r"^\| `(onscope_[a-z_]+)`", page, re.MULTILINE))
    assert told == real


def test_a_boxs_counters_are_its_metrics() -> None:
    counters = BoxCounters(windows=3, failed=1, received_bytes=10, sent_bytes=20, files=2)
    counters.greetings["resumed"] += 4
    counters.took.add(0.004)
    with MetricsPage(BoxMetrics(lambda: 1, counters), 0) as page:
        found = samples(scrape(page.url))
        counters.windows += 1
        assert total(samples(scrape(page.url)), "onscope_box_windows_total", state="done") == 4
    assert total(found, "onscope_box_windows_total", state="done") == 3
    assert total(found, "onscope_box_windows_total", state="failed") == 1
    assert total(found, "onscope_box_greetings_total", outcome="resumed") == 4
    assert total(found, "onscope_box_received_bytes_total") == 10
    assert total(found, "onscope_box_window_seconds_bucket", le="0.005") == 1
    assert total(found, "onscope_box_window_seconds_bucket", le="0.0025") == 0
    told = {re.sub("_(total|info|bucket|count|sum)$", "", name) for name, _ in found}
    assert {name for name in METRICS if name.startswith("onscope_box")} <= told


def test_a_links_counters_are_all_told() -> None:
    families = Families()
    read_link(LinkCounters(up=True, sent_bytes=5), families)
    made = {family.name: family.samples[0].value for family in families.made()}
    assert made.keys() == {name for name in METRICS if name.startswith("onscope_link")}
    assert made["onscope_link_sent_bytes"] == 5


@given(st.lists(st.floats(-1, 100)))
def test_a_histogram_counts_every_time_once(times: list[float]) -> None:
    histogram = Histogram((0.5, 1.0, 10.0))
    for each in times:
        histogram.add(each)
    buckets, whole = histogram.read()
    kept = [max(0.0, each) for each in times]
    assert buckets == [
        *((str(edge), float(sum(each <= edge for each in kept))) for edge in histogram.edges),
        ("+Inf", float(len(kept))),
    ]
    assert whole == pytest.approx(sum(kept))


@given(st.lists(st.text(max_size=60), max_size=300))
def test_sentences_become_few_labels(reasons: list[str]) -> None:
    assert {label_of("failed", reason) for reason in reasons} <= {
        "",
        "other",
        "worker died",
        "interrupted",
        "not recorded",
        "does not fit the prepared frames",
    }
    assert label_of("failed", "the worker died (killed by signal 9)") == "worker died"
    assert label_of("skipped", "queue") == "queue"
    assert label_of("skipped", "Exposure 3: too long") == "other"


def test_beyond_this_machine_a_token_is_needed() -> None:
    with pytest.raises(ServiceError, match="found no token for metrics on 0\\.0\\.0\\.0, expected one"):
        MetricsPage(Metrics(), 0, "0.0.0.0")
    with pytest.raises(ServiceError, match="found a token of 3 characters, expected 16 or more"):
        MetricsPage(Metrics(), 0, "0.0.0.0", "abc")
    token = "0123456789abcdef"
    with MetricsPage(Metrics(), 0, "0.0.0.0", token) as page:
        url = page.url.replace("0.0.0.0", "127.0.0.1")
        assert "onscope_build_info" in scrape(url, token)
        for wrong in ("", token[:-1], token + "0", "\xff" * 16):
            with pytest.raises(urllib.error.HTTPError, match="401"):
                scrape(url, wrong)


def test_other_pages_are_not_there_and_a_taken_port_is_told() -> None:
    with MetricsPage(Metrics(), 0) as page:
        with pytest.raises(urllib.error.HTTPError, match="404"):
            scrape(page.url.replace("/metrics", "/"))
        assert "# EOF" in scrape(page.url, accept="application/openmetrics-text; version=1.0.0")
        port = int(page.url.split(":")[2].split("/")[0])
        with pytest.raises(ServiceError, match=f"metrics cannot be given at 127\\.0\\.0\\.1:{port}"):
            MetricsPage(Metrics(), port)


def test_a_service_without_systemd_is_as_any_program() -> None:
    assert not Systemd(environment={}).here
