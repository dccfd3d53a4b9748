"""A KServe v2 server, such as Triton, in the place of an engine of this machine: `kserve:HOST:PORT`."""

from ._address import MOST_IN_FLIGHT, SCHEME, TOKEN_VARIABLE, Address, parse_provider, parse_worker
from ._engine import KserveEngine
from ._model import CHAIN, class_name, model_name, sha256_of, tensors_of
from ._reach import is_reachable

__all__ = [
    "CHAIN",
    "MOST_IN_FLIGHT",
    "SCHEME",
    "TOKEN_VARIABLE",
    "Address",
    "KserveEngine",
    "class_name",
    "is_reachable",
    "model_name",
    "parse_provider",
    "parse_worker",
    "sha256_of",
    "tensors_of",
]
