"""What is refused with the reason, and what a file's claims and limits stop."""

import io
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from audio_files import encode, video_without_audio
from signals import RATE_HZ, noise, tone

from otoscope.audio import load, sound_file
from otoscope.audio import stream as stream_module
from otoscope.audio.parts import MIN_RATE_HZ
from otoscope.errors import (
    AudioRateError,
    AudioTooLongError,
    AudioTooShortError,
    EmptyAudioError,
    NonFiniteAudioError,
    UnreadableAudioError,
)


def test_a_missing_path_is_the_callers_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.wav", RATE_HZ)


def test_empty_bytes():
    with pytest.raises(EmptyAudioError, match="got 0 bytes"):
        load(b"", RATE_HZ)


def test_a_file_without_samples():
    with pytest.raises(EmptyAudioError, match="without samples"):
        load(encode(np.zeros(0, dtype=np.float32), RATE_HZ, "wav"), RATE_HZ)


@pytest.mark.parametrize(
    "data",
    [b"this is text, not sound\n" * 50, bytes(5000), b"RIFF", b'{"a": 1}', b"\xff\xd8\xff\xe0" * 9],
    ids=["text", "zeros", "four bytes", "json", "jpeg"],
)
def test_bytes_that_are_no_audio(data):
    with pytest.raises(UnreadableAudioError, match=f"got {len(data)} bytes in no format known"):
        load(data, RATE_HZ)


def test_video_without_audio():
    with pytest.raises(UnreadableAudioError, match=r"1 video stream\(s\) and no audio"):
        load(video_without_audio(), RATE_HZ)


def test_a_playlist_cannot_make_us_read_another_file(tmp_path, monkeypatch):
    (tmp_path / "secret.wav").write_bytes(encode(tone(440, 1.0), RATE_HZ, "wav"))
    monkeypatch.chdir(tmp_path)
    for playlist in (
        "ffconcat version 1.0\nfile secret.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9.0,\nsecret.wav\n#EXT-X-ENDLIST\n",
    ):
        with pytest.raises(UnreadableAudioError):
            load(playlist.encode(), RATE_HZ)


def test_shorter_than_a_window():
    data = encode(noise(0.02), RATE_HZ, "wav")
    with pytest.raises(AudioTooShortError, match=r"at least 400 samples.*\(25 ms\), got 320"):
        load(data, RATE_HZ, min_samples=400)
    assert load(data, RATE_HZ, min_samples=320).samples.size == 320


ODD = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "large": 3e38, "-large": -3e38}


