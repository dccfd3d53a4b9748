"""NVIDIA's Triton itself, as the wheel nvidia-pytriton carries it: with the Python back end alone, which is enough.

It lies in an environment of its own (`make test-triton` makes it): that back end wants the Python that Debian has.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from onscope.runtime.kserve import parse_provider
from onscope.runtime.kserve._server import Server
from tests.serving.servers import OnLoopback, free_port

VARIABLE = "ONSCOPE_TRITON"
"""Names the environment."""
STARTING_S = 60.0
LIMITED = ("--rate-limit=execution_count", "--rate-limit-resource=onscope:1")
"""What `onscope deploy --priorities` asks for."""


def environment() -> Path | None:
    """The environment that Triton lies in, as made by `make test-triton`; None: there is none."""
    place = Path(os.environ.get(VARIABLE, Path(__file__).resolve().parents[2] / ".venv-triton"))
    return place.absolute() if (place / "bin" / "python").exists() else None


class Triton(OnLoopback):
    """A server over a repository in `folder`, which may be killed and started again on the same port."""

    def __init__(self, folder: Path, more: Sequence[str] = (), tls: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self._metrics = free_port()
        self._more, self._tls = list(more), tls
        folder.mkdir(parents=True, exist_ok=True)
        found = environment()
        assert found is not None
        self._environment = found

    def start(self) -> None:
        """Start it, and wait until its models are loaded."""
        packages = next((self._environment / "lib").glob("python3.*/site-packages"))
        there = packages / "pytriton" / "tritonserver"
        python = packages.parent.name.removeprefix("python")
        backends = self.folder.parent / "backends"
        if not backends.exists():
            shutil.copytree(there / "backends", backends)
            stub = there / "python_backend_stubs" / python / "triton_python_backend_stub"
            shutil.copy(stub, backends / "python")
        variables = {
            **os.environ,
            "PATH": f"{self._environment / 'bin'}:{os.environ['PATH']}",
            "LD_LIBRARY_PATH": str(packages / "nvidia_pytriton.libs"),
        }
        variables.pop("PYTHONPATH", None)
        self.log = self.folder.parent / "triton.log"
        command = [
            str(there / "bin" / "tritonserver"),
            f"--model-repository={self.folder}",
            f"--backend-directory={backends}",
            f"--cache-directory={there / 'caches'}",
            "--grpc-address=127.0.0.1",
            f"--grpc-port={self.port}",
            "--allow-http=false",
            "--allow-metrics=false",
            *self._more,
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=variables, start_new_session=True)
        end = time.monotonic() + STARTING_S
        tail = f"?tls={self._tls}" if self._tls else ""
        server = Server(parse_provider(self.provider.partition(":")[2] + tail))
        while not server.is_live(1.0):
            assert self._process.poll() is None, self.log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < end, self.log.read_text(errors="replace")[-3000:]
            time.sleep(0.1)
        server.close()

    def kill(self) -> None:
        """kill -9, also of the processes of its models, which would end a moment later by themselves."""
        subprocess.run(["pkill", "-9", "-s", str(os.getsid(self._process.pid))], check=False)
        self._process.wait()
