"""otoscope bulk from a real S3 server and into it."""

import json
import os
import subprocess
import sys
import time

import httpx
import pytest
from bulk_runs import bulk
from free_port import free_port

from otoscope.cli import main

pytest.importorskip("ray", reason="needs Ray: pip install 'otoscope[bulk]'")
pytest.importorskip("moto", reason="needs an S3 server: pip install 'moto[s3]' flask flask-cors")
boto3 = pytest.importorskip("boto3")
s3fs = pytest.importorskip("s3fs", reason="needs s3fs")
pq = pytest.importorskip("pyarrow.parquet")

_START_LIMIT_S = 120


@pytest.fixture(scope="module")
def server():
    """The URL of a server that is ready."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    # Everything is allowed at first: moto asks who is there after so many requests.
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "1000000"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            limit_s = time.monotonic() + _START_LIMIT_S
            while not _answers(url):
                assert process.poll() is None, "expected an S3 server, got its end"
                assert time.monotonic() < limit_s, "expected an S3 server that answers"
                time.sleep(0.2)
            yield url
        finally:
            process.kill()


def _answers(url):
    try:
        return httpx.get(f"{url}/moto-api/").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def s3(server, monkeypatch, tmp_path):
    """A client of a server with nothing on it, which the environment names."""
    httpx.post(f"{server}/moto-api/reset")
    httpx.post(f"{server}/moto-api/reset-auth", content=b"1000000")
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="speech")
    return client


@pytest.fixture
def recordings(s3, archive):
    """The archive in the bucket."""
    for path in archive.rglob("*.*"):
        s3.upload_file(str(path), "speech", f"archive/{path.relative_to(archive)}")


@pytest.mark.slow
def test_an_archive_on_s3_becomes_a_table_there(recordings, s3, written_model, sample):
    given = ("s3://speech/archive", "s3://speech/out", written_model, "--workers", 1)
    first = bulk(*given, "--also", "json")
    assert first.returncode == 1, first.stderr
    assert "3 recordings transcribed: 10 s of audio" in first.stderr
    table = pq.read_table("speech/out/transcripts", filesystem=s3fs.S3FileSystem())
    rows = {row["source"]: row for row in table.to_pylist()}
    assert len(rows) == 5
    assert rows["s3://speech/archive/0.flac"]["copies"] == ["s3://speech/archive/more/copy.flac"]
    assert rows["s3://speech/archive/empty.mp3"]["problem_kind"] == "audio-empty"
    names = [one["Key"] for one in s3.list_objects_v2(Bucket="speech", Prefix="out/")["Contents"]]
    [document] = [name for name in names if name.startswith("out/json/1-")]
    body = json.loads(s3.get_object(Bucket="speech", Key=document)["Body"].read())
    assert body["text"] == rows["s3://speech/archive/1.flac"]["text"] != ""
    assert not [name for name in names if ".check" in name]
    s3.put_object(Bucket="speech", Key="archive/new.flac", Body=sample.read_bytes() + b"new")
    second = bulk(*given, "--also", "json")
    assert second.returncode == 0, second.stderr
    assert "1 recording transcribed: " in second.stderr
    assert "5 recordings transcribed before" in second.stderr


def refused(capsys, model, source="s3://speech/archive", out="s3://speech/out"):
    """The one line of a job that can't begin."""
    assert main(["bulk", source, "--out", out, "--model", str(model)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    return line


def test_buckets_that_are_not_there(recordings, written_model, capsys):
    line = refused(capsys, written_model, source="s3://none/archive")
    assert "got s3://none/archive, which does not exist" in line
    line = refused(capsys, written_model, source="s3://none/some.jsonl")
    assert "s3://none/some.jsonl: expected a manifest: The specified bucket does not exist" in line
    line = refused(capsys, written_model, out="s3://none/out")
    assert "s3://none/out/" in line
    assert "The specified bucket does not exist" in line


def test_no_credentials(recordings, written_model, capsys, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3fs.S3FileSystem.clear_instance_cache()
    line = refused(capsys, written_model)
    assert "s3://speech/archive: NoCredentialsError: Unable to locate credentials" in line


def test_credentials_that_are_refused(recordings, server, written_model, capsys, archive):
    httpx.post(f"{server}/moto-api/reset-auth", content=b"0")
    line = refused(capsys, written_model)
    assert "s3://speech/archive: " in line
    assert "Access Key Id you provided does not exist" in line
    line = refused(capsys, written_model, source=str(archive))
    assert "s3://speech/out/" in line
    assert "Access Key Id you provided does not exist" in line


def test_a_server_that_is_not_there(recordings, written_model, capsys, monkeypatch):
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    line = refused(capsys, written_model)
    assert "s3://speech/archive: EndpointConnectionError: " in line
    assert url in line
