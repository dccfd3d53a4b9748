"""Data sets of other programs are computed as a live run on their replay is; and what cannot be done is said."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from onscope.drivers import replay
from onscope.runtime import Gather, OnscopeError, Pipeline, Stage
from onscope.runtime.record import Recording, open_recording
from onscope.runtime.record.verify import verify
from onscope.runtime.reprocess import read_options, reprocess, slurm_cluster
from tests import models
from tests.live.test_window_answers import weighted

from .made import record


def stored(folder: Path, format: str) -> Path:
    """Time points of two planes each, in a data set that is no recording."""
    places = [{"t": t, "z": z} for t in range(5) for z in range(2)]
    with Recording(folder / "made", format=format) as recording:
        for n, index in enumerate(places):
            recording.save(models.frame(n, index=index))
    (raw,) = [each for each in (folder / "made").iterdir() if each.name.startswith("raw.")]
    return Path(shutil.move(raw, folder / f"other{''.join(raw.suffixes)}"))


@pytest.mark.long
@pytest.mark.parametrize("format", ["ome-zarr", "ome-tiff", "ndtiff"])
def test_data_sets_of_others(tmp_path: Path, client: Any, format: str) -> None:
    """Pass: windows of z are those of a replay, to the bit; the frames' checksums are taken once."""
    path = stored(tmp_path, format)
    pipeline = Pipeline([Stage("net", weighted(tmp_path / "net", 2))], Gather(2, "z"))
    source = replay(path)
    record(tmp_path / "live", pipeline, list(source.frames()), source.spec())
    done = reprocess(path, pipeline, tmp_path / "out", cluster=client, provider="cpu", chunk=2)
    assert done.windows == 5
    (live,), (again,) = (open_recording(tmp_path / name)["net"] for name in ("live", "out"))
    np.testing.assert_array_equal(live.present, again.present)
    for at in np.argwhere(live.present):
        np.testing.assert_array_equal(live[tuple(at)], again[tuple(at)])
    run = open_recording(tmp_path / "out")
    assert [link.path for link in run.links] == [path]
    assert run.manifest["sources"][0]["driver"] == "replay"
    report = verify(tmp_path / "out", sample=None)
    assert report.good, report.faults
    assert "net: 5 identical to the bit" in report["computed again"].notes
    assert reprocess(path, pipeline, tmp_path / "out", cluster=client, provider="cpu", chunk=2).finished_before


def test_a_stack_of_tiff(tmp_path: Path, client: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 60000, (6, 48, 64), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "movie.tif", pixels)
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    reprocess(tmp_path / "movie.tif", pipeline, tmp_path / "out", cluster=client, provider="cpu", chunk=4)
    (images,) = open_recording(tmp_path / "out")["plus"]
    np.testing.assert_array_equal(np.stack([images[t] for t in range(6)]), pixels + 1)


@pytest.mark.long
def test_what_is_not_possible_is_said(tmp_path: Path, client: Any) -> None:
    pipeline = Pipeline([Stage("plus", models.plus_one(tmp_path / "plus"))])
    out = tmp_path / "out"
    for path, words in ((tmp_path / "nowhere", "found nothing at"), (tmp_path / "plus", "found no image in")):
        with pytest.raises(OnscopeError, match=words):
            reprocess(path, pipeline, out, cluster=client, provider="cpu")
    record(tmp_path / "live", pipeline, [models.frame(0)], models.SPEC)
    for cluster, words in (
        ("cloud", "expected local, slurm or an address"),
        ("tcp://127.0.0.1:9", "found no scheduler"),
    ):
        with pytest.raises(OnscopeError, match=words):
            reprocess(tmp_path / "live", pipeline, out, cluster=cluster, provider="cpu")
    assert not out.exists()
    with pytest.raises(OnscopeError, match="expected at least 1 and recorded or all"):
        reprocess(tmp_path / "live", pipeline, out, cluster=client, windows="some")
    with pytest.raises(OnscopeError, match="engine"):
        reprocess(tmp_path / "live", pipeline, out, cluster=client, provider="abacus")


def test_jobs_of_slurm(tmp_path: Path) -> None:
    """Pass: the script that SLURM would be given has what was asked for, with one thread for each worker; Ctrl-C is
    nobody's but the caller's."""
    ctrl_c = signal.getsignal(signal.SIGINT)
    path = tmp_path / "slurm.yaml"
    path.write_text(
        "schema: 1\nqueue: gpu\naccount: imaging\nwalltime: '02:00:00'\nmemory: 8GB\n"
        "job_extra_directives: ['--gres=gpu:1']\njob_script_prologue: [module load cuda]\n"
    )
    with slurm_cluster(read_options(path)) as cluster:
        script = cluster.job_script()
    assert signal.getsignal(signal.SIGINT) is ctrl_c
    for line in (
        "#SBATCH -p gpu",
        "#SBATCH -A imaging",
        "#SBATCH -t 02:00:00",
        "#SBATCH --gres=gpu:1",
        "module load cuda",
    ):
        assert line in script.splitlines(), script
    assert "distributed.cli.dask_worker" in script or "dask worker" in script
    assert "--nthreads 1" in script
    path.write_text("schema: 1\nqeue: gpu\n")
    with pytest.raises(OnscopeError, match="qeue"):
        read_options(path)
    assert read_options(None) == {}
