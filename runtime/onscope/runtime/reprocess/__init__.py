"""Recordings computed again by many workers, with Dask: tasks over windows, results as those of a live run.

`reprocess` writes a recording; `open_data` opens one as lazy arrays, or a recording that is computed on demand.
"""

from ._cluster import local_cluster, read_options, slurm_cluster
from ._data import Data, open_data
from ._run import Reprocessed, reprocess

__all__ = ["Data", "Reprocessed", "local_cluster", "open_data", "read_options", "reprocess", "slurm_cluster"]
