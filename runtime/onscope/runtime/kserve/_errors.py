"""What gRPC and a server say, as errors of ours: is the server lost, or was it this window alone?"""

from __future__ import annotations

from .._errors import DeviceLostError, ProviderError

LOST = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "NOT_FOUND")
"""gRPC's codes after which the next window would fare no better."""
CUT = "UNAVAILABLE"
FULL = ("exceeds maximum queue size", "request timeout expired")
"""What Triton says of a single request, with the code UNAVAILABLE, when it has too much to do."""
MISSING = "NOT_FOUND"
FORGOTTEN = "shared memory region"
"""In what Triton says of a region that it does not know: it was started again since."""


def code_of(error: Exception) -> str:
    """gRPC's status code by name; "" where there is none."""
    status = getattr(error, "status", None)
    return str(status() if callable(status) else "").rpartition(".")[2].upper()


def words_of(error: Exception) -> str:
    """What the server, or gRPC, says in one line."""
    message = getattr(error, "message", None)
    text = str(message() if callable(message) else error)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)[:300]


def is_cut(error: Exception) -> bool:
    """Whether the connection was cut: nobody knows whether the server has seen the request."""
    return code_of(error) == CUT and not _is_full(error)


def is_forgotten(error: Exception) -> bool:
    """Whether the server knows nothing of the shared memory of a request, which it has not begun with then."""
    return FORGOTTEN in words_of(error).lower()


def failure(server: object, error: Exception, timeout_s: float) -> ProviderError:
    """The error to raise: DeviceLostError where the server is lost, ProviderError for this window alone."""
    code, words = code_of(error), words_of(error)
    if code == "DEADLINE_EXCEEDED":
        return DeviceLostError(f"{server} gave no answer within {timeout_s:g} s")
    if code in LOST and not _is_full(error):
        return DeviceLostError(f"{server} is lost: {words}")
    return ProviderError(f"{server} refused the window: {words}")


def _is_full(error: Exception) -> bool:
    return any(each in words_of(error).lower() for each in FULL)
