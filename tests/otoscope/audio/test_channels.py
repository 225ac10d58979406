"""Of several tracks one is read, and channels are mixed or one is chosen."""

import io

import numpy as np
import pytest
from audio_files import encode
from bursts import BURSTS_S, bursts, check_bursts
from muxed import Track, mp3, mux
from signals import RATE_HZ, tone

from otoscope.audio import AudioStream, count_tracks, load
from otoscope.audio.channel_layouts import WithoutLayouts
from otoscope.audio.parts import Choice
from otoscope.errors import ChannelError, UnreadableAudioError

MANY_TRACKS = "one of 2 audio tracks was read, number"


def two_tracks(two_tones, default=2):
    """Silence, and tones."""
    silence = Track(np.zeros(96000, np.float32), default=default == 1)
    return mux("matroska", silence, Track(two_tones, default=default == 2))


def test_the_track_that_is_marked_as_the_default(two_tones):
    check_bursts(two_tracks(two_tones), 0, 0, warnings=(f"{MANY_TRACKS} 2",))
    waveform = load(two_tracks(two_tones, default=1), RATE_HZ)
    assert np.abs(waveform.samples).max() < 0.01
    assert waveform.warnings == (f"{MANY_TRACKS} 1",)


@pytest.mark.parametrize("track", [1, 2])
def test_a_track_may_be_chosen(two_tones, track):
    stream = AudioStream(two_tracks(two_tones), RATE_HZ, choice=Choice(track=track))
    samples = np.concatenate(list(stream))
    assert (np.abs(samples).max() > 0.1) == (track == 2)
    assert stream.warnings == ()
    with pytest.raises(ChannelError, match="expected a track up to 2, got 3"):
        list(AudioStream(two_tracks(two_tones), RATE_HZ, choice=Choice(track=3)))
    with pytest.raises(ChannelError, match="expected track 1, the only one, got 2"):
        list(AudioStream(encode(two_tones, 48000, "wav"), RATE_HZ, choice=Choice(track=2)))


def test_tracks_are_counted_without_being_decoded(two_tones):
    unknown = two_tracks(two_tones, default=1).replace(b"A_AAC", b"A_XYZ", 1)
    assert [count_tracks(each) for each in (two_tracks(two_tones), unknown)] == [2, 2]
    ogg = encode(two_tones, 48000, "ogg")
    for one in (ogg, ogg + ogg, mp3(two_tones, 48000), encode(two_tones, 48000, "wav")):
        assert count_tracks(one) == 1
    with pytest.raises(UnreadableAudioError, match="in no format known here"):
        count_tracks(b"no sound at all")


def side_by_side(two_tones):
    """Silence and tones, two streams of an Ogg whose pages alternate."""
    tracks = (np.zeros_like(two_tones), two_tones)
    return mux("ogg", *(Track(each, codec="libopus") for each in tracks))


def test_streams_side_by_side_in_an_ogg(two_tones):
    """libsndfile reads the first of them, and says nothing of the other."""
    data = side_by_side(two_tones)
    assert count_tracks(data) == 2
    waveform = load(data, RATE_HZ)
    assert waveform.warnings == (f"{MANY_TRACKS} 1",)
    second = np.concatenate(list(AudioStream(data, RATE_HZ, choice=Choice(track=2))))
    np.testing.assert_allclose(bursts(second), BURSTS_S, atol=0.06)


def test_streams_side_by_side_in_a_link_of_a_chain(two_tones):
    one, two = encode(two_tones, 48000, "opus"), side_by_side(two_tones)
    for chain in (one + two, two + one):
        assert count_tracks(chain) == 2
        waveform = load(chain, RATE_HZ)
        assert waveform.warnings == (f"{MANY_TRACKS} 1",)
        assert waveform.duration_s == pytest.approx(5.0, abs=0.03)


def test_a_first_track_that_nobody_knows(two_tones):
    data = two_tracks(two_tones, default=1)
    unknown = data.replace(b"A_AAC", b"A_XYZ", 1)
    check_bursts(unknown, 0, 0, warnings=(f"{MANY_TRACKS} 2; 1 can't be decoded",))
    with pytest.raises(UnreadableAudioError, match="a known codec"):
        load(data.replace(b"A_AAC", b"A_XYZ"), RATE_HZ)


