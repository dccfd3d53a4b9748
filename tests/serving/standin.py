"""A KServe v2 server for tests: `python -m tests.serving.standin REPOSITORY PORT [DELAY_MS] [--no-sharing]`.

It knows nothing of onscope but the folders of a model repository (NAME/1/model.onnx), which it opens when they are
asked for; ONNX Runtime runs them. No priorities, sequences or batches: a plain server as the protocol has it, with
the shared memory of Triton's extension. In a process of its own, so that it can be killed.
"""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime
from tritonclient.grpc import service_pb2 as pb
from tritonclient.grpc import service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from onscope.runtime.engines import TensorSpec
from onscope.runtime.kserve import tensors_of


class Model:
    """A graph, opened once."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs, self.outputs = tensors_of(path)
        self.names = [each.name for each in self.outputs]


class Servicer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """What is asked of it, answered."""

    def __init__(self, repository: Path, delay_ms: float, shares: bool) -> None:
        self._repository, self._delay_s, self._shares = repository, delay_ms / 1e3, shares
        self._models: dict[str, Model] = {}
        self._regions: dict[str, tuple[str, np.memmap]] = {}
        self._lock = threading.Lock()

    def ServerLive(self, request: Any, context: Any) -> Any:
        return pb.ServerLiveResponse(live=True)

    def ServerMetadata(self, request: Any, context: Any) -> Any:
        return pb.ServerMetadataResponse(name="standin", version="1")

    def ModelMetadata(self, request: Any, context: Any) -> Any:
        model = self._model(request.name, context)
        return pb.ModelMetadataResponse(
            name=request.name,
            versions=["1"],
            platform="onnx",
            inputs=[_described(each) for each in model.inputs],
            outputs=[_described(each) for each in model.outputs],
        )

    def ModelInfer(self, request: Any, context: Any) -> Any:
        model = self._model(request.model_name, context)
        raw = iter(request.raw_input_contents)
        given = {}
        for each in request.inputs:
            dtype = np.dtype(triton_to_np_dtype(each.datatype))
            place = each.parameters
            if "shared_memory_region" in place:
                data = self._part(place, context)
                given[each.name] = np.frombuffer(data, dtype).reshape(each.shape)
            else:
                given[each.name] = np.frombuffer(next(raw), dtype).reshape(each.shape)
        time.sleep(self._delay_s)
        try:
            answers = dict(zip(model.names, model.session.run(model.names, given), strict=True))
        except Exception as error:
            context.abort(grpc.StatusCode.INTERNAL, str(error).splitlines()[0])
        response = pb.ModelInferResponse(model_name=request.model_name, id=request.id)
        for wanted in request.outputs:
            answer = np.ascontiguousarray(answers[wanted.name])
            response.outputs.add(name=wanted.name, datatype=np_to_triton_dtype(answer.dtype), shape=answer.shape)
            if "shared_memory_region" in wanted.parameters:
                self._part(wanted.parameters, context)[...] = answer.reshape(-1).view(np.uint8)
                response.raw_output_contents.append(b"")  # as Triton does: contents are counted like outputs
            else:
                response.raw_output_contents.append(answer.tobytes())
        return response

    def SystemSharedMemoryRegister(self, request: Any, context: Any) -> Any:
        path = Path("/dev/shm", request.key.lstrip("/"))
        if not self._shares or not path.exists():
            context.abort(grpc.StatusCode.INTERNAL, "no such memory here")
        self._regions[request.name] = request.key, np.memmap(path, np.uint8, "r+", request.offset, request.byte_size)
        return pb.SystemSharedMemoryRegisterResponse()

    def SystemSharedMemoryUnregister(self, request: Any, context: Any) -> Any:
        self._regions.pop(request.name, None)
        return pb.SystemSharedMemoryUnregisterResponse()

    def SystemSharedMemoryStatus(self, request: Any, context: Any) -> Any:
        status = pb.SystemSharedMemoryStatusResponse()
        for name, (key, memory) in list(self._regions.items()):
            status.regions[name].name, status.regions[name].key = name, key
            status.regions[name].byte_size = memory.nbytes
        return status

    def _part(self, place: Any, context: Any) -> Any:
        name = place["shared_memory_region"].string_param
        if name not in self._regions:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Unable to find shared memory region: '{name}'")
        _, memory = self._regions[name]
        offset = place["shared_memory_offset"].int64_param if "shared_memory_offset" in place else 0
        return memory[offset : offset + place["shared_memory_byte_size"].int64_param]

    def _model(self, name: str, context: Any) -> Model:
        path = self._repository / name / "1" / "model.onnx"
        with self._lock:
            if name not in self._models:
                if not path.is_file():
                    context.abort(grpc.StatusCode.NOT_FOUND, f"no model {name}")
                self._models[name] = Model(path)
            return self._models[name]


def _described(spec: TensorSpec) -> Any:
    shape = [-1 if size is None else size for size in spec.shape]
    return pb.ModelMetadataResponse.TensorMetadata(
        name=spec.name, datatype=np_to_triton_dtype(np.dtype(spec.dtype)), shape=shape
    )


def main(arguments: list[str]) -> None:
    shares = "--no-sharing" not in arguments
    repository, port, *more = [each for each in arguments if not each.startswith("--")]
    options = [("grpc.max_receive_message_length", 2**31 - 1), ("grpc.max_send_message_length", 2**31 - 1)]
    server = grpc.server(ThreadPoolExecutor(16), options=[*options, ("grpc.so_reuseport", 0)])
    servicer = Servicer(Path(repository), float(more[0]) if more else 0.0, shares)
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    print("ready", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(sys.argv[1:])
