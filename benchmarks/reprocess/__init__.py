"""What Dask gains and costs: speed-up over workers and sizes of tasks, and the memory of workers."""
