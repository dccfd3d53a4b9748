"""Constants, whose values are those of NVIDIA's cuda-bindings."""

from enum import IntEnum

cudaHostAllocPortable, cudaHostAllocMapped = 1, 2
cudaHostRegisterPortable, cudaHostRegisterReadOnly = 1, 8
cudaEventDisableTiming = 2
cudaStreamNonBlocking = 1


class cudaMemcpyKind(IntEnum):
    cudaMemcpyHostToHost = 0
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2
    cudaMemcpyDeviceToDevice = 3
    cudaMemcpyDefault = 4


class cudaStreamCaptureMode(IntEnum):
    cudaStreamCaptureModeGlobal = 0
    cudaStreamCaptureModeThreadLocal = 1
    cudaStreamCaptureModeRelaxed = 2


class cudaStreamCaptureStatus(IntEnum):
    cudaStreamCaptureStatusNone = 0
    cudaStreamCaptureStatusActive = 1


class cudaDeviceAttr(IntEnum):
    cudaDevAttrIntegrated = 18
