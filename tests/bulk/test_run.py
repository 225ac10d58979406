"""otoscope bulk on Ray, on this machine."""

import json

import pytest
from bulk_runs import bulk
from free_port import free_port

pytest.importorskip("ray", reason="needs Ray: pip install 'otoscope[bulk]'")
pq = pytest.importorskip("pyarrow.parquet")
cluster = pytest.importorskip("otoscope.bulk.cluster")


@pytest.mark.slow
def test_an_archive_becomes_a_table(archive, written_model, tmp_path):
    """How the next run does what is new alone: test_s3.py."""
    out = tmp_path / "out"
    done = bulk(archive, out, written_model, "--workers", 1)
    assert done.returncode == 1, done.stderr
    assert "3 recordings transcribed: 10 s of audio" in done.stderr
    for line in ("2 failed: ", "1 audio-unreadable", "1 audio-empty", "1 copy of another"):
        assert line in done.stderr
    found = {
        row["source"].rpartition("/")[2]: row
        for row in pq.read_table(out / "transcripts").to_pylist()
    }
    assert len(found) == 5
    assert found["1.flac"]["text"] == found["0.flac"]["text"] != ""
    [kept] = [json.loads(path.read_text()) for path in (out / "runs").iterdir()]
    assert kept["summary"]["done"] == 3


def test_what_can_not_begin(tmp_path, written_model):
    done = bulk(tmp_path / "none", tmp_path / "out", written_model)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "which does not exist" in done.stderr


@pytest.mark.slow
def test_no_cluster(archive, tmp_path, written_model):
    done = bulk(archive, tmp_path / "out", written_model, "--address", "nonsense")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "expected a Ray cluster at nonsense, got: " in done.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_nobody_listens(address):
    address = address.format(free_port())
    with pytest.raises(cluster.ClusterError, match=f"a Ray cluster at {address}, got: .*refused"):
        cluster.start(address, 1)
