"""Containers of every kind: when their sound is heard, and what is missing or damaged in them."""

import io

import numpy as np
import pytest
import soundfile
import soxr
from audio_files import encode
from bursts import BURSTS_S, bursts, check_bursts
from muxed import Track, mp3, mux
from signals import RATE_HZ, tone

from otoscope.audio import load
from otoscope.audio.probe import probe
from otoscope.errors import AudioTooLongError

CLOCKED = [
    ("mp4", "aac"),
    ("3gp", "aac"),
    ("matroska", "aac"),
    ("matroska", "flac"),
    ("webm", "libopus"),
    ("mpegts", "aac"),
    ("flv", "aac"),
]


def rate_of(container):
    return 44100 if container == "flv" else 48000


@pytest.mark.parametrize(("container", "codec"), CLOCKED)
def test_sound_that_begins_after_the_picture(two_tones, container, codec):
    rate_hz = rate_of(container)
    samples = soxr.resample(two_tones, 48000, rate_hz)
    track = Track(samples, rate_hz, codec, start_s=2.0)
    waveform = check_bursts(mux(container, track, video_s=5.0), 2.0, 2.0)
    assert waveform.duration_s == pytest.approx(4.5, abs=0.1)


@pytest.mark.parametrize(("container", "codec"), CLOCKED)
def test_a_recorder_that_paused(two_tones, container, codec):
    rate_hz = rate_of(container)
    track = Track(soxr.resample(two_tones, 48000, rate_hz), rate_hz, codec, pauses=((1.0, 6.6),))
    check_bursts(mux(container, track), 0.0, 6.6)


def test_a_recorder_that_paused_twice(two_tones):
    track = Track(two_tones, codec="libopus", pauses=((0.1, 0.4), (1.0, 3.0)))
    check_bursts(mux("webm", track), 0.4, 3.4)


@pytest.mark.parametrize("container", ["matroska", "mpegts"])
def test_a_clock_that_begins_late_is_counted_from_there(two_tones, container):
    track = Track(two_tones, start_s=0.5)
    check_bursts(mux(container, track, video_s=3.0, begin_s=700.0), 0.5, 0.5)


def test_clocks_that_are_a_little_off_are_no_pauses(two_tones):
    jitter = tuple((round(0.1 * n, 1), 0.001) for n in range(1, 20))
    track = Track(two_tones, codec="libopus", pauses=jitter)
    assert check_bursts(mux("webm", track), 0, 0).duration_s == pytest.approx(2.5, abs=0.05)


def test_a_long_pause_stops_at_the_limit(two_tones):
    data = mux("matroska", Track(two_tones, pauses=((1.0, 3000.0),)))
    with pytest.raises(AudioTooLongError, match="expected at most 100 s"):
        load(data, RATE_HZ, max_duration_s=100)


@pytest.mark.parametrize("stated", ["-9e99:00:00.000000", "00:inf:00.00000000", "9" * 18])
def test_a_length_that_is_nonsense_is_none(two_tones, stated, processes):
    data = mux("matroska", Track(two_tones))
    assert data.count(b"00:00:02.5") == 1
    at = data.index(b"00:00:02.5")
    data = data[:at] + stated.encode() + data[at + len(stated) :]
    opened = next(processes.decode(io.BytesIO(data)))
    assert opened.announced_s is None or 0 <= opened.announced_s < 3
    check_bursts(data, 0, 0)


def test_a_clock_that_leaps_too_far_is_not_followed(two_tones):
    data = mux("matroska", Track(two_tones, pauses=((1.0, 90000.0),)))
    lost = "the file's clock leaps ahead by more than an hour: it was not followed"
    waveform = load(data, RATE_HZ)
    assert (round(waveform.duration_s, 1), waveform.warnings[-1]) == (2.5, lost)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("scale", [2.0**15, 2.0**23, 2.0**31])