@pytest.mark.parametrize("channels", [1, 2, 6, 200])
def test_channels_are_averaged(channels):
    gains = np.linspace(0, 1, channels) if channels > 1 else np.ones(1)
    matrix = (tone(300, 0.5)[:, None] * gains).astype(np.float32)
    waveform = load(encode(matrix, RATE_HZ, "wav", subtype="FLOAT"), RATE_HZ)
    np.testing.assert_allclose(waveform.samples, matrix.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("right", [-1.0, -0.9])
@pytest.mark.parametrize("file_format", ["flac", "m4a"])
def test_channels_that_cancel(two_tones, right, file_format):
    stereo = np.stack([two_tones, right * two_tones], axis=1)
    m4a = mux("mp4", Track(stereo, options={"b": "256k"}))
    data = m4a if file_format == "m4a" else encode(stereo, 48000, "flac")
    warning = "the channels cancel each other out: the louder one was read alone"
    waveform = check_bursts(data, 0, 0, warnings=(warning,))
    assert np.abs(waveform.samples).max() == pytest.approx(np.abs(two_tones).max(), rel=0.1)


@pytest.mark.parametrize("container", ["mp4", "mp3", "webm"])
def test_a_hum_that_cancels_between_words_is_none_of_their_business(two_tones, container):
    """FFmpeg's frames are short: in many there is nothing but the hum."""
    hum = 0.001 * tone(50, 2.5, 48000)
    stereo = np.stack([two_tones + hum, two_tones - hum], axis=1)
    codec = {"mp4": "aac", "mp3": "libmp3lame", "webm": "libopus"}[container]
    check_bursts(mux(container, Track(stereo, codec=codec)), 0, 0)


@pytest.mark.parametrize(("left", "right"), [(1.0, 0.0), (1.0, 1.0), (1.0, -0.5), (0.0, 0.0)])
def test_channels_that_leave_something_are_mixed(two_tones, left, right):
    stereo = np.stack([left * two_tones, right * two_tones], axis=1)
    waveform = load(encode(stereo, 48000, "flac"), 48000)
    np.testing.assert_allclose(waveform.samples, stereo.mean(axis=1), atol=1e-4)
    assert waveform.warnings == ()


def test_one_of_six_channels_does_not_cancel(two_tones):
    six = np.zeros((two_tones.size, 6), np.float32)
    six[:, 2] = two_tones
    assert load(encode(six, 48000, "wav"), RATE_HZ).warnings == ()


@pytest.mark.parametrize("file_format", ["wav", "ogg", "m4a"])
def test_a_channel_may_be_chosen(two_tones, file_format):
    stereo = np.stack([np.zeros_like(two_tones), two_tones], axis=1)
    data = mux("mp4", Track(stereo)) if file_format == "m4a" else encode(stereo, 48000, file_format)
    for channel in (1, 2):
        blocks = list(AudioStream(data, RATE_HZ, choice=Choice(channel=channel)))
        assert (np.abs(np.concatenate(blocks)).max() > 0.1) == (channel == 2)
    with pytest.raises(ChannelError, match="expected a channel up to 2, got 3"):
        list(AudioStream(data, RATE_HZ, choice=Choice(channel=3)))


def rest_of(data, channel, channels=0):
    """One channel's bursts, and how many channels the file turned out to have."""
    stream = AudioStream(data, RATE_HZ, choice=Choice(channel=channel, channels=channels))
    return bursts(np.concatenate(list(stream))), stream.channels


@pytest.mark.parametrize("file_format", ["ogg", "opus"])
def test_a_chain_of_mono_and_stereo_has_two_channels(two_tones, file_format):
    """The second is silent in the mono link."""
    mono = encode(two_tones, 48000, file_format)
    stereo = encode(np.stack([0 * two_tones, two_tones], axis=1), 48000, file_format)
    for data, first, second in ((mono + stereo, 0, 2.5), (stereo + mono, 2.5, 0)):
        for channel, shift_s in ((1, first), (2, second)):
            found, channels = rest_of(data, channel)
            assert channels == 2
            np.testing.assert_allclose(found, np.add(BURSTS_S, shift_s), atol=0.06)
        with pytest.raises(ChannelError, match="expected a channel up to 2, got 3"):
            list(AudioStream(data, RATE_HZ, choice=Choice(channel=3)))


@pytest.mark.parametrize("container", ["mp3", "adts"])
def test_mono_and_stereo_joined_have_two_channels(two_tones, container):
    codec = {"mp3": "libmp3lame", "adts": "aac"}[container]
    options = {"write_xing": "0", "id3v2_version": "0"} if container == "mp3" else {}
    mono, stereo = (
        mux(container, Track(each, codec=codec), options=options)
        for each in (two_tones, np.stack([0 * two_tones, two_tones], axis=1))
    )
    for data, first, second in ((mono + stereo, 0, 2.53), (stereo + mono, 2.53, 0)):
        found, channels = rest_of(data, 1)
        assert channels == 2
        np.testing.assert_allclose(found, np.add(BURSTS_S, first), atol=0.12)
        found, channels = rest_of(data, 2, channels)
        assert channels == 2
        np.testing.assert_allclose(found, np.add(BURSTS_S, second), atol=0.12)


PLACED = [
    *(("mov", codec, channels) for codec in ("pcm_s16le", "pcm_s24le") for channels in (7, 8)),
    *(("caf", "pcm_s16le", 8), ("aiff", "pcm_s16be", 8), ("mov", "alac", 7)),
]
"""Files that say where their channels are placed, which FFmpeg 8.1 can't bear."""


def many_channels(container, codec, channels):
    """A tone, louder on each channel than on the one before; the mean of all, and the file."""
    gains = np.linspace(0, 1, channels, dtype=np.float32)
    matrix = tone(300, 0.3)[:, None] * gains
    placed = {7: "6.1(back)" if codec == "alac" else "6.1", 8: "7.1"}
    layout = placed[channels] if (container, codec, channels) in PLACED else None
    return matrix.mean(axis=1), mux(container, Track(matrix, RATE_HZ, codec, layout=layout))


@pytest.mark.parametrize(
    ("container", "codec", "channels"),
    [("matroska", "pcm_f32le", channels) for channels in (7, 8, 9, 16, 24)] + PLACED,
)
def test_many_channels_are_averaged_like_few(container, codec, channels, processes):
    mean, data = many_channels(container, codec, channels)
    opened, *blocks = processes.decode(io.BytesIO(data))
    assert opened.format.channels == channels
    samples = np.concatenate([block.samples for block in blocks])
    np.testing.assert_allclose(samples, mean, atol=1e-6 if codec == "pcm_f32le" else 1e-4)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_where_channels_are_placed_is_not_seen(size):
    _, data = many_channels("mov", "pcm_s16le", 8)
    assert data.count(b"chan") == 1
    file = WithoutLayouts(io.BytesIO(data))
    read = b"".join(iter(lambda: file.read(size), b""))
    assert read == data.replace(b"chan", b"free")
