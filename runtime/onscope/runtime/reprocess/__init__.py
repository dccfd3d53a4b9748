"""Recordings computed again by many workers, with Dask: tasks over windows, results as those of a live run.

`reprocess` writes a recording; `open_data` opens one as lazy arrays, or a recording that is computed on demand.
"""

from ._cluster import local_cluster, slurm_cluster
from ._run import Reprocessed, reprocess

__all__ = ["Reprocessed", "local_cluster", "reprocess", "slurm_cluster"]