def test_floats_on_the_scale_of_integers(two_tones, subtype, scale):
    waveform = load(encode(two_tones * scale, 48000, "wav", subtype=subtype), 48000)
    [warning] = waveform.warnings
    assert f"divided by {scale:.10g}" in warning
    np.testing.assert_allclose(waveform.samples, two_tones, atol=1e-6)


def test_floats_that_are_a_little_too_loud_are_clipped(two_tones):
    waveform = load(encode(4 * two_tones, 48000, "wav", subtype="FLOAT"), 48000)
    assert waveform.warnings == ()
    np.testing.assert_allclose(waveform.samples, np.clip(4 * two_tones, -1, 1), atol=1e-6)


def test_floats_far_too_loud_are_scaled_to_their_peak(two_tones):
    waveform = load(encode(40 * two_tones, 48000, "wav", subtype="FLOAT"), 48000)
    assert np.abs(waveform.samples).max() == pytest.approx(1.0)
    assert len(waveform.warnings) == 1


UNUSUAL = [
    ("amr", "libopencore_amrnb", 8000),
    ("3gp", "libopencore_amrnb", 8000),
    ("caf", "alac", 44100),
    ("caf", "pcm_s16be", 44100),
    ("au", "pcm_s16be", 44100),
    ("aiff", "pcm_s16be", 44100),
    ("w64", "pcm_s16le", 44100),
    ("ac3", "ac3", 48000),
    ("avi", "libmp3lame", 44100),
    ("avi", "pcm_s16le", 44100),
    ("mpegts", "mp2", 48000),
    ("mov", "alac", 48000),
    ("ogg", "flac", 48000),
    ("matroska", "pcm_f32le", 48000),
    ("asf", "wmav1", 22050),
    ("asf", "wmav2", 44100),
    ("eac3", "eac3", 48000),
    ("mpegts", "eac3", 48000),
    ("mp4", "ac3", 48000),
    ("mp4", "libopus", 48000),
    ("latm", "aac", 44100),
    ("wav", "adpcm_ima_wav", 8000),
    ("wav", "adpcm_ms", 8000),
    ("wav", "g722", 16000),
    ("wav", "libmp3lame", 44100),
    ("au", "pcm_mulaw", 8000),
    ("caf", "pcm_alaw", 8000),
    ("aiff", "pcm_s8", 22050),
]


@pytest.mark.parametrize(("container", "codec", "rate_hz"), UNUSUAL)
def test_unusual_containers(two_tones, container, codec, rate_hz):
    samples = soxr.resample(two_tones, 48000, rate_hz)
    video_s = 3.0 if container in ("avi", "mov") else 0.0
    options = {"b": "64k"} if codec.startswith("wma") else {}  # it has no bit rate of its own
    track = Track(samples, rate_hz, codec, options=options)
    check_bursts(mux(container, track, video_s=video_s), 0, 0)


def test_an_aac_with_spectral_band_replication(two_tones):
    """HE-AAC of a half-rate core, signalled compatibly (ISO 14496-3, table 1.15): twice its rate.

    FFmpeg's encoder announces that there is none; set the flag, and 48000 Hz, in its place.
    """
    data = mux("mp4", Track(soxr.resample(two_tones, 48000, 24000), 24000))
    assert data.count(SBR_ABSENT) == 1
    replicated = data.replace(SBR_ABSENT, SBR_AT_48000_HZ)
    check_bursts(replicated, 0, 0)
    assert (probe(data).sample_rate_hz, probe(replicated).sample_rate_hz) == (24000, 48000)


SBR_ABSENT, SBR_AT_48000_HZ = b"\x56\xe5\x00", b"\x56\xe5\x98"
"""Sync extension, object type, flag, index of the rate; in bits: 11, 5, 1, 4."""


