"""Addresses of servers: read as they are written, and refused with a sentence."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onscope.runtime import ProviderError, WorkerError
from onscope.runtime.engines import listed, providers_of
from onscope.runtime.kserve import Address, parse_provider, parse_worker

ADDRESSES = st.builds(
    Address,
    host=st.sampled_from(["localhost", "127.0.0.1", "::1", "gpu-server", "gpu.facility.org"]),
    port=st.integers(1, 65535),
    in_flight=st.integers(1, 64),
    memories=st.integers(1, 100),
    timeout_s=st.sampled_from([0.25, 5.0, 60.0]),
    priority=st.integers(0, 9),
    tls=st.sampled_from(["", "system", "/etc/ssl/ca.pem"]),
    header=st.sampled_from(["authorization", "triton-grpc-protocol-token"]),
    shared=st.sampled_from(["auto", "never"]),
)


@given(ADDRESSES)
def test_an_address_is_read_as_it_was_written(address: Address) -> None:
    name, _, argument = address.provider.partition(":")
    assert name == "kserve"
    assert parse_provider(argument) == address
    assert parse_worker(address.provider.replace("kserve:", "kserve://", 1)) == (address, "")
    assert providers_of(listed([address.provider, "cpu"])) == (address.provider, "cpu")


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with contextlib.suppress(ProviderError):
        assert parse_provider(text).host
    with contextlib.suppress(WorkerError):
        assert parse_worker(text)[0].host


@pytest.mark.parametrize(
    "words",
    [
        "kserve://",
        "kserve://host:99999",
        "kserve://host:0x1",
        "kserve://host?in_flight=0",
        "kserve://host?in_flight=many",
        "kserve://host?timeout_s=nan",
        "kserve://host?memories=0",
        "kserve://host?colour=red",
        "kserve://host?priority=1&priority=2",
        "kserve://host?shared=perhaps",
        "kserve://host?cert=a.pem&tls=ca.pem",
        "kserve://host?tls=a,b",
        "kserve://host/models",
        "kserve://user@host",
        "tcp://host",
        "kserve://gpu-server:8001#secret",
    ],
)
def test_what_makes_no_sense_is_refused_without_the_token(words: str) -> None:
    with pytest.raises(WorkerError, match="expected kserve://") as refused:
        parse_worker(words)
    assert "secret" not in str(refused.value)


def test_a_token_goes_over_the_network_encrypted_or_not_at_all() -> None:
    assert parse_worker("kserve://gpu:8001?tls=system#abc") == (Address("gpu", 8001, tls="system"), "abc")
    assert parse_worker("kserve://127.0.0.1:8001#abc") == (Address("127.0.0.1", 8001), "abc")
