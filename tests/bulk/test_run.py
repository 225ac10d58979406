"""otoscope bulk on Ray, on this machine."""

import json

import pytest
from bulk_runs import bulk
from free_port import free_port

pytest.importorskip("ray", reason="needs Ray: pip install 'otoscope[bulk]'")
pq = pytest.importorskip("pyarrow.parquet")


def rows(out):
    return {
        row["source"].rpartition("/")[2]: row
        for row in pq.read_table(out / "transcripts").to_pylist()
    }


@pytest.mark.slow
def test_an_archive_becomes_a_table_and_the_next_run_does_what_is_new(
    archive, sample, written_model, tmp_path
):
    out = tmp_path / "out"
    first = bulk(archive, out, written_model, "--workers", 1)
    assert first.returncode == 1, first.stderr
    assert "3 recordings transcribed: 10 s of audio" in first.stderr
    for line in ("2 failed: ", "1 audio-unreadable", "1 audio-empty", "1 copy of another"):
        assert line in first.stderr
    assert len(rows(out)) == 5
    (archive / "new.flac").write_bytes(sample.read_bytes() + b"new")
    second = bulk(archive, out, written_model, "--workers", 1)
    assert second.returncode == 0, second.stderr
    assert "1 recording transcribed: " in second.stderr
    assert "5 recordings transcribed before" in second.stderr
    found = rows(out)
    assert len(found) == 6
    assert found["new.flac"]["text"] == found["0.flac"]["text"] != ""
    kept = [json.loads(path.read_text()) for path in (out / "runs").iterdir()]
    assert sorted(one["summary"]["done"] for one in kept) == [1, 3]


def test_what_can_not_begin(tmp_path, written_model):
    done = bulk(tmp_path / "none", tmp_path / "out", written_model)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "which does not exist" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "nonsense"])
def test_no_cluster(address, archive, tmp_path, written_model):
    address = address.format(free_port())
    done = bulk(archive, tmp_path / "out", written_model, "--address", address)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"expected a Ray cluster at {address}, got: " in done.stderr
