"""Recordings of an archive, and a job for them."""

import shutil

import pytest

from otoscope.decoding.options import DecodingOptions


@pytest.fixture(scope="session")
def sample(request):
    return request.config.rootpath / "examples/sample.flac"


@pytest.fixture
def archive(sample, tmp_path):
    """Three contents, one of them twice, a file that is no audio, and an empty one."""
    root = tmp_path / "archive"
    (root / "more").mkdir(parents=True)
    for number in range(3):
        (root / f"{number}.flac").write_bytes(sample.read_bytes() + bytes([number]))
    shutil.copy(root / "0.flac", root / "more/copy.flac")
    (root / "text.wav").write_text("no audio")
    (root / "empty.mp3").touch()
    (root / "notes.md").touch()
    return root


@pytest.fixture
def make_job(tmp_path, written_model):
    settings = pytest.importorskip("otoscope.bulk.settings")

    def make(**options):
        decoding = options.pop("decoding", DecodingOptions())
        return settings.Job(str(tmp_path / "out"), written_model, None, decoding, None, **options)

    return make
