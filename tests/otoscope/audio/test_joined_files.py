"""Files joined to one, and Ogg streams chained: all of them are read."""

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


@pytest.mark.parametrize("xing", ["0", "1"])
@pytest.mark.parametrize("second_hz", [44100, 48000, 22050])
def test_joined_mp3(two_tones, xing, second_hz):
    parts = [
        mp3(soxr.resample(two_tones, 48000, rate_hz), rate_hz, xing)
        for rate_hz in (44100, second_hz)
    ]
    check_bursts(b"".join(parts), 0, 0, 2.53, 2.53, abs_s=0.12)


@pytest.mark.parametrize(
    "write",
    [lambda samples: mp3(samples, 48000, "0"), lambda samples: mux("adts", Track(samples))],
    ids=["mp3", "aac"],
)
def test_mono_and_stereo_joined(two_tones, write):
    parts = [write(two_tones), write(np.stack([two_tones, two_tones], axis=1))]
    check_bursts(b"".join(parts), 0, 0, 2.53, 2.53, abs_s=0.12)
    check_bursts(b"".join(parts[::-1]), 0, 0, 2.53, 2.53, abs_s=0.12)


@pytest.mark.parametrize("rates_hz", [(44100, 22050), (16000, 48000)])
def test_an_aac_that_changes_its_rate(two_tones, rates_hz):
    parts = [
        mux("adts", Track(soxr.resample(two_tones, 48000, rate_hz), rate_hz))
        for rate_hz in rates_hz
    ]
    check_bursts(b"".join(parts), 0, 0, 2.55, 2.55, abs_s=0.12)


@pytest.mark.parametrize("file_format", ["ogg", "opus"])
@pytest.mark.parametrize("rates_hz", [(48000, 48000), (48000, 16000, 24000)])
def test_chained_ogg(two_tones, file_format, rates_hz):
    parts = [
        encode(soxr.resample(two_tones, 48000, rate_hz), rate_hz, file_format)
        for rate_hz in rates_hz
    ]
    shifts = [2.5 * number for number in range(len(parts)) for _ in range(2)]
    waveform = check_bursts(b"".join(parts), *shifts)
    assert waveform.duration_s == pytest.approx(2.5 * len(parts), abs=0.03)


def test_a_chain_of_vorbis_and_opus(two_tones):
    check_bursts(encode(two_tones, 48000, "ogg") + encode(two_tones, 48000, "opus"), 0, 0, 2.5, 2.5)


def test_a_chain_whose_last_link_is_cut(two_tones):
    link = encode(two_tones, 48000, "opus")
    waveform = load(link + link[: len(link) // 2], RATE_HZ)
    [warning] = waveform.warnings
    assert warning.startswith(f"the file is truncated or damaged: {waveform.duration_s:.2f} s")
    assert waveform.duration_s > 2.6


@pytest.mark.parametrize("file_format", ["ogg", "opus"])
def test_an_end_mark_that_is_missing_is_said_as_such(two_tones, file_format):
    data = bytearray(encode(two_tones, 48000, file_format))
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


def test_a_link_that_is_no_sound_does_not_end_the_chain(two_tones):
    link = encode(two_tones, 48000, "opus")
    broken = bytearray(link)
    broken[28:36] = b"Nonsense"
    waveform = load(link + bytes(broken) + link, RATE_HZ)
    np.testing.assert_allclose(bursts(waveform.samples)[2:], np.add(BURSTS_S, 2.5), atol=0.06)
    [warning] = waveform.warnings
    assert warning.startswith("the file is truncated or damaged: 5.0")


def test_soundfile_knows_what_is_joined_here(two_tones):
    """The reason for `otoscope.audio.ogg`: libsndfile reads the first link alone."""
    link = encode(two_tones, 48000, "ogg")
    assert soundfile.info(io.BytesIO(link + link)).frames == two_tones.size


GOES_ON = "the file goes on behind the end that its header states: what follows was not read"


def written(two_tones, name):
    if name == "m4a":
        return mux("mp4", Track(two_tones))
    file = io.BytesIO()
    soundfile.write(file, two_tones, 48000, format=name, subtype="PCM_16")
    return file.getvalue()


@pytest.mark.parametrize("name", ["WAV", "FLAC", "m4a", "AIFF", "AU", "CAF"])
def test_files_that_no_decoder_reads_on(two_tones, name):
    data = written(two_tones, name)
    check_bursts(data, 0, 0)
    check_bursts(data + data, 0, 0, warnings=(GOES_ON,))


def test_short_ones_that_are_joined():
    data = written(np.full(9600, 0.1, np.float32), "FLAC")  # 121 bytes
    assert load(data, RATE_HZ).warnings == ()
    assert load(data + data, RATE_HZ).warnings == (GOES_ON,)


@pytest.mark.parametrize("name", ["WAV", "FLAC"])
def test_a_header_that_states_half(two_tones, name):
    """As where somebody appends to a recording, or a program dies while it writes."""
    data = bytearray(written(two_tones + 0.01 * tone(3000, 2.5, 48000), name))
    half = two_tones.size // 2
    if name == "WAV":
        data[40:44] = (2 * half).to_bytes(4, "little")
    else:
        data[22:26] = half.to_bytes(4)
    waveform = load(bytes(data), RATE_HZ)
    assert waveform.duration_s == pytest.approx(1.25, abs=0.01)
    assert waveform.warnings == (GOES_ON,)


@pytest.mark.parametrize("tags", [b"LIST\x04\0\0\0INFO", b"id3 \x05\0\0\0ID3..\0"])
def test_chunks_behind_the_samples_are_no_sound(two_tones, tags):
    check_bursts(written(two_tones, "WAV") + 5000 * tags, 0, 0)


def test_tags_behind_a_flac_are_no_sound(two_tones):
    check_bursts(written(two_tones, "FLAC") + b"TAG" + bytes(125), 0, 0)
