"""Inside a real pycro-manager acquisition: the model is slow, the acquisition does not notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from onscope.drivers import micromanager
from onscope.runtime import FrameSpec, Runtime, SourceError, block
from tests.drivers.acquisition import acquire, checksum

Make = Callable[..., Runtime]
CAMERA = FrameSpec((512, 512), "uint16", camera="Camera")


@pytest.mark.long
def test_400_frames_at_10_ms_beside_a_model_of_200_ms(runtime: Make, tmp_path: Path) -> None:
    """A hook that waits for the same model ends with `Sequence buffer overflow` after some 40 frames."""
    it = runtime(worker="process", provider="null:200", spec=CAMERA)  # its three stages are one graph
    results = it.subscribe(block(400))
    acquired = acquire(tmp_path, 400, it.image_process_fn, exposure_ms=10.0, buffer_mb=64)
    assert acquired.error is None
    assert sorted(acquired.saved) == list(range(400))
    assert acquired.saved == acquired.given
    assert len(set(acquired.saved.values())) == 400
    assert it.drain(10)
    counts = it.ledger.counts
    assert it.ledger.submitted == 400
    assert it.ledger.adds_up()
    assert counts["done"] + counts["skipped"] == 400
    assert 5 <= counts["done"] < 400, "how many, is a matter of how busy this machine is"
    first = results.take(1)
    assert first is not None
    assert checksum(first.frame.pixels) == acquired.given[first.frame.index["t"]]


def test_the_bound_method_is_a_hook_by_itself(runtime: Make, tmp_path: Path) -> None:
    from pycromanager import Acquisition, multi_d_acquisition_events

    it = runtime(worker="process", spec=None, admission=block(2))
    with micromanager.demo(size=64):  # noqa: SIM117 - the core must be there before the acquisition
        with Acquisition(str(tmp_path), "hooked", image_process_fn=it.image_process_fn) as acquisition:
            acquisition.acquire(multi_d_acquisition_events(num_time_points=5, time_interval_s=0))
    assert it.drain(20)
    assert it.ledger.counts["done"] == 5


def test_a_pymmcore_plus_acquisition_is_attached(runtime: Make) -> None:
    import useq
    from mm_test_adapters import device_adapter_path
    from pymmcore_plus import CMMCorePlus

    core = CMMCorePlus()
    core.setDeviceAdapterSearchPaths([str(device_adapter_path())])
    core.loadSystemConfiguration(Path(device_adapter_path(), "MMConfig_demo.cfg"))
    it = runtime(worker="process", spec=None, admission=block(2))
    results = it.subscribe(block(9))
    sequence = useq.MDASequence.model_validate({"time_plan": {"interval": 0, "loops": 3}, "channels": ["DAPI", "FITC"]})
    with it.attach(core):
        core.mda.run(sequence)
    core.mda.run(sequence)  # no longer attached
    assert it.drain(20)
    got = [result for _ in range(6) if (result := results.take(1))]
    assert [dict(result.frame.index) for result in got] == [{"t": t, "c": c} for t in range(3) for c in range(2)]
    assert all((result["plus"] == result.frame.pixels + 1).all() for result in got)
    assert it.ledger.reasons == {"done": 6}
    core.unloadAllDevices()


def test_only_a_pymmcore_plus_core_can_be_attached(runtime: Make) -> None:
    with pytest.raises(SourceError, match="found a object without acquisition events"), runtime().attach(object()):
        pass


@pytest.mark.parametrize("worker", ["process", "thread"])
def test_the_live_camera_streams(runtime: Make, worker: str) -> None:
    with micromanager.demo(size=128) as scope:
        it = runtime(worker=worker, spec=None, admission=block(4))
        results = list(it.stream(scope.live(exposure_ms=5), n=50))
    assert [result.frame.id.seq for result in results] == list(range(50))
    assert all((result["plus"] == result.frame.pixels + 1).all() for result in results)
    assert it.ledger.reasons == {"done": 50}
