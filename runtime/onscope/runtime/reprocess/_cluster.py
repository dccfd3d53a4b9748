"""Which workers compute: processes of this machine, those of a scheduler that runs, or jobs of SLURM."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .._cores import available_cores
from .._errors import WorkerError
from ..checked_yaml import read_checked

if TYPE_CHECKING:
    from distributed import Client

LOOPBACK = "127.0.0.1"
JOBS = 4
"""Jobs of SLURM that are asked for, where nobody says another number."""
CONNECT_S = 20


class _Options(BaseModel):
    """What SLURMCluster takes; anything else is refused."""

    model_config = ConfigDict(extra="forbid")
    schema_: Literal[1] = Field(alias="schema", exclude=True)
    queue: str | None = None
    account: str | None = None
    walltime: str | None = None
    cores: int | None = Field(None, ge=1)
    processes: int | None = Field(None, ge=1)
    memory: str | None = None
    interface: str | None = None
    local_directory: str | None = None
    log_directory: str | None = None
    python: str | None = None
    job_cpu: int | None = Field(None, ge=1)
    job_mem: str | None = None
    job_extra_directives: list[str] | None = None
    job_script_prologue: list[str] | None = None
    worker_extra_args: list[str] | None = None


def require(module: str, extra: str) -> None:
    """Raise WorkerError when an optional part is not installed."""
    if find_spec(module) is None:
        raise WorkerError(f"found no {module}, expected it for reprocessing: pip install 'onscope[{extra}]'")


def local_cluster(workers: int | None = None, memory: str | None = None) -> Any:
    """A LocalCluster of processes with one thread each, which listens on loopback alone.

    `memory` is what a worker may take before Dask starts another in its place ("2GB"; None: its part of the machine's).
    """
    require("distributed", "reprocess")
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=workers or max(1, available_cores()),
        threads_per_worker=1,
        processes=True,
        host=LOOPBACK,
        dashboard_address=f"{LOOPBACK}:0",
        memory_limit=memory or "auto",
        silence_logs=50,
    )


def slurm_cluster(options: Mapping[str, Any], memory: str | None = None) -> Any:
    """A SLURMCluster of jobs with a worker of one thread each; `job_script()` of it is what is submitted.

    `options` are SLURMCluster's own (queue, account, walltime, job_extra_directives, job_script_prologue ...); what is
    not among them is taken from Dask's configuration (`jobqueue.slurm`). Raises WorkerError for what it does not take.
    """
    require("dask_jobqueue", "slurm")
    with _ctrl_c_as_it_was():
        from dask_jobqueue import SLURMCluster

    chosen = {"cores": 1, "processes": 1, "memory": memory or "4GB", **options}
    try:
        return SLURMCluster(**chosen)
    except (TypeError, ValueError) as error:
        raise WorkerError(
            f"found options of SLURM that cannot be used ({error}), expected those of dask_jobqueue.SLURMCluster"
        ) from error


@contextmanager
def _ctrl_c_as_it_was() -> Iterator[None]:
    """dask_jobqueue 0.9 takes SIGINT for itself when it is imported, and ends the process on it."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def read_options(path: Path | None) -> dict[str, Any]:
    """The options of SLURM in a YAML file: names and plain values or lists of texts. Raises PipelineError."""
    if path is None:
        return {}
    return read_checked(path, _Options, "options of SLURM").model.model_dump(exclude_none=True)


@contextmanager
def connected(cluster: Any, workers: int | None, memory: str | None, options: Mapping[str, Any]) -> Iterator[Client]:
    """A client of a cluster: what is made here is closed at the end, what was there before is left as it is."""
    require("distributed", "reprocess")
    from distributed import Client

    with ExitStack() as stack:
        if isinstance(cluster, Client):
            yield cluster
            return
        if cluster == "local":
            cluster = stack.enter_context(local_cluster(workers, memory))
        elif cluster == "slurm":
            cluster = stack.enter_context(slurm_cluster(options, memory))
            cluster.scale(jobs=workers or JOBS)
        elif isinstance(cluster, str) and "://" not in cluster:
            raise WorkerError(f"found the cluster {cluster!r}, expected local, slurm or an address as tcp://HOST:8786")
        try:
            client = stack.enter_context(Client(cluster, timeout=CONNECT_S, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise WorkerError(
                f"found no scheduler of Dask at {cluster} ({error}): start `dask scheduler` there"
            ) from error
        yield client
