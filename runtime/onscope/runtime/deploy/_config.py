"""A model's config.pbtxt, as Triton's own schema has it (model_config.proto, "Model Configuration" in NVIDIA Triton
Inference Server's user guide)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .._errors import PipelineError
from ..engines import WARM_UPS, TensorSpec
from ._options import Options
from ._tensors import Ports

ModelConfig = Any
"""`tritonclient.grpc.model_config_pb2.ModelConfig`, which is imported where it is used."""
FILES = {"onnxruntime": "model.onnx", "tensorrt": "model.plan", "python": "model.py"}
"""What each back end looks for in a version's folder."""


def schema() -> Any:
    """Triton's schema; raises PipelineError where its package is not installed."""
    try:
        from tritonclient.grpc import model_config_pb2
    except ImportError as error:
        raise PipelineError(
            f"found no tritonclient ({error}), expected it for Triton's schema: pip install 'onscope[kserve]'"
        ) from error
    return model_config_pb2


RESOURCE = "onscope"
"""What Triton's rate limiter gives to one model at a time, and takes back when its run is over."""
CHANCES = 10
"""How many times as often a class is chosen as the next one, where windows of both wait ("Rate Limiter", ibid.)."""


def config_of(
    name: str, ports: Ports, options: Options, facts: Mapping[str, Any], priority: int | None = None
) -> ModelConfig:
    """The configuration of one graph's model, for microscopes of a class (None: the last one). `facts` are put into it
    for people, as JSON."""
    pb = schema()
    config = pb.ModelConfig(name=name, backend=options.backend, max_batch_size=ports.most)
    config.default_model_filename = FILES[options.backend]
    for spec in ports.given:
        config.input.add(name=spec.name, data_type=data_type(spec.dtype), dims=_dims(spec))
    for spec in ports.answered:
        config.output.add(name=spec.name, data_type=data_type(spec.dtype), dims=_dims(spec))
    kinds = {"auto": pb.ModelInstanceGroup.KIND_AUTO, "gpu": pb.ModelInstanceGroup.KIND_GPU}
    group = config.instance_group.add(
        count=options.instances, kind=kinds.get(options.kind, pb.ModelInstanceGroup.KIND_CPU)
    )
    if options.priorities > 1:
        group.rate_limiter.resources.add(name=RESOURCE, count=1)
        group.rate_limiter.priority = CHANCES ** ((priority or options.priorities) - 1)
    config.version_policy.latest.num_versions = 1
    config.parameters["onscope"].string_value = json.dumps(facts, sort_keys=True)
    if ports.memories:
        _sequences(config, ports, options)
    else:
        _batching(config, options)
        _warm_up(config, ports)
    if options.accelerator:
        config.optimization.execution_accelerators.gpu_execution_accelerator.add(name="tensorrt")
    return config


def _batching(config: Any, options: Options) -> None:
    """Windows of several microscopes are run together, and none waits long for others. No levels of priority: with them
    Triton 2.51 stands still now and then, and starves the last (benchmarks/README.md)."""
    if config.max_batch_size >= 2:
        config.dynamic_batching.max_queue_delay_microseconds = options.delay_us


def _sequences(config: Any, ports: Ports, options: Options) -> None:
    """A network's memory stays on the server, by the number of the sequence that a window is of."""
    batching = config.sequence_batching
    batching.max_sequence_idle_microseconds = int(options.idle_s * 1e6)
    batching.oldest.max_candidate_sequences = options.sequences
    for given, left in ports.memories:
        if options.backend == "python":  # which keeps it itself
            continue
        state = batching.state.add(
            input_name=given.name, output_name=left.name, data_type=data_type(given.dtype), dims=_dims(given)
        )
        begin = state.initial_state.add(name="zeros", data_type=data_type(given.dtype), dims=_dims(given))
        begin.zero_data = True


def _warm_up(config: Any, ports: Ports) -> None:
    """Buffers are allocated, and kernels chosen, before the first window: for one alone, and for a whole batch."""
    for size in sorted({min(1, ports.most), ports.most}):
        warm = config.model_warmup.add(name=f"empty windows, {size or 1}", batch_size=size, count=WARM_UPS)
        for spec in ports.given:
            one = warm.inputs[spec.name]
            one.data_type, one.zero_data = data_type(spec.dtype), True
            one.dims.extend(_dims(spec))


def data_type(dtype: str) -> int:
    """Triton's number of a NumPy dtype."""
    from tritonclient.utils import np_to_triton_dtype

    name = np_to_triton_dtype(np.dtype(dtype))
    return int(schema().DataType.Value(f"TYPE_{name}"))


def _dims(spec: TensorSpec) -> Sequence[int]:
    return [-1 if size is None else size for size in spec.shape] or [1]


def text_of(config: ModelConfig) -> str:
    """As it stands in config.pbtxt."""
    from google.protobuf import text_format

    return str(text_format.MessageToString(config, as_utf8=True))


def read_config(text: str) -> ModelConfig:
    """A config.pbtxt, read by Triton's schema; raises PipelineError for what is not of it."""
    from google.protobuf import text_format

    try:
        return text_format.Parse(text, schema().ModelConfig())
    except text_format.ParseError as error:
        raise PipelineError(f"found a config.pbtxt that Triton would refuse: {error}") from error
