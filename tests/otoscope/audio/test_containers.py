"""When sound is heard, and which: clocks, joined files, tracks, channels, unusual containers."""

import io

import numpy as np
import pytest
import soundfile
import soxr
from audio_files import encode
from muxed import Track, mux
from signals import tone

from otoscope.audio import AudioStream, count_tracks, load
from otoscope.audio.parts import Choice
from otoscope.audio.probe import probe
from otoscope.errors import AudioTooLongError, ChannelError, UnreadableAudioError

RATE_HZ = 16000
BURSTS_S = ((0.2, 0.5), (1.7, 2.1))
"""When the tones of `speech` are."""
MANY_TRACKS = "one of 2 audio tracks was read, number"


@pytest.fixture(scope="module")
def speech():
    """2.5 s with two tones, (samples,) at 48 kHz."""
    samples = np.zeros(120000, np.float32)
    for start, end in BURSTS_S:
        part = slice(round(start * 48000), round(end * 48000))
        samples[part] = tone(440, end - start, 48000)
    return samples


def bursts(samples, rate_hz=RATE_HZ):
    """Start and end in seconds of what is loud."""
    loud = np.flatnonzero(np.abs(samples) > 0.05) / rate_hz
    edges = np.flatnonzero(np.diff(loud) > 0.1)
    starts, ends = loud[[0, *edges + 1]], loud[[*edges, -1]]
    return list(zip(starts, ends, strict=True))


