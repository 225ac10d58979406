"""Files that break off or are damaged: decoded as far as they go, with a word about it."""

import io
import re

import numpy as np
import pytest
from audio_files import FORMATS, encode
from signals import RATE_HZ, babble, noise

from otoscope.audio import load
from otoscope.audio.truncation import breaks_off
from otoscope.errors import OtoscopeError, UnreadableAudioError

SECONDS = 8.0
# Fragments, as a browser records: the index of an ordinary mp4 stands last.
OPTIONS = {"m4a": {"movflags": "frag_keyframe+empty_moov"}}
OPTIONS["mp4"] = OPTIONS["m4a"]


def _file(file_format):
    options = OPTIONS.get(file_format)
    return encode(noise(SECONDS), RATE_HZ, file_format, options=options)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_cut_file_is_decoded_as_far_as_it_goes(file_format, share):
    data = _file(file_format)
    assert load(data, RATE_HZ).warnings == ()

    waveform = load(data[: int(share * len(data))], RATE_HZ)

    assert 0.1 <= waveform.duration_s <= share * SECONDS + 0.15
    assert len(waveform.warnings) == 1
    found = re.match(r"the file is truncated or damaged: ([0-9.]+) s", waveform.warnings[0])
    assert found is not None
    assert float(found[1]) == pytest.approx(waveform.duration_s, abs=0.01)


@pytest.mark.parametrize("file_format", ["flac", "mp3", "webm"])
def test_the_warning_tells_what_the_header_promised(file_format):
    data = _file(file_format)
    [warning] = load(data[: len(data) // 2], RATE_HZ).warnings
    assert " of 8.0" in warning


@pytest.mark.parametrize("file_format", ["wav", "flac"])
def test_what_is_left_of_a_lossless_file_is_untouched(file_format):
    samples = noise(SECONDS)
    data = encode(samples, RATE_HZ, file_format)
    left = load(data[: len(data) // 2], RATE_HZ).samples
    assert left.size > RATE_HZ
    np.testing.assert_allclose(left, samples[: left.size], atol=2**-15)


def test_what_is_left_of_an_mp3_is_no_stale_memory():
    samples = babble(SECONDS)
    data = encode(samples, RATE_HZ, "mp3")
    whole, left = load(data, RATE_HZ).samples, load(data[: len(data) // 2], RATE_HZ).samples
    assert left.size < 0.7 * whole.size
    np.testing.assert_allclose(left[:-4000], whole[: left.size - 4000], atol=1e-3)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_an_mp4_cut_before_its_index_says_so(share):
    data = encode(noise(SECONDS), RATE_HZ, "mp4")
    with pytest.raises(UnreadableAudioError, match=r"index \(moov\) is missing or incomplete"):
        load(data[: int(share * len(data))], RATE_HZ)


@pytest.mark.parametrize("size", [0x7FFFFFFF, 0xFFFFFFFF, 0])
def test_a_wav_written_to_a_pipe_does_not_know_its_size(size):
    data = bytearray(encode(noise(1.0), RATE_HZ, "wav"))
    assert data[36:40] == b"data"
    data[40:44] = size.to_bytes(4, "little")
    assert not breaks_off(io.BytesIO(data))


def test_a_flac_written_to_a_pipe_does_not_know_its_length():
    data = bytearray(encode(noise(1.25), RATE_HZ, "flac"))
    data[21] &= 0xF0  # RFC 9639, section 8.2: the last 36 bits of these are the length
    data[22:26] = bytes(4)
    waveform = load(bytes(data), RATE_HZ)
    assert (waveform.samples.size, waveform.warnings) == (20000, ())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", False),
        (b"ID3 whatever", False),
        (b"RIFF\x00\x00\x00\x00WAVE", True),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00ab", False),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00a", True),
        (b"RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00data\x01\x00\x00\x00a", False),
        (b"OggS", True),
        (b"OggS\x00\x04" + bytes(20) + b"\x01\x02ab", False),
        (b"OggS\x00\x04" + bytes(20) + b"\x01\x02a", True),
        (b"OggS\x00\x04" + bytes(20) + b"\x02\x02", True),
        (b"OggS\x00\x00" + bytes(20) + b"\x01\x02ab", True),
    ],
)
def test_breaks_off_by_hand(data, expected):
    assert breaks_off(io.BytesIO(data)) is expected


@pytest.mark.slow
@pytest.mark.parametrize("file_format", FORMATS)
def test_damage_never_escapes_the_domains_errors(file_format):
    whole = _file(file_format)
    generator = np.random.default_rng(5)
    outcomes = set()
    for trial in range(60):
        damaged = bytearray(whole)
        if trial % 2:
            at = int(generator.integers(0, len(damaged)))
            del damaged[at : at + int(generator.integers(1, 400))]
        else:
            for at in generator.integers(0, min(len(damaged), 300), size=4):
                damaged[at] = generator.integers(0, 256)
        try:
            samples = load(bytes(damaged), RATE_HZ, max_duration_s=30).samples
        except OtoscopeError:
            outcomes.add("refused")
        else:
            assert np.isfinite(samples).all()
            outcomes.add("read")
    assert "read" in outcomes
