"""otoscope.audio: what is read, and how it is resampled."""

import io
import tempfile
import tracemalloc

import numpy as np
import pytest
import soundfile
from audio_files import FORMATS, encode
from signals import RATE_HZ, dominant_hz, noise, tone

from otoscope.audio import AudioStream, load, resample, sound_file
from otoscope.errors import EmptyAudioError

CODEC_DELAY_S = 0.05  # AAC in ADTS cannot say how much of its first and last frames is padding


@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_gives_the_tone_that_was_written(file_format):
    waveform = load(encode(tone(440, 2.0), RATE_HZ, file_format), RATE_HZ)

    assert waveform.samples.dtype == np.float32
    assert waveform.samples.ndim == 1
    assert waveform.sample_rate_hz == RATE_HZ
    assert waveform.duration_s == pytest.approx(2.0, abs=CODEC_DELAY_S)
    assert waveform.warnings == ()
    middle = waveform.samples[RATE_HZ // 2 : -RATE_HZ // 2]
    assert dominant_hz(middle) == pytest.approx(440, abs=1.5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
def test_any_rate_is_resampled_and_keeps_the_frequency(rate_hz):
    waveform = load(encode(tone(1000, 1.5, rate_hz), rate_hz, "wav"), RATE_HZ)

    assert waveform.duration_s == pytest.approx(1.5, abs=1e-3)
    assert dominant_hz(waveform.samples) == pytest.approx(1000, abs=1.0)


def test_a_tone_above_the_new_nyquist_frequency_is_gone():
    kept = resample(tone(3000, 1.0, 48000), 48000, RATE_HZ)
    gone = resample(tone(11000, 1.0, 48000), 48000, RATE_HZ)
    assert np.abs(kept[1000:-1000]).max() == pytest.approx(0.5, rel=0.01)
    assert np.abs(gone[1000:-1000]).max() < 1e-3


def test_a_path_is_read_like_its_bytes(tmp_path):
    data = encode(noise(0.5), RATE_HZ, "flac")
    path = tmp_path / "noise.flac"
    path.write_bytes(data)
    for source in (path, str(path)):
        np.testing.assert_array_equal(load(source, RATE_HZ).samples, load(data, RATE_HZ).samples)


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 8000])
def test_what_is_louder_than_full_scale_is_clipped(rate_hz):
    loud = tone(300, 0.5, rate_hz, amplitude=3.0)
    samples = load(encode(loud, rate_hz, "wav", subtype="FLOAT"), RATE_HZ).samples
    assert samples.max() == 1.0
    assert samples.min() == -1.0


@pytest.mark.parametrize("file_format", ["flac", "m4a"])
def test_an_open_file_is_read_from_its_start_and_stays_open(file_format):
    data = encode(noise(1.0), RATE_HZ, file_format)
    with tempfile.SpooledTemporaryFile(max_size=1000) as file:
        file.write(data)
        for _ in range(2):
            np.testing.assert_array_equal(load(file, RATE_HZ).samples, load(data, RATE_HZ).samples)
        assert not file.closed
    with pytest.raises(EmptyAudioError, match="got 0 bytes"):
        load(io.BytesIO(), RATE_HZ)


@pytest.mark.parametrize("name", ["speech.raw", "speech.mp4", "speech"])
def test_a_files_name_does_not_decide_how_it_is_read(tmp_path, name):
    (tmp_path / name).write_bytes(encode(noise(0.5), RATE_HZ, "flac"))
    assert load(tmp_path / name, RATE_HZ).duration_s == 0.5


def test_libsndfile_is_never_asked_to_seek(monkeypatch):
    """soundfile seeks after each read, and libsndfile fails so on some whole Opus files."""

    def seek(*_arguments):
        raise AssertionError("expected no seeking")

    data = encode(noise(2.0), RATE_HZ, "opus")
    monkeypatch.setattr(soundfile.SoundFile, "seek", seek)
    assert load(data, RATE_HZ).duration_s == pytest.approx(2.0, abs=0.01)


def give_up_late(monkeypatch):
    """Have libsndfile fail behind a file's first second."""
    read = soundfile.SoundFile.read

    def fail_late(sound_file, *arguments, **options):
        if sound_file.tell() > sound_file.samplerate:
            raise soundfile.LibsndfileError(3)
        return read(sound_file, *arguments, **options)

    monkeypatch.setattr(sound_file, "BLOCK_SAMPLES", 4096)
    monkeypatch.setattr(soundfile.SoundFile, "read", fail_late)


def test_ffmpeg_takes_over_where_libsndfile_gives_up(monkeypatch):
    samples = noise(2.0)
    data = encode(samples, RATE_HZ, "flac")
    give_up_late(monkeypatch)
    waveform = load(data, RATE_HZ)
    assert waveform.warnings == ()
    np.testing.assert_allclose(waveform.samples, samples, atol=2**-15)


def test_what_ffmpeg_takes_over_may_come_at_another_rate(monkeypatch):
    """An Opus file of 16 kHz: libsndfile gives 16000 samples a second, FFmpeg 48000."""
    data = encode(tone(440, 2.0), RATE_HZ, "opus")
    expected = load(data, RATE_HZ).samples
    give_up_late(monkeypatch)
    waveform = load(data, RATE_HZ)
    assert waveform.warnings == ()
    assert waveform.duration_s == pytest.approx(2.0, abs=0.01)
    np.testing.assert_allclose(waveform.samples[:15000], expected[:15000], atol=1e-6)
    assert dominant_hz(waveform.samples[20000:]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("file_format", ["wav", "m4a"])
@pytest.mark.parametrize("rate_hz", [RATE_HZ, 22050])
def test_a_stream_gives_what_load_gives_bit_by_bit(file_format, rate_hz, monkeypatch):
    data = encode(noise(12.0), RATE_HZ, file_format)  # FFmpeg gives a second at a time
    whole = load(data, rate_hz).samples
    monkeypatch.setattr(sound_file, "BLOCK_SAMPLES", 4096)
    stream = AudioStream(data, rate_hz)
    pieces = list(stream)
    assert len(pieces) > 10
    assert all(piece.size for piece in pieces)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert stream.warnings == ()


def test_resampling_in_blocks_is_resampling():
    samples = noise(2.0, amplitude=0.2)
    whole = resample(samples, 44100, RATE_HZ)
    blocks = list(AudioStream(encode(samples, 44100, "wav", subtype="FLOAT"), RATE_HZ))
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["flac", "m4a"])
def test_a_stream_holds_little_of_a_long_file(tmp_path, file_format):
    """Five minutes are 19 MB as samples at 16 kHz."""
    path = tmp_path / "long"
    path.write_bytes(encode(np.zeros(300 * RATE_HZ, dtype=np.float32), RATE_HZ, file_format))
    tracemalloc.start()
    try:
        samples = sum(block.size for block in AudioStream(path, RATE_HZ))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert samples == pytest.approx(300 * RATE_HZ, rel=1e-3)
    assert peak_bytes < 2e6
