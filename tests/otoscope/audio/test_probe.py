import io

import av
import numpy as np
import pytest
import soundfile
from signals import noise

from otoscope.audio.probe import probe
from otoscope.errors import EmptyAudioError, UnreadableAudioError


def written(file_format, subtype=None, rate_hz=8000, channels=2):
    buffer = io.BytesIO()
    samples = np.repeat(noise(1.0, amplitude=0.1)[:rate_hz, None], channels, axis=1)
    soundfile.write(buffer, samples, rate_hz, format=file_format, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file_format", "subtype", "coding"),
    [("WAV", "PCM_24", "PCM_24"), ("FLAC", None, "PCM_16"), ("OGG", "VORBIS", "VORBIS")],
)
def test_what_libsndfile_reads(file_format, subtype, coding):
    facts = probe(written(file_format, subtype))
    assert (facts.container, facts.coding) == (file_format, coding)
    assert (facts.sample_rate_hz, facts.channels, facts.whole) == (8000, 2, True)
    assert facts.duration_s == pytest.approx(1.0, abs=0.01)


def test_what_ffmpeg_reads(tmp_path):
    path = tmp_path / "speech.m4a"
    with av.open(path, mode="w") as container:
        stream = container.add_stream("aac", rate=44100, layout="stereo")
        samples = np.zeros((2, 44100), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate = 44100
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    facts = probe(path)
    assert "m4a" in facts.container
    assert (facts.coding, facts.sample_rate_hz, facts.channels) == ("aac", 44100, 2)
    assert facts.duration_s == pytest.approx(1.0, abs=0.1)


def test_a_file_that_breaks_off():
    whole = written("WAV", "PCM_16")
    facts = probe(whole[: len(whole) // 2])
    assert not facts.whole
    assert facts.duration_s == pytest.approx(0.5, abs=0.01)


def test_no_audio():
    with pytest.raises(EmptyAudioError, match="0 bytes"):
        probe(b"")
    with pytest.raises(UnreadableAudioError, match="expected audio"):
        probe(b"a text about audio")
    with pytest.raises(FileNotFoundError):
        probe("nowhere.wav")
