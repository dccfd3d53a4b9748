"""Runs on NVIDIA's own server: what `onscope deploy` writes it loads, and answers as the CPU does here."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from onscope.runtime import (
    DeviceLostError,
    Event,
    FrameSpec,
    Package,
    Pipeline,
    ProviderError,
    Runtime,
    Stage,
    block,
)
from onscope.runtime.engines import Pending, open_session
from tests import models
from tests.graph.generated import Recipe, write
from tests.serving.conftest import deployed
from tests.serving.runs import answers_of, outlives, same

from .server import Triton

Make = Callable[..., Runtime]
Tritons = Callable[..., Triton]
PYTHON = {"backend": "python", "kind": "cpu"}
ZOO = Path(__file__).parents[2] / "export" / "onscope" / "export" / "zoo" / "packages"


@pytest.mark.parametrize("options", ["", "?in_flight=16", "?shared=never", "?priority=1"])
@pytest.mark.parametrize("batch", [1, 8])
def test_answers_and_account_are_those_of_a_worker_of_this_machine(
    runtime: Make, folder: Path, triton: Tritons, options: str, batch: int
) -> None:
    pipeline, server = models.pipeline(folder), triton()
    deployed(pipeline, server, batch=batch, **PYTHON)
    server.start()
    frames = [models.frame(n, 990 + n) for n in range(30)]
    here = runtime(pipeline, worker="process", provider="cpu", admission=block(2))
    expected = answers_of(here, frames)
    there = runtime(pipeline, worker=server.worker + options, admission=block(2))
    assert same(answers_of(there, frames), expected)
    assert there.ledger.counts == here.ledger.counts
    assert there.ledger.adds_up()


@pytest.mark.parametrize("name", ["care-beads", "nuclei-cells", "spots-beads"])
def test_shipped_packages_answer_to_the_bit(runtime: Make, triton: Tritons, name: str) -> None:
    spec = FrameSpec((256, 256), "uint16", camera="cam", pixel_size_um=0.325)
    pipeline, server = Pipeline([Stage("answer", Package.load(ZOO / name))]), triton()
    deployed(pipeline, server, spec, **PYTHON)
    server.start()
    random = np.random.default_rng(0)
    frames = [models.frame(n, 0, spec) for n in range(4)]
    for each in frames:
        each.pixels[...] = random.gamma(2, 200, spec.shape)
    expected = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(4)), frames, spec)
    assert same(answers_of(runtime(pipeline, worker=server.worker, admission=block(4)), frames, spec), expected)


def test_a_network_keeps_its_memory_on_the_server(runtime: Make, tmp_path: Path, triton: Tritons) -> None:
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    pipeline = Pipeline([Stage("net", write(tmp_path / "net", Recipe(recurrent=True, described="uint16")))])
    server = triton()
    deployed(pipeline, server, spec, **PYTHON)
    server.start()
    frames = [models.frame(n, 50 * n, spec) for n in range(15)]
    expected = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(2)), frames, spec)
    there = runtime(pipeline, worker=server.worker, admission=block(2))
    assert same(answers_of(there, frames, spec), expected)
    config = next(server.folder.rglob("config.pbtxt")).read_text()
    assert "sequence_batching" in config
    assert "memory" not in "".join(line for line in config.splitlines() if "name:" in line and "input" in line)


def test_two_microscopes_have_memories_of_their_own(runtime: Make, tmp_path: Path, triton: Tritons) -> None:
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    pipeline = Pipeline([Stage("net", write(tmp_path / "net", Recipe(recurrent=True, described="uint16")))])
    server = triton()
    deployed(pipeline, server, spec, **PYTHON)
    server.start()
    mine = [models.frame(n, 50 * n, spec) for n in range(12)]
    others = [models.frame(n, 3000 - 90 * n, spec) for n in range(12)]
    expected = [
        answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(2)), frames, spec)
        for frames in (mine, others)
    ]
    both = [runtime(pipeline, worker=server.worker, admission=block(2)) for _ in range(2)]
    results = []
    for it in both:
        it.prepare(spec)
        results.append(it.subscribe(block(12)))
    for a, b in zip(mine, others, strict=True):
        both[0].submit(a)
        both[1].submit(b)
    for it, frames, wanted in zip(both, results, expected, strict=True):
        assert it.drain(30)
        it.close()
        assert same([{name: np.array(result[name]) for name in result} for result in frames], wanted)


def test_memories_that_begin_anew_are_forgotten_there(runtime: Make, tmp_path: Path, triton: Tritons) -> None:
    """Each segment begins with a new memory: many more of them than the server holds at once."""
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    pipeline = Pipeline([Stage("net", write(tmp_path / "net", Recipe(recurrent=True, described="uint16")))])
    server = triton()
    deployed(pipeline, server, spec, sequences=4, **PYTHON)
    server.start()
    frames = [models.frame(n % 3, 50 * n, spec, segment=n // 3) for n in range(60)]
    expected = answers_of(runtime(pipeline, worker="process", provider="cpu", admission=block(2)), frames, spec)
    there = runtime(pipeline, worker=f"{server.worker}?memories=2", admission=block(2))
    assert same(answers_of(there, frames, spec), expected)
    assert there.ledger.counts["done"] == 60


def test_an_ensemble_answers_as_its_graphs_one_after_another(folder: Path, triton: Tritons) -> None:
    from tritonclient.grpc import InferenceServerClient, InferInput

    three = models.pipeline(folder)
    pipeline = Pipeline(three.stages, merge=False)
    server = triton()
    deployed(pipeline, server, **PYTHON)
    server.start()
    (name,) = [path.name for path in server.folder.iterdir() if path.name.startswith("onscope-chain-")]
    client = InferenceServerClient(f"127.0.0.1:{server.port}")
    frame = np.full(models.SPEC.shape, 41, np.uint16)
    given = InferInput("frame_0", list(frame.shape), "UINT16")
    given.set_data_from_numpy(frame)
    answers = client.infer(name, [given])
    named = {each.name: answers.as_numpy(each.name) for each in answers.get_response().outputs}
    (plus,) = [array for key, array in named.items() if "plus" in key]
    (double,) = [array for key, array in named.items() if "double" in key]
    assert np.all(plus == 42)
    assert np.all(double == 42)
    assert double.shape[-2:] == (2 * frame.shape[0], 2 * frame.shape[1])


def test_kill_9_in_mid_run_and_back_again(runtime: Make, folder: Path, triton: Tritons, events: list[Event]) -> None:
    pipeline, server = models.pipeline(folder), triton()
    deployed(pipeline, server, **PYTHON)
    server.start()
    outlives(runtime, pipeline, server, events, times=2)


def certificates(folder: Path) -> Path:
    """An authority, a server's and a client's certificate, made by openssl."""
    folder.mkdir()

    def openssl(*more: str) -> None:
        subprocess.run(["openssl", *more], cwd=folder, check=True, capture_output=True)

    def key(name: str) -> list[str]:
        return ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key"]

    openssl("req", "-x509", *key("ca"), "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("server", "client"):
        openssl("req", *key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    return folder


def test_encrypted_with_certificates_of_both_and_a_token(
    runtime: Make, folder: Path, triton: Tritons, tmp_path: Path
) -> None:
    made = certificates(tmp_path / "tls")
    own = f"tls={made}/ca.pem&cert={made}/client.pem&key={made}/client.key"
    more = [
        "--grpc-use-ssl=true",
        "--grpc-use-ssl-mutual=true",
        f"--grpc-server-cert={made}/server.pem",
        f"--grpc-server-key={made}/server.key",
        f"--grpc-root-cert={made}/ca.pem",
        "--grpc-restricted-protocol=inference:token=the-secret",
    ]
    pipeline, server = models.pipeline(folder), triton(more=more, tls=f"{made}/ca.pem&{own.partition('&')[2]}")
    deployed(pipeline, server, **PYTHON)
    server.start()
    graph = next(server.folder.rglob("model.onnx"))
    header = "header=triton-grpc-protocol-token"
    with pytest.raises(ProviderError, match="cannot be reached"):
        open_session(graph, f"{server.provider}?tls={made}/ca.pem")
    with pytest.raises(ProviderError, match="cannot be reached"):
        open_session(graph, server.provider)
    frames = [models.frame(n) for n in range(8)]
    worker = f"{server.worker}?{own}&{header}"
    assert "ONSCOPE_KSERVE_TOKEN" not in os.environ
    refused = runtime(pipeline, worker=f"{worker}#another", admission=block(2))
    with pytest.raises(ProviderError, match=r"refused|restricted|denied|protocol"):
        refused.prepare(models.SPEC)
    it = runtime(pipeline, worker=f"{worker}#the-secret", admission=block(2))
    answers_of(it, frames)
    assert it.ledger.counts["done"] == 8


class Refused(Exception):
    """One window was refused, and the server is not lost."""


def answers_or_refused(window: Pending) -> None:
    try:
        window.wait()
    except ProviderError as error:
        if isinstance(error, DeviceLostError) or "queue" not in str(error):
            raise
        raise Refused from error


def test_a_full_queue_fails_windows_and_not_the_server(folder: Path, triton: Tritons) -> None:
    """Too many requests at once are refused one by one, which is no reason to leave the server."""
    pipeline, server = models.pipeline(folder), triton()
    (graph,) = deployed(pipeline, server, batch=2, **PYTHON)
    config = next(server.folder.rglob("config.pbtxt"))
    limits = "default_queue_policy { max_queue_size: 1 }"
    config.write_text(config.read_text().replace("dynamic_batching {", f"dynamic_batching {{ {limits}"))
    server.start()
    session = open_session(graph, f"{server.provider}?in_flight=64")
    frame = np.zeros(models.SPEC.shape, np.uint16)
    begun = [session.start([frame]) for _ in range(64)]  # type: ignore[attr-defined]
    refused = 0
    for each in begun:
        with contextlib.suppress(Refused):
            answers_or_refused(each)
            continue
        refused += 1
    assert 0 < refused < 64
    assert session.run([frame])
