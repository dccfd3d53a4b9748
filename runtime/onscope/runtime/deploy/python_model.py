"""A compiled graph as a model of Triton's Python back end: run by ONNX Runtime, for servers without its own back end.

This file is copied into the model repository by `onscope deploy`; the server's Python needs numpy and onnxruntime.
"""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from typing import Any

import numpy as np
import triton_python_backend_utils as triton

START, END = 1, 2
"""TRITONSERVER_REQUEST_FLAG_SEQUENCE_START and _END of Triton's C interface."""


class TritonPythonModel:
    """One instance of the model."""

    def initialize(self, args: dict[str, str]) -> None:
        import onnxruntime

        config = json.loads(args["model_config"])
        facts = json.loads(config["parameters"]["onscope"]["string_value"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(facts.get("threads") or 0)
        options.log_severity_level = 3
        # Threads that spin for long take the cores from the server's own, and from its other models.
        options.add_session_config_entry("session.intra_op.spin_duration_us", "100")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        gpu = args["model_instance_kind"] == "GPU"
        providers: list[Any] = ["CPUExecutionProvider"]
        if gpu:
            providers.insert(0, ("CUDAExecutionProvider", {"device_id": args["model_instance_device_id"]}))
        path = os.path.join(args["model_repository"], args["model_version"], "model.onnx")
        self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        if gpu and self.session.get_providers()[0] != "CUDAExecutionProvider":
            raise triton.TritonModelException("onnxruntime cannot use the GPU here: install onnxruntime-gpu")
        self.inputs = [each["name"] for each in config["input"]]
        self.outputs = [each["name"] for each in config["output"]]
        self.batches = config["max_batch_size"] > 0
        self.states = facts.get("states", [])
        self.most = int(facts.get("sequences") or 1)
        self.memories: OrderedDict[int, list[Any]] = OrderedDict()

    def execute(self, requests: list[Any]) -> list[Any]:
        if self.states:
            return [self._answered(request, self._remembering) for request in requests]
        if self.batches and len(requests) > 1:
            return self._together(requests)
        return [self._answered(request, self._alone) for request in requests]

    def _answered(self, request: Any, run: Any) -> Any:
        try:
            values = run(request)
        except Exception as error:  # told to the client that asked; the others' windows go on
            return triton.InferenceResponse(error=triton.TritonError(str(error).splitlines()[0]))
        return triton.InferenceResponse([triton.Tensor(name, values[name]) for name in self.outputs])

    def _given(self, request: Any) -> dict[str, Any]:
        return {name: triton.get_input_tensor_by_name(request, name).as_numpy() for name in self.inputs}

    def _alone(self, request: Any) -> dict[str, Any]:
        return dict(zip(self.outputs, self.session.run(self.outputs, self._given(request)), strict=True))

    def _together(self, requests: list[Any]) -> list[Any]:
        """Windows of several requests in one run; one by one where that fails, so that one cannot spoil the others."""
        given = [self._given(request) for request in requests]
        sizes = [len(each[self.inputs[0]]) for each in given]
        stacked = {name: np.concatenate([each[name] for each in given]) for name in self.inputs}
        try:
            answers = self.session.run(self.outputs, stacked)
        except Exception:
            return [self._answered(request, self._alone) for request in requests]
        ends = np.cumsum(sizes)[:-1]
        parts = [np.split(answer, ends) for answer in answers]
        return [
            triton.InferenceResponse(
                [triton.Tensor(name, part[at]) for name, part in zip(self.outputs, parts, strict=True)]
            )
            for at in range(len(requests))
        ]

    def _remembering(self, request: Any) -> dict[str, Any]:
        """The memory goes on with the sequence that the request is of."""
        number = request.correlation_id()
        if request.flags() & START:
            self.memories.pop(number, None)
        elif number not in self.memories:
            raise RuntimeError(f"the sequence {number} is not known here any more")
        given = self._given(request)
        for state, memory in zip(self.states, self.memories.get(number) or [None] * len(self.states), strict=True):
            given[state["input"]] = np.zeros(state["shape"], state["dtype"]) if memory is None else memory
        names = [*self.outputs, *(state["output"] for state in self.states)]
        values = self.session.run(names, given)
        self.memories[number] = values[len(self.outputs) :]
        self.memories.move_to_end(number)
        while len(self.memories) > self.most:
            self.memories.popitem(last=False)
        if request.flags() & END:
            del self.memories[number]
        return dict(zip(self.outputs, values[: len(self.outputs)], strict=True))
