"""The numbers that steps normalise with: of the raw frames on the host, of what never leaves it in the graph."""

from ._host import HostScalars
from ._in_graph import statistic_node

__all__ = [
    "HostScalars",
    "statistic_node",
]
