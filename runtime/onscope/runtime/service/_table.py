"""All metrics by name: what kind each is, its labels, and what it says. Units are in the names, as Prometheus wants."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """One metric; its name is without the `_total` and `_info` that the text format adds."""

    kind: Literal["counter", "gauge", "histogram", "info"]
    words: str
    labels: tuple[str, ...] = ()


METRICS: dict[str, Metric] = {
    "onscope_build": Metric("info", "Versions, and the system", ("version", "python", "system")),
    "onscope_uptime_seconds": Metric("gauge", "Time since the metrics began"),
    "onscope_events": Metric("counter", "Events that were told, by their kind", ("kind",)),
    # a runtime
    "onscope_frames_submitted": Metric("counter", "Frames handed over by the camera"),
    "onscope_frames": Metric("counter", "Frames whose account has ended, by state and reason", ("state", "reason")),
    "onscope_frames_open": Metric("gauge", "Frames under way"),
    "onscope_results": Metric("counter", "Results delivered, done or late", ("camera", "state")),
    "onscope_results_suspect": Metric("counter", "Results with a trust value that is not as usual", ("camera",)),
    "onscope_results_uncounted": Metric("counter", "Results whose times are in no histogram: too many at once"),
    "onscope_latency_seconds": Metric("histogram", "From a frame's receipt to its result's delivery", ("camera",)),
    "onscope_step_seconds": Metric("histogram", "The same, by step of the way", ("step",)),
    "onscope_queue_windows": Metric("gauge", "Windows that wait for the worker", ("camera",)),
    "onscope_in_flight_windows": Metric("gauge", "Windows that the worker has"),
    "onscope_worker_up": Metric("gauge", "1 when there is a worker to send windows to, else 0"),
    "onscope_worker_restarts": Metric("counter", "Deaths of the worker"),
    "onscope_stage": Metric("info", "Which provider runs a stage", ("stage", "provider")),
    # a runtime whose networks run on a GPU that tells of itself
    "onscope_gpu_clock_hertz": Metric("gauge", "Clock of the GPU that computes"),
    "onscope_gpu_temperature_celsius": Metric("gauge", "Its temperature"),
    "onscope_gpu_power_watts": Metric("gauge", "Its power"),
    "onscope_gpu_throttled": Metric("gauge", "1 when it is slowed down by heat or power, else 0"),
    # a runtime whose worker is a box
    "onscope_link_up": Metric("gauge", "1 when the box is there, else 0"),
    "onscope_link_cuts": Metric("counter", "Times the link was cut"),
    "onscope_link_windows": Metric("counter", "Windows sent to the box"),
    "onscope_link_resent_messages": Metric("counter", "Messages sent again after a cut"),
    "onscope_link_sent_bytes": Metric("counter", "Bytes sent to the box"),
    "onscope_link_saved_by_packing_bytes": Metric("counter", "Bytes that packing made the sent ones fewer by"),
    "onscope_link_received_bytes": Metric("counter", "Bytes received from the box"),
    "onscope_link_clock_offset_seconds": Metric("gauge", "The box's clock minus this machine's"),
    "onscope_link_clock_uncertainty_seconds": Metric("gauge", "The offset is right within so much"),
    "onscope_link_round_trip_seconds": Metric("gauge", "Of the last heartbeat"),
    # a box
    "onscope_box_sessions": Metric("gauge", "PCs that are linked now"),
    "onscope_box_greetings": Metric("counter", "PCs that came: new, resumed or refused", ("outcome",)),
    "onscope_box_windows": Metric("counter", "Windows answered, done or failed", ("state",)),
    "onscope_box_window_seconds": Metric("histogram", "A window in the box, from its last byte in to its first out"),
    "onscope_box_received_bytes": Metric("counter", "Bytes received from PCs"),
    "onscope_box_sent_bytes": Metric("counter", "Bytes sent to PCs"),
    "onscope_box_saved_by_packing_bytes": Metric("counter", "Bytes that packing made the sent ones fewer by"),
    "onscope_box_malformed_messages": Metric("counter", "Messages that were not what the protocol says"),
    "onscope_box_files_stored": Metric("counter", "Files of packages that PCs sent"),
    "onscope_box_worker_deaths": Metric("counter", "Deaths of workers"),
}
