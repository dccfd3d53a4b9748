"""Model repositories: what is written is what Triton's own schema takes, and what a session finds there."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onscope.runtime import FrameSpec, Package, Pipeline, PipelineError, ProviderError, Stage
from onscope.runtime.deploy import Options, deploy
from onscope.runtime.deploy._config import read_config
from onscope.runtime.engines import open_session
from onscope.runtime.kserve import model_name, parse_provider, tensors_of
from onscope.runtime.kserve._session import KserveSession
from onscope.runtime.worker import Chain
from tests import models
from tests.cli.conftest import Call, call
from tests.graph.generated import Recipe, write

from .servers import StandIn

__all__ = ["call"]
ZOO = Path(__file__).parents[2] / "export" / "onscope" / "export" / "zoo" / "packages"


def chain_of(pipeline: Pipeline, spec: FrameSpec = models.SPEC) -> Chain:
    return Chain(pipeline.opening(spec, "cpu", 1))


def config_in(folder: Path) -> Any:
    return read_config((folder / "config.pbtxt").read_text())


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["care-beads", "espcn-beads", "nuclei-cells"])
@pytest.mark.parametrize("batch", [1, 4])
def test_a_package_as_tritons_schema_has_it(name: str, batch: int, tmp_path: Path) -> None:
    chain = chain_of(Pipeline([Stage("answer", Package.load(ZOO / name))]), FrameSpec((64, 64), "uint16"))
    (model,) = deploy(chain, tmp_path, Options(batch=batch, instances=2, kind="gpu"), {}).models
    config = config_in(model.folder)
    inputs, outputs = tensors_of(chain.groups[0].compiled.path)
    assert config.name == model.name == model_name(chain.groups[0].compiled.sha256)
    assert config.backend == "onnxruntime"
    assert [(each.name, tuple(each.dims)) for each in config.input] == [(each.name, each.shape) for each in inputs]
    assert [each.name for each in config.output] == [each.name for each in outputs]
    assert config.input[0].data_type == 3, "TYPE_UINT16: raw counts go there"
    assert config.instance_group[0].count == 2
    assert config.max_batch_size == (4 if batch > 1 else 0) == model.most
    assert not config.instance_group[0].HasField("rate_limiter")
    assert {each.batch_size for each in config.model_warmup} == ({1, 4} if batch > 1 else {0})
    written = onnx.load(model.folder / "1" / "model.onnx")
    free = [each.type.tensor_type.shape.dim[0].HasField("dim_param") for each in written.graph.input]
    assert all(free) == (batch > 1)


@pytest.mark.parametrize("batch", [1, 4])
def test_each_class_has_a_model_of_its_own(batch: int, folder: Path, tmp_path: Path) -> None:
    chain = chain_of(models.pipeline(folder))
    (model,) = deploy(chain, tmp_path, Options(batch=batch, instances=2, priorities=3), {}).models
    assert model.classes == (f"{model.name}-priority-1", f"{model.name}-priority-2")
    for place, name in enumerate((*model.classes, model.name)):
        config = config_in(tmp_path / name)
        assert config.name == name
        (group,) = config.instance_group
        assert group.count == 2
        assert group.rate_limiter.priority == 10**place, "Triton's: ten times as many chances as the next class"
        assert [(each.name, each.count) for each in group.rate_limiter.resources] == [("onscope", 1)]
        assert not config.dynamic_batching.priority_levels
        assert (tmp_path / name / "1" / "model.onnx").read_bytes() == (model.folder / "1" / "model.onnx").read_bytes()
    again = deploy(chain, tmp_path, Options(batch=batch, instances=2, priorities=3), {}).models[0]
    assert not again.fresh
    (tmp_path / model.classes[0] / "config.pbtxt").write_text("")
    assert deploy(chain, tmp_path, Options(batch=batch, instances=2, priorities=3), {}).models[0].fresh


def test_a_window_goes_to_the_model_of_its_class(folder: Path, server: StandIn) -> None:
    chain = chain_of(models.pipeline(folder))
    (model,) = deploy(chain, server.folder, Options(priorities=2), {}).models
    for priority, expected in ((0, model.name), (1, model.classes[0]), (2, model.name)):
        engine = f"{server.provider}?priority={priority}"
        session = KserveSession(chain.groups[0].compiled.path, parse_provider(engine.partition(":")[2]))
        assert f": {expected} " in session.about
        assert ("the usual one, for there is none of priority 2" in session.about) == (priority == 2)
        session.close()


def test_what_is_there_already_is_left_as_it_is(folder: Path, tmp_path: Path) -> None:
    chain = chain_of(models.pipeline(folder))
    first = deploy(chain, tmp_path, Options(), {})
    before = everything(tmp_path)
    again = deploy(chain, tmp_path, Options(), {})
    assert [each.fresh for each in (*first.models, *again.models)] == [True, False]
    assert everything(tmp_path) == before
    other = deploy(chain, tmp_path, Options(instances=3), {})
    assert other.models[0].fresh
    assert config_in(other.models[0].folder).instance_group[0].count == 3
    assert [path.name for path in tmp_path.iterdir()] == [other.models[0].name], "nothing is left of writing"


def test_frames_of_another_size_stand_beside(folder: Path, tmp_path: Path) -> None:
    for shape in ((48, 64), (64, 64)):
        deploy(chain_of(models.pipeline(folder), FrameSpec(shape, "uint16")), tmp_path, Options(), {})
    assert len(list(tmp_path.iterdir())) == 2


def test_a_recurrent_network_keeps_its_memory_there(tmp_path: Path) -> None:
    spec = FrameSpec((24, 32), "uint16", camera="cam")
    chain = chain_of(
        Pipeline([Stage("net", write(tmp_path / "net", Recipe(recurrent=True, described="uint16")))]), spec
    )
    (model,) = deploy(chain, tmp_path / "models", Options(sequences=7, idle_s=60), {}).models
    config = config_in(model.folder)
    (state,) = chain.groups[0].compiled.states
    assert model.remembers
    assert [(each.input_name, each.output_name) for each in config.sequence_batching.state] == [
        (state.input, state.output)
    ]
    assert config.sequence_batching.state[0].initial_state[0].zero_data
    assert config.sequence_batching.oldest.max_candidate_sequences == 7
    assert config.sequence_batching.max_sequence_idle_microseconds == 60_000_000
    assert state.input not in [each.name for each in config.input]
    assert not config.HasField("dynamic_batching")


def test_graphs_that_do_not_merge_are_an_ensemble_too(folder: Path, tmp_path: Path) -> None:
    pipeline = Pipeline(models.pipeline(folder).stages, merge=False)
    deployed = deploy(chain_of(pipeline), tmp_path, Options(), {})
    config = config_in(tmp_path / deployed.chain)
    assert config.platform == "ensemble"
    assert len(config.ensemble_scheduling.step) == 3
    known = {each.name for each in config.input}
    for step in config.ensemble_scheduling.step:
        member = config_in(tmp_path / step.model_name)
        assert set(step.input_map) == {each.name for each in member.input}
        assert set(step.input_map.values()) <= known, "what a graph reads was there before it"
        assert set(step.output_map) == {each.name for each in member.output}
        known |= set(step.output_map.values())


def test_where_there_can_be_no_ensemble_it_says_why(tmp_path: Path) -> None:
    first, second = (Package.load(ZOO / name) for name in ("care-beads", "nuclei-cells"))
    stages = [Stage("first", first), Stage("second", second, reads="first", normalise="frozen")]
    deployed = deploy(chain_of(Pipeline(stages, merge=False), FrameSpec((64, 64), "uint16")), tmp_path, Options(), {})
    assert not deployed.chain
    assert len(deployed.models) == 2
    (words,) = deployed.told
    assert "one after another" in words


def test_a_plan_that_was_not_built_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"no plan of plus.*onscope build"):
        deploy(chain_of(models.pipeline(folder)), tmp_path, Options(backend="tensorrt"), {})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "more",
    [{"instances": 0}, {"batch": 1000}, {"delay_us": -1}, {"priorities": 0}, {"priorities": 5}, {"idle_s": 0.5},
     {"sequences": 0},
     {"backend": "tflite"}, {"backend": "python", "accelerator": True}],
)  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(PipelineError, match="expected"):
        Options(**more)


def test_counts_as_pairs_of_bytes_are_the_same_counts(folder: Path, shared_server: StandIn) -> None:
    """What a plan of TensorRT takes and gives: 16-bit counts as two bytes each."""
    graph = models.plus_one(folder / "plus").weights
    nodes = [
        helper.make_node("Cast", ["frame"], ["bytes"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["bytes", "weights"], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "last"], ["counts"], keepdims=0),
        helper.make_node("Add", ["counts", "one"], ["more"]),
        helper.make_node("Mod", ["more", "b"], ["low"], fmod=1),
        helper.make_node("Sub", ["more", "low"], ["rest"]),
        helper.make_node("Div", ["rest", "b"], ["high"]),
        helper.make_node("Unsqueeze", ["low", "last"], ["l"]),
        helper.make_node("Unsqueeze", ["high", "last"], ["h"]),
        helper.make_node("Concat", ["l", "h"], ["both"], axis=-1),
        helper.make_node("Cast", ["both"], ["image"], to=TensorProto.UINT8),
    ]
    constants: dict[str, np.ndarray] = {
        "weights": np.array([1, 256], np.float32),
        "last": np.array([-1], np.int64),
        "one": np.array(1, np.float32),
        "b": np.array(256, np.float32),
    }
    shape: list[str | int | None] = [1, 1, "y", "x", 2]
    content = helper.make_graph(
        nodes,
        "pairs",
        [helper.make_tensor_value_info("frame", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(content, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    name = "pairs-" + hashlib.sha256(made.SerializeToString()).hexdigest()[:8]
    place = shared_server.folder / name / "1" / "model.onnx"
    place.parent.mkdir(parents=True)
    onnx.save(made, place)
    frame = np.random.default_rng(0).integers(0, 65535, (1, 1, 8, 9)).astype(np.uint16)
    for more in ("", "&shared=never"):
        session = open_session(graph, f"{shared_server.provider}?model={name}{more}")
        (answer,) = session.run([frame])
        assert answer.dtype == np.uint16
        assert np.array_equal(answer, frame + 1)


def test_the_command_writes_and_checks(call: Call, tmp_path: Path, folder: Path, server: StandIn) -> None:
    where = ["--triton", str(server.folder), "--shape", "48x64", "--batch", "1"]
    package = str(models.plus_one(folder / "plus").folder)
    found = call("deploy", package, *where, "--check", server.worker)
    assert found.code == 0, found.err
    assert "0.0e+00 of the answer's range" in found.out
    assert "tritonserver --model-repository" in found.out
    other = models.plus(tmp_path / "other", 5)
    (name,) = [path.name for path in server.folder.iterdir()]
    server.kill()
    place = server.folder / name / "1" / "model.onnx"
    wrong = deploy(chain_of(Pipeline([Stage("plus", other)])), tmp_path / "w", Options(), {}).models[0]
    place.write_bytes((wrong.folder / "1" / "model.onnx").read_bytes())
    server.start()
    found = call("deploy", package, "--triton", tmp_path / "x", *where[2:], "--check", server.worker)
    assert found.code == 1
    assert "other answers" in found.err


def test_the_command_tells_of_classes(call: Call, tmp_path: Path, folder: Path) -> None:
    package = str(models.plus_one(folder / "plus").folder)
    found = call("deploy", package, "--triton", tmp_path, "--shape", "48x64", "--priorities", "2", "--instances", "3")
    assert found.code == 0, found.err
    assert "-priority-1  the same for ?priority=1" in found.out
    assert "--rate-limit=execution_count --rate-limit-resource=onscope:3" in found.out


def test_a_shipped_package_is_found_by_its_name(call: Call, tmp_path: Path) -> None:
    found = call("deploy", "zoo/care-beads", "--triton", tmp_path, "--shape", "64x64")
    assert found.code == 0, found.err
    assert "up to 8 windows at once" in found.out