def check_bursts(data, *shifts_s, abs_s=0.06, warnings=()):
    """The two tones, each so much later than in `speech`."""
    waveform = load(data, RATE_HZ)
    expected = [
        tuple(edge + shift for edge in burst)
        for burst, shift in zip(BURSTS_S * (len(shifts_s) // 2), shifts_s, strict=True)
    ]
    found = bursts(waveform.samples)
    assert len(found) == len(expected), found
    np.testing.assert_allclose(found, expected, atol=abs_s)
    assert waveform.warnings == warnings
    return waveform


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
def test_sound_that_begins_after_the_picture(speech, container, codec):
    rate_hz = rate_of(container)
    samples = soxr.resample(speech, 48000, rate_hz)
    track = Track(samples, rate_hz, codec, start_s=2.0)
    waveform = check_bursts(mux(container, track, video_s=5.0), 2.0, 2.0)
    assert waveform.duration_s == pytest.approx(4.5, abs=0.1)


@pytest.mark.parametrize(("container", "codec"), CLOCKED)
def test_a_recorder_that_paused(speech, container, codec):
    rate_hz = rate_of(container)
    track = Track(soxr.resample(speech, 48000, rate_hz), rate_hz, codec, pauses=((1.0, 6.6),))
    check_bursts(mux(container, track), 0.0, 6.6)


def test_a_recorder_that_paused_twice(speech):
    track = Track(speech, codec="libopus", pauses=((0.1, 0.4), (1.0, 3.0)))
    check_bursts(mux("webm", track), 0.4, 3.4)


@pytest.mark.parametrize("container", ["matroska", "mpegts"])
def test_a_clock_that_begins_late_is_counted_from_there(speech, container):
    track = Track(speech, start_s=0.5)
    check_bursts(mux(container, track, video_s=3.0, begin_s=700.0), 0.5, 0.5)


def test_clocks_that_are_a_little_off_are_no_pauses(speech):
    jitter = tuple((round(0.1 * n, 1), 0.001) for n in range(1, 20))
    track = Track(speech, codec="libopus", pauses=jitter)
    assert check_bursts(mux("webm", track), 0, 0).duration_s == pytest.approx(2.5, abs=0.05)


def test_a_long_pause_stops_at_the_limit(speech):
    data = mux("matroska", Track(speech, pauses=((1.0, 3000.0),)))
    with pytest.raises(AudioTooLongError, match="expected at most 100 s"):
        load(data, RATE_HZ, max_duration_s=100)


def test_a_clock_that_leaps_too_far_is_not_followed(speech):
    data = mux("matroska", Track(speech, pauses=((1.0, 90000.0),)))
    lost = "the file's clock leaps ahead by more than an hour: it was not followed"
    waveform = load(data, RATE_HZ)
    assert (round(waveform.duration_s, 1), waveform.warnings[-1]) == (2.5, lost)


def as_mp3(samples, rate_hz, xing="1"):
    track = Track(samples, rate_hz, "libmp3lame")
    return mux("mp3", track, options={"write_xing": xing, "id3v2_version": "0"})


@pytest.mark.parametrize("xing", ["0", "1"])
@pytest.mark.parametrize("second_hz", [44100, 48000, 22050])
def test_joined_mp3(speech, xing, second_hz):
    parts = [
        as_mp3(soxr.resample(speech, 48000, rate_hz), rate_hz, xing)
        for rate_hz in (44100, second_hz)
    ]
    check_bursts(b"".join(parts), 0, 0, 2.53, 2.53, abs_s=0.12)


@pytest.mark.parametrize(("container", "codec"), [("mp3", "libmp3lame"), ("adts", "aac")])
def test_mono_and_stereo_joined(speech, container, codec):
    options = {"write_xing": "0", "id3v2_version": "0"} if container == "mp3" else {}
    stereo = np.stack([speech, speech], axis=1)
    parts = [mux(container, Track(each, codec=codec), options=options) for each in (speech, stereo)]
    check_bursts(b"".join(parts), 0, 0, 2.53, 2.53, abs_s=0.12)
    check_bursts(b"".join(parts[::-1]), 0, 0, 2.53, 2.53, abs_s=0.12)


@pytest.mark.parametrize("rates_hz", [(44100, 22050), (16000, 48000)])
def test_an_aac_that_changes_its_rate(speech, rates_hz):
    parts = [
        mux("adts", Track(soxr.resample(speech, 48000, rate_hz), rate_hz)) for rate_hz in rates_hz
    ]
    check_bursts(b"".join(parts), 0, 0, 2.55, 2.55, abs_s=0.12)


@pytest.mark.parametrize("file_format", ["ogg", "opus"])
@pytest.mark.parametrize("rates_hz", [(48000, 48000), (48000, 16000, 24000)])
def test_chained_ogg(speech, file_format, rates_hz):
    parts = [
        encode(soxr.resample(speech, 48000, rate_hz), rate_hz, file_format) for rate_hz in rates_hz
    ]
    shifts = [2.5 * number for number in range(len(parts)) for _ in range(2)]
    waveform = check_bursts(b"".join(parts), *shifts)
    assert waveform.duration_s == pytest.approx(2.5 * len(parts), abs=0.03)


def test_a_chain_of_vorbis_and_opus(speech):
    check_bursts(encode(speech, 48000, "ogg") + encode(speech, 48000, "opus"), 0, 0, 2.5, 2.5)


def test_a_chain_whose_last_link_is_cut(speech):
    link = encode(speech, 48000, "opus")
    waveform = load(link + link[: len(link) // 2], RATE_HZ)
    [warning] = waveform.warnings
    assert warning.startswith(f"the file is truncated or damaged: {waveform.duration_s:.2f} s")
    assert waveform.duration_s > 2.6


@pytest.mark.parametrize("file_format", ["ogg", "opus"])
def test_an_end_mark_that_is_missing_is_said_as_such(speech, file_format):
    data = bytearray(encode(speech, 48000, file_format))
    last = data.rindex(b"OggS")
    data[last + 5] &= ~4
    data[last + 22 : last + 26] = page_checksum(data[last:])
    check_bursts(
        bytes(data),
        *(0, 0),
        warnings=("the Ogg stream has no end mark: if it was cut, then between two pages",),
    )


def page_checksum(page):
    """RFC 3533, section 6: CRC-32 with the polynomial 0x04c11db7, its field counted as 0."""
    page = page[:22] + bytes(4) + page[26:]
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 1 << 31 else crc << 1) & 0xFFFFFFFF
    return crc.to_bytes(4, "little")


QUIET = np.zeros(96000, np.float32)


def two_tracks(speech, container="matroska", first=QUIET, default=2):
    tracks = [Track(first, default=default == 1), Track(speech, default=default == 2)]
    return mux(container, *tracks)


def test_the_track_that_is_marked_as_the_default(speech):
    check_bursts(two_tracks(speech), 0, 0, warnings=(f"{MANY_TRACKS} 2",))
    waveform = load(two_tracks(speech, default=1), RATE_HZ)
    assert np.abs(waveform.samples).max() < 0.01
    assert waveform.warnings == (f"{MANY_TRACKS} 1",)


@pytest.mark.parametrize("track", [1, 2])
def test_a_track_may_be_chosen(speech, track):
    stream = AudioStream(two_tracks(speech), RATE_HZ, choice=Choice(track=track))
    samples = np.concatenate(list(stream))
    assert (np.abs(samples).max() > 0.1) == (track == 2)
    assert stream.warnings == ()
    with pytest.raises(ChannelError, match="expected a track up to 2, got 3"):
        list(AudioStream(two_tracks(speech), RATE_HZ, choice=Choice(track=3)))
    with pytest.raises(ChannelError, match="expected track 1, the only one, got 2"):
        list(AudioStream(encode(speech, 48000, "wav"), RATE_HZ, choice=Choice(track=2)))


def test_tracks_are_counted_without_being_decoded(speech):
    unknown = two_tracks(speech, default=1).replace(b"A_AAC", b"A_XYZ", 1)
    assert [count_tracks(each) for each in (two_tracks(speech), unknown)] == [2, 2]
    ogg = encode(speech, 48000, "ogg")
    for one in (ogg, ogg + ogg, as_mp3(speech, 48000), encode(speech, 48000, "wav")):
        assert count_tracks(one) == 1
    with pytest.raises(UnreadableAudioError, match="in no format known here"):
        count_tracks(b"no sound at all")


def test_a_first_track_that_nobody_knows(speech):
    data = two_tracks(speech, default=1)
    unknown = data.replace(b"A_AAC", b"A_XYZ", 1)
    check_bursts(unknown, 0, 0, warnings=(f"{MANY_TRACKS} 2; 1 can't be decoded",))
    with pytest.raises(UnreadableAudioError, match="a known codec"):
        load(data.replace(b"A_AAC", b"A_XYZ"), RATE_HZ)


@pytest.mark.parametrize("right", [-1.0, -0.9])
@pytest.mark.parametrize("file_format", ["flac", "m4a"])
def test_channels_that_cancel(speech, right, file_format):
    stereo = np.stack([speech, right * speech], axis=1)
    data = (
        mux("mp4", Track(stereo, options={"b": "256k"}))
        if file_format == "m4a"
        else encode(stereo, 48000, "flac")
    )
    waveform = check_bursts(
        data,
        *(0, 0),
        warnings=("the channels cancel each other out: the louder one was read alone",),
    )
    assert np.abs(waveform.samples).max() == pytest.approx(np.abs(speech).max(), rel=0.1)


@pytest.mark.parametrize(("left", "right"), [(1.0, 0.0), (1.0, 1.0), (1.0, -0.5), (0.0, 0.0)])
def test_channels_that_leave_something_are_mixed(speech, left, right):
    stereo = np.stack([left * speech, right * speech], axis=1)
    waveform = load(encode(stereo, 48000, "flac"), 48000)
    np.testing.assert_allclose(waveform.samples, stereo.mean(axis=1), atol=1e-4)
    assert waveform.warnings == ()


def test_one_of_six_channels_does_not_cancel(speech):
    six = np.zeros((speech.size, 6), np.float32)
    six[:, 2] = speech
    assert load(encode(six, 48000, "wav"), RATE_HZ).warnings == ()


@pytest.mark.parametrize("file_format", ["wav", "ogg", "m4a"])
def test_a_channel_may_be_chosen(speech, file_format):
    stereo = np.stack([np.zeros_like(speech), speech], axis=1)
    data = mux("mp4", Track(stereo)) if file_format == "m4a" else encode(stereo, 48000, file_format)
    for channel in (1, 2):
        blocks = list(AudioStream(data, RATE_HZ, choice=Choice(channel=channel)))
        assert (np.abs(np.concatenate(blocks)).max() > 0.1) == (channel == 2)
    with pytest.raises(ChannelError, match="expected a channel up to 2, got 3"):
        list(AudioStream(data, RATE_HZ, choice=Choice(channel=3)))


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("scale", [2.0**15, 2.0**23, 2.0**31])
def test_floats_on_the_scale_of_integers(speech, subtype, scale):
    waveform = load(encode(speech * scale, 48000, "wav", subtype=subtype), 48000)
    [warning] = waveform.warnings
    assert f"divided by {scale:.10g}" in warning
    np.testing.assert_allclose(waveform.samples, speech, atol=1e-6)


def test_floats_that_are_a_little_too_loud_are_clipped(speech):
    waveform = load(encode(4 * speech, 48000, "wav", subtype="FLOAT"), 48000)
    assert waveform.warnings == ()
    np.testing.assert_allclose(waveform.samples, np.clip(4 * speech, -1, 1), atol=1e-6)


def test_floats_far_too_loud_are_scaled_to_their_peak(speech):
    waveform = load(encode(40 * speech, 48000, "wav", subtype="FLOAT"), 48000)
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
    ("wav", "g722", 16000),
    ("wav", "libmp3lame", 44100),
    ("au", "pcm_mulaw", 8000),
    ("caf", "pcm_alaw", 8000),
    ("aiff", "pcm_s8", 22050),
]


@pytest.mark.parametrize(("container", "codec", "rate_hz"), UNUSUAL)
def test_unusual_containers(speech, container, codec, rate_hz):
    samples = soxr.resample(speech, 48000, rate_hz)
    video_s = 3.0 if container in ("avi", "mov") else 0.0
    options = {"b": "64k"} if codec.startswith("wma") else {}  # it has no bit rate of its own
    track = Track(samples, rate_hz, codec, options=options)
    check_bursts(mux(container, track, video_s=video_s), 0, 0)


def test_an_aac_with_spectral_band_replication(speech):
    """HE-AAC of a half-rate core, signalled compatibly (ISO 14496-3, table 1.15): twice its rate.

    FFmpeg's encoder announces that there is none; set the flag, and 48000 Hz, in its place.
    """
    data = mux("mp4", Track(soxr.resample(speech, 48000, 24000), 24000))
    assert data.count(SBR_ABSENT) == 1
    replicated = data.replace(SBR_ABSENT, SBR_AT_48000_HZ)
    check_bursts(replicated, 0, 0)
    assert (probe(data).sample_rate_hz, probe(replicated).sample_rate_hz) == (24000, 48000)


SBR_ABSENT, SBR_AT_48000_HZ = b"\x56\xe5\x00", b"\x56\xe5\x98"
"""Sync extension, object type, flag, index of the rate; in bits: 11, 5, 1, 4."""


@pytest.mark.parametrize("container", ["au", "aiff", "w64", "avi"])
def test_a_header_that_tells_more_than_there_is(speech, container):
    codec = "pcm_s16be" if container in ("au", "aiff") else "pcm_s16le"
    data = mux(container, Track(speech, codec=codec))
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
def test_tags_of_an_mp3_are_no_sound_and_not_missing(speech, xing, picture_bytes, tail):
    data = tagged(as_mp3(speech, 48000, xing), picture_bytes) + tail
    check_bursts(data, 0, 0)
    assert probe(data).whole


def test_an_mp3_of_varying_rate_without_a_length(speech):
    noise = 0.01 * np.random.default_rng(0).standard_normal(48000).astype(np.float32)
    track = Track(np.concatenate([speech, noise]), 48000, "libmp3lame", options={"q": "4"})
    data = mux("mp3", track, options={"write_xing": "0", "id3v2_version": "0"})
    waveform = load(data, RATE_HZ)
    assert (waveform.warnings, round(waveform.duration_s, 1)) == ((), 3.5)


@pytest.mark.parametrize("container", ["matroska", "mp4", "mpegts"])
def test_packets_that_are_damaged_are_left_out_and_the_rest_is_read(speech, container):
    data = mux(container, Track(speech, spoiled=(40, 41, 42, 43, 44)))
    waveform = load(data, RATE_HZ)
    np.testing.assert_allclose(bursts(waveform.samples)[-1], BURSTS_S[-1], atol=0.06)
    [warning] = waveform.warnings
    assert warning.startswith("the file is damaged: ")
    assert warning.endswith(" of its packets could not be decoded")


def test_soundfile_knows_what_is_joined_here(speech):
    """The reason for `otoscope.audio.ogg`: libsndfile reads the first link alone."""
    link = encode(speech, 48000, "ogg")
    assert soundfile.info(io.BytesIO(link + link)).frames == speech.size


ENCODINGS = [
    "PCM_U8",
    "PCM_24",
    "PCM_32",
    "DOUBLE",
    "ULAW",
    "ALAW",
    "IMA_ADPCM",
    "MS_ADPCM",
]


@pytest.mark.parametrize("subtype", ENCODINGS)
def test_encodings_of_a_wav(speech, subtype):
    samples = soxr.resample(speech, 48000, 8000)
    check_bursts(encode(samples, 8000, "wav", subtype=subtype), 0, 0)


@pytest.mark.parametrize("container", ["WAVEX", "RF64"])
def test_kin_of_the_wav(speech, container):
    file = io.BytesIO()
    soundfile.write(file, speech, 48000, format=container, subtype="PCM_16")
    data = file.getvalue()
    check_bursts(data, 0, 0)
    [warning] = load(data[: len(data) // 2], RATE_HZ).warnings
    assert warning.startswith("the file is truncated or damaged: 1.2")


def test_a_browser_s_recording_states_no_length(speech):
    """MediaRecorder writes a live webm (Chromium) or an Ogg (Firefox)."""
    live = mux("webm", Track(speech, codec="libopus"), options={"live": "1"})
    check_bursts(live, 0, 0)
    check_bursts(mux("ogg", Track(speech, codec="libopus")), 0, 0)


def test_a_phone_s_long_recording_has_its_index_last(speech):
    data = mux("mp4", Track(np.tile(speech, 20)))
    assert data.rindex(b"moov") > len(data) // 2
    waveform = load(data, RATE_HZ)
    assert (round(waveform.duration_s), waveform.warnings) == (50, ())
    assert len(bursts(waveform.samples)) == 40


def test_an_end_within_an_aac_frame_of_an_mp4(speech):
    """As recorders leave it that lose the end of their stream."""
    data = mux("mp4", Track(speech, spoiled=(115,)))
    waveform = load(data, RATE_HZ)
    np.testing.assert_allclose(bursts(waveform.samples), BURSTS_S, atol=0.06)


def test_a_link_that_is_no_sound_does_not_end_the_chain(speech):
    link = encode(speech, 48000, "opus")
    broken = bytearray(link)
    broken[28:36] = b"Nonsense"
    waveform = load(link + bytes(broken) + link, RATE_HZ)
    np.testing.assert_allclose(bursts(waveform.samples)[2:], np.add(BURSTS_S, 2.5), atol=0.06)
    [warning] = waveform.warnings
    assert warning.startswith("the file is truncated or damaged: 5.0")
