"""An ONNX graph in ONNX Runtime on the CPU, as it is, with bounded memory and time: whoever made it is not known."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psutil

from onscope.runtime import ExportError

from .._original import Array, one_line

if TYPE_CHECKING:
    from onnx import ModelProto

SHARE = 0.5
"""Of the memory that is free when a graph is opened: what it may take."""
MOST_S = 300.0
"""Longest run; a network that takes longer is none for live use, or does not end."""
_FULL = ("smaller than requested bytes", "Failed to allocate memory", "bad allocation", "bad_alloc", "BFCArena")


class NotTaken(ExportError):
    """The graph does not open, or not run on this input; it may on another."""


class Session:
    """Any number of inputs and outputs; raises ExportError, also when ONNX Runtime is not installed.

    All tensors of a run lie in an arena that is at most SHARE of the free memory. Constants are not folded before: ONNX
    Runtime takes the memory for that elsewhere, as much as it needs.
    """

    def __init__(self, model: ModelProto, given: Sequence[str]) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ExportError(
                "found no ONNX Runtime, expected it for running the ONNX file: pip install onscope[cpu]"
            ) from error
        self._most = int(SHARE * psutil.virtual_memory().available)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4  # what fails is said in one sentence
        options.add_session_config_entry("session.use_env_allocators", "1")
        try:
            _bound(self._most)
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"],
                disabled_optimizers=["ConstantFolding"],
            )  # fmt: skip
        except Exception as error:  # ONNX Runtime's errors have no common base below Exception
            raise NotTaken(
                f"found that ONNX Runtime does not open the ONNX file ({reason(error)}), expected one that it runs"
            ) from error
        self._given = given

    def run(self, *arrays: Array) -> list[Array]:
        """All outputs for its inputs, in their order.

        Raises NotTaken, or ExportError for a run that did not end within MOST_S.
        """
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        timer = threading.Timer(MOST_S, setattr, (options, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            answers: list[Array] = self._session.run(None, dict(zip(self._given, arrays, strict=True)), options)
        except Exception as error:
            raise self._failed(error, arrays, options.terminate) from error
        finally:
            timer.cancel()
        return answers

    def _failed(self, error: Exception, arrays: Sequence[Array], stopped: bool) -> ExportError:
        size = " and ".join(f"{'x'.join(map(str, array.shape))} {array.dtype}" for array in arrays)
        size = f"{size} input"
        if stopped:
            return ExportError(
                f"found that the network itself does not end within {MOST_S:g} s on a {size}, expected one for live "
                "use: export a smaller one, or give smaller frames"
            )
        if any(mark in str(error) for mark in _FULL):
            return NotTaken(
                f"found that the network itself takes more than {self._most / 1e6:.0f} MB on a {size}, expected less "
                "than that share of the memory that is free: give smaller frames, or free some"
            )
        return NotTaken(
            f"found that the network itself fails on a {size} ({reason(error)}), expected its outputs: give the sizes "
            "and axes that it takes"
        )


def _bound(most: int) -> None:
    """Make a new arena of `most` bytes the one that sessions with "use_env_allocators" take from when they open."""
    from onnxruntime import create_and_register_allocator
    from onnxruntime.capi import _pybind_state as state

    arena = state.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    place: Any = state.OrtMemoryInfo("Cpu", arena, 0, state.OrtMemType.DEFAULT)
    # No more is taken at a time than asked for (1); -1: what ONNX Runtime does without being told.
    create_and_register_allocator(place, state.OrtArenaCfg(most, 1, -1, -1))


def reason(error: Exception) -> str:
    """What ONNX Runtime says, without where in its code."""
    text = one_line(error, 600)
    for mark in ("Status Message: ", "was false. ", "Exception during initialization: "):
        text = text.rpartition(mark)[2]
    return one_line(text, 160)