def with_odd(value, channels, container):
    """A tenth of a second of floats, two of them odd, on all channels or on the first alone."""
    matrix = np.repeat(noise(0.1)[:, None], channels, axis=1)
    matrix[[700, 900], 0] = value
    if container == "wav":
        return encode(matrix, RATE_HZ, "wav", subtype="FLOAT")
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as written:
        track = written.add_stream(container, rate=RATE_HZ)
        track.layout = layout = {1: "mono", 2: "stereo"}[channels]
        kind = {"pcm_f32le": ("flt", np.float32), "pcm_f64le": ("dbl", np.float64)}[container]
        samples = np.ascontiguousarray(matrix.reshape(1, -1), dtype=kind[1])
        if container == "pcm_f64le":
            samples *= np.where(np.abs(samples) > 1e30, 1e200, 1)
        frame = av.AudioFrame.from_ndarray(samples, format=kind[0], layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, Fraction(1, RATE_HZ)
        for packet in (*track.encode(frame), *track.encode(None)):
            written.mux(packet)
    return file.getvalue()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("container", ["wav", "pcm_f32le", "pcm_f64le"])
def test_odd_samples_are_refused_or_read_and_write_nothing(value, channels, container, capfd):
    """Above all no RuntimeWarning, here or by a process that decodes, whose lines the log gets."""
    data = with_odd(ODD[value], channels, container)
    if "large" in value and container != "pcm_f64le":
        assert np.isfinite(load(data, RATE_HZ).samples).all()
    else:
        found = value.replace("large", "inf")
        with pytest.raises(NonFiniteAudioError, match=f"got {found}, the first at sample 700"):
            load(data, RATE_HZ)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file_format", ["wav", "opus", "m4a"])
def test_the_limit(file_format):
    data = encode(noise(2.0), RATE_HZ, file_format)
    with pytest.raises(AudioTooLongError, match=r"at most 1\.5 s"):
        load(data, RATE_HZ, max_duration_s=1.5)
    assert load(data, RATE_HZ, max_duration_s=2.1).duration_s == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("file_format", ["opus", "m4a"])
def test_hours_in_a_small_file_stop_at_the_limit(file_format, monkeypatch):
    data = encode(np.zeros(RATE_HZ * 300, dtype=np.float32), RATE_HZ, file_format)
    assert len(data) < 600_000
    decoded_frames = []
    check_finite = stream_module.check_finite

    def counted(samples, before):
        decoded_frames.append(len(samples))
        check_finite(samples, before)

    monkeypatch.setattr(stream_module, "check_finite", counted)
    with pytest.raises(AudioTooLongError):
        load(data, RATE_HZ, max_duration_s=20)
    assert sum(decoded_frames) <= 48000 * 20 + sound_file.BLOCK_SAMPLES


STATING = ["wav", "flac", "ogg", "opus", "mp3"]
"""Formats whose header or last page says how long a file is."""


@pytest.mark.parametrize("file_format", STATING)
def test_what_says_rightly_that_it_is_too_long_is_not_decoded(file_format, monkeypatch):
    data = encode(0.1 * noise(60.0), RATE_HZ, file_format)
    with monkeypatch.context() as patch:
        patch.setattr(stream_module, "check_finite", lambda *_: pytest.fail("it was decoded"))
        with pytest.raises(AudioTooLongError, match="at most 20 s"):
            load(data, RATE_HZ, max_duration_s=20)
    assert load(data, RATE_HZ, max_duration_s=60.1).duration_s == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("file_format", STATING)
def test_what_is_too_long_no_more_because_it_was_cut_is_read(file_format):
    """A header that says too much is no reason to refuse what is there."""
    data = encode(0.1 * noise(60.0), RATE_HZ, file_format)
    waveform = load(data[: len(data) // 4], RATE_HZ, max_duration_s=20)
    assert 10 < waveform.duration_s < 20
    assert waveform.warnings[0].startswith("the file is truncated or damaged")


def test_a_header_that_claims_too_much_allocates_nothing():
    flac = bytearray(encode(noise(1.0), RATE_HZ, "flac"))
    flac[21:26] = bytes([flac[21] | 0x0F]) + b"\xff" * 4  # STREAMINFO: 2^36 - 1 samples
    waveform = load(bytes(flac), RATE_HZ)
    assert waveform.duration_s == pytest.approx(1.0)
    assert len(waveform.warnings) == 1
    assert "1.00 s of 4294967" in waveform.warnings[0]


def at_another_rate(rate_hz):
    """Half a second of wav whose header claims another rate."""
    wav = bytearray(encode(noise(0.5), RATE_HZ, "wav"))
    wav[24:28] = struct.pack("<I", rate_hz)
    return bytes(wav)


@pytest.mark.parametrize("rate_hz", [1, MIN_RATE_HZ - 1])
def test_seconds_that_a_low_rate_claims_are_never_made(rate_hz):
    with pytest.raises(AudioRateError, match=f"at least 1000 Hz, got {rate_hz} Hz"):
        load(at_another_rate(rate_hz), RATE_HZ, max_duration_s=1e9)


@pytest.mark.parametrize("size", [4, 18, 20])
def test_flac_that_ends_before_its_rate_is_no_audio(size):
    with pytest.raises(UnreadableAudioError, match=f"got {size} bytes"):
        load(encode(noise(0.5), RATE_HZ, "flac")[:size], RATE_HZ)


@pytest.mark.parametrize("tags", [b"", b"ID3\4\0\0\0\0\0\4abcd", 2 * b"ID3\4\0\0\0\0\0\0"])
def test_flac_without_a_rate_is_refused(tags):
    flac = bytearray(encode(noise(0.5), RATE_HZ, "flac"))
    flac[18:20], flac[20] = b"\0\0", flac[20] & 0x0F  # FFmpeg would read on and believe the frames
    with pytest.raises(AudioRateError, match="at least 1000 Hz, got 0 Hz"):
        load(tags + flac, RATE_HZ)


def test_the_lowest_rate_is_read():
    waveform = load(at_another_rate(MIN_RATE_HZ), RATE_HZ)
    assert waveform.duration_s == 0.5 * RATE_HZ / MIN_RATE_HZ


def test_the_highest_rate_that_can_be_claimed_is_too_short():
    with pytest.raises((AudioTooShortError, UnreadableAudioError)):
        load(at_another_rate(2**31 - 1), RATE_HZ)
