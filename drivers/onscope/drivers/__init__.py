"""Drivers: where frames come from. Micro-Manager microscopes are in `onscope.drivers.micromanager`."""

from __future__ import annotations

from ._replay import ReplaySource, replay
from ._sensor import SensorSource, with_sensor

__all__ = ["ReplaySource", "SensorSource", "replay", "with_sensor"]
