"""otoscope on recordings of people, where a corpus is at hand."""

import json

import pytest

from otoscope import load

pytestmark = pytest.mark.corpus
FILES_OF_EACH = 3
MP3_PADDING_S = 0.11  # an mp3's frames hold silence around the recording, which decoding takes off


@pytest.fixture(scope="module")
def recordings(corpus):
    """(path, announced seconds) of the first files of each manifest."""
    found = []
    for manifest in sorted(corpus.glob("*/*.jsonl")):
        with manifest.open(encoding="utf-8") as lines:
            for _, line in zip(range(FILES_OF_EACH), lines, strict=False):
                entry = json.loads(line)
                found.append((manifest.parent / entry["audio_filepath"], entry["duration"]))
    return found


def test_recordings_are_read_whole(recordings):
    assert len(recordings) >= FILES_OF_EACH
    for path, duration_s in recordings:
        waveform = load(path, 16000)
        assert waveform.warnings == (), path
        assert waveform.duration_s == pytest.approx(duration_s, abs=MP3_PADDING_S), path


def test_a_recording_in_which_libsndfile_stops_is_read_whole(corpus):
    """libsndfile 1.2 reports an error in the midst of this Opus file, which FFmpeg plays."""
    [path] = (corpus / "noise/audio").glob("*blanket*_rain.opus")
    waveform = load(path, 16000)
    assert waveform.warnings == ()
    assert waveform.duration_s == pytest.approx(124.57, abs=0.1)
