"""Where a recording's numbers come from: what ran, on what, with which models, and all of it in words."""

from ._machine import RECKONING, command, gpus, machine, versions, whole_machine
from ._models import describe_packages, describe_pipeline

__all__ = [
    "RECKONING",
    "command",
    "describe_packages",
    "describe_pipeline",
    "gpus",
    "machine",
    "versions",
    "whole_machine",
]
