"""Compiled graphs as a Triton model repository: what a server loads, and `worker="kserve://..."` finds there."""

from ._options import BACKENDS, Backend, Kind, Options
from ._repository import Deployed, Written, deploy

__all__ = ["BACKENDS", "Backend", "Deployed", "Kind", "Options", "Written", "deploy"]
