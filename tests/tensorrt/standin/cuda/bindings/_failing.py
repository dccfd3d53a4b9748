"""Errors of the stand-in: of one call, of work that was begun, and those that stay."""

import functools
import os
from collections.abc import Callable
from enum import IntEnum
from typing import Any


class cudaError_t(IntEnum):  # the binding's own name
    cudaSuccess = 0
    cudaErrorInvalidValue = 1
    cudaErrorMemoryAllocation = 2
    cudaErrorDevicesUnavailable = 46
    cudaErrorNoDevice = 100
    cudaErrorInvalidDevice = 101
    cudaErrorECCUncorrectable = 214
    cudaErrorInvalidResourceHandle = 400
    cudaErrorIllegalAddress = 700
    cudaErrorHostMemoryAlreadyRegistered = 712
    cudaErrorHostMemoryNotRegistered = 713
    cudaErrorLaunchFailure = 719
    cudaErrorNotSupported = 801
    cudaErrorStreamCaptureUnsupported = 900
    cudaErrorStreamCaptureInvalidated = 901


OK = cudaError_t.cudaSuccess
STAYS = {
    cudaError_t.cudaErrorIllegalAddress,
    cudaError_t.cudaErrorLaunchFailure,
    cudaError_t.cudaErrorECCUncorrectable,
    cudaError_t.cudaErrorDevicesUnavailable,
}
_state = {"lost": OK, "last": OK, "late": OK}


def call(function: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """A function of the runtime: once the GPU is lost each says so; `last` is what went wrong last."""

    @functools.wraps(function)
    def called(*arguments: Any) -> tuple[Any, ...]:
        answer = (_state["lost"],) if _state["lost"] else function(*arguments)
        if answer[0]:
            _state["last"] = answer[0]
        return answer

    return called


def fail(error: cudaError_t) -> None:
    """Work that was begun went wrong: told when it is waited for, and from then on if it is of those that stay."""
    if error in STAYS:
        _state["lost"] = error
    elif not _state["late"]:
        _state["late"] = error


def late() -> cudaError_t:
    """What work that is now waited for went wrong with."""
    error, _state["late"] = _state["late"], OK
    return _state["lost"] or error


def last() -> cudaError_t:
    error, _state["last"] = _state["last"], OK
    return _state["lost"] or error


def wanted(name: str) -> bool:
    """Whether the test wants that to go wrong: STANDIN_REFUSES lists it."""
    return name in os.environ.get("STANDIN_REFUSES", "").split(",")
