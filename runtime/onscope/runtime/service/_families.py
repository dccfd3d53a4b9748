"""Metrics as prometheus_client takes them; the only module that needs it, beside the page."""

from __future__ import annotations

from typing import Any

from ._histogram import Histogram
from ._table import METRICS


class Families:
    """Collects the samples of one scrape, by metric; only metrics of the table, with all of their labels."""

    def __init__(self) -> None:
        from prometheus_client import core

        self._core: Any = core
        self._made: dict[str, Any] = {}

    def add(self, name: str, value: float | Histogram, **labels: str) -> None:
        """One sample: a number, or a histogram's buckets."""
        family, values = self._family(name), [str(labels[label]) for label in METRICS[name].labels]
        if isinstance(value, Histogram):
            buckets, total = value.read()
            family.add_metric(values, buckets, total)
        else:
            family.add_metric(values, value)

    def info(self, name: str, **labels: str) -> None:
        """One sample of an info metric: its labels are what it says."""
        assert labels.keys() == set(METRICS[name].labels)
        self._family(name).add_metric([], labels)

    def made(self) -> list[Any]:
        """The families that have samples."""
        return list(self._made.values())

    def _family(self, name: str) -> Any:
        if name not in self._made:
            metric = METRICS[name]
            maker = {
                "counter": self._core.CounterMetricFamily,
                "gauge": self._core.GaugeMetricFamily,
                "histogram": self._core.HistogramMetricFamily,
                "info": self._core.InfoMetricFamily,
            }[metric.kind]
            labels = () if metric.kind == "info" else metric.labels
            self._made[name] = maker(name, metric.words, labels=labels)
        return self._made[name]