@pytest.mark.parametrize("container", ["au", "aiff", "w64", "avi"])
def test_a_header_that_tells_more_than_there_is(two_tones, container):
    codec = "pcm_s16be" if container in ("au", "aiff") else "pcm_s16le"
    data = mux(container, Track(two_tones, codec=codec))
    [warning] = load(data[: len(data) // 2], RATE_HZ).warnings
    assert warning.startswith("the file is truncated or damaged: 1.2")
    assert load(data[:-100], RATE_HZ).warnings == ()


def tagged(data, picture_bytes=0):
    """Behind an ID3v2 tag with a picture."""
    picture = b"\0image/png\0\x03\0" + bytes(picture_bytes)
    frame = b"APIC" + len(picture).to_bytes(4, "big") + bytes(2) + picture
    size = bytes(len(frame) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame + data


@pytest.mark.parametrize("xing", ["0", "1"])
@pytest.mark.parametrize("picture_bytes", [0, 300000])
@pytest.mark.parametrize("tail", [b"", b"TAG" + bytes(125)])
def test_tags_of_an_mp3_are_no_sound_and_not_missing(two_tones, xing, picture_bytes, tail):
    data = tagged(mp3(two_tones, 48000, xing), picture_bytes) + tail
    check_bursts(data, 0, 0)
    assert probe(data).whole


def test_an_mp3_of_varying_rate_without_a_length(two_tones):
    noise = 0.01 * np.random.default_rng(0).standard_normal(48000).astype(np.float32)
    data = mp3(np.concatenate([two_tones, noise]), 48000, "0", q="4")
    waveform = load(data, RATE_HZ)
    assert (waveform.warnings, round(waveform.duration_s, 1)) == ((), 3.5)


@pytest.mark.parametrize("container", ["matroska", "mp4", "mpegts"])
def test_packets_that_are_damaged_are_left_out_and_the_rest_is_read(two_tones, container):
    data = mux(container, Track(two_tones, spoiled=(40, 41, 42, 43, 44)))
    waveform = load(data, RATE_HZ)
    np.testing.assert_allclose(bursts(waveform.samples)[-1], BURSTS_S[-1], atol=0.06)
    [warning] = waveform.warnings
    assert warning.startswith("the file is damaged: ")
    assert warning.endswith(" of its packets could not be decoded")


@pytest.mark.parametrize(
    ("subtype", "step"),
    [
        *(("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-31)),
        *(("DOUBLE", 1e-7), ("ULAW", 0.02), ("ALAW", 0.02)),
    ],
)
def test_encodings_of_a_wav(subtype, step):
    samples = tone(300, 0.5)
    waveform = load(encode(samples, RATE_HZ, "wav", subtype=subtype), RATE_HZ)
    assert waveform.warnings == ()
    np.testing.assert_allclose(waveform.samples, samples, atol=step)


@pytest.mark.parametrize("container", ["WAVEX", "RF64"])
def test_kin_of_the_wav(two_tones, container):
    file = io.BytesIO()
    soundfile.write(file, two_tones, 48000, format=container, subtype="PCM_16")
    data = file.getvalue()
    check_bursts(data, 0, 0)
    [warning] = load(data[: len(data) // 2], RATE_HZ).warnings
    assert warning.startswith("the file is truncated or damaged: 1.2")


def test_a_browser_s_recording_states_no_length(two_tones):
    """MediaRecorder writes a live webm (Chromium) or an Ogg (Firefox)."""
    live = mux("webm", Track(two_tones, codec="libopus"), options={"live": "1"})
    check_bursts(live, 0, 0)
    check_bursts(mux("ogg", Track(two_tones, codec="libopus")), 0, 0)


def test_a_phone_s_long_recording_has_its_index_last(two_tones):
    data = mux("mp4", Track(np.tile(two_tones, 20)))
    assert data.rindex(b"moov") > len(data) // 2
    waveform = load(data, RATE_HZ)
    assert (round(waveform.duration_s), waveform.warnings) == (50, ())
    assert len(bursts(waveform.samples)) == 40


def test_an_end_within_an_aac_frame_of_an_mp4(two_tones):
    """As recorders leave it that lose the end of their stream."""
    data = mux("mp4", Track(two_tones, spoiled=(115,)))
    waveform = load(data, RATE_HZ)
    np.testing.assert_allclose(bursts(waveform.samples), BURSTS_S, atol=0.06)
