"""What watches a run and a box as services: logs as JSON lines, metrics for Prometheus, words to systemd."""

from ._counters import BoxCounters, LinkCounters
from ._errors import ServiceError
from ._histogram import Histogram
from ._json_lines import MAX_LINE_BYTES, JsonLines
from ._logs import LogFormat, logging_to, note, tell_log
from ._metrics import BoxMetrics, Metrics
from ._page import MetricsPage
from ._secrets import hide_secrets, keep_secret
from ._systemd import Systemd
from ._table import METRICS

__all__ = [
    "MAX_LINE_BYTES",
    "METRICS",
    "BoxCounters",
    "BoxMetrics",
    "Histogram",
    "JsonLines",
    "LinkCounters",
    "LogFormat",
    "Metrics",
    "MetricsPage",
    "ServiceError",
    "Systemd",
    "hide_secrets",
    "keep_secret",
    "logging_to",
    "note",
    "tell_log",
]
