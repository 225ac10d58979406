"""Plain FLAC files by dr_flac: the same samples as libsndfile's, and hands off all else."""

import io

import numpy as np
import pytest
import soundfile

from otoscope import flac, load

pytest.importorskip("miniaudio")
RATE_HZ = 16000


def written(samples, subtype="PCM_16"):
    file = io.BytesIO()
    soundfile.write(file, samples, RATE_HZ, format="FLAC", subtype=subtype)
    return file.getvalue()


def noise(frames=20000, channels=1):
    return np.random.default_rng(0).uniform(-1, 1, (frames, channels)).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_the_samples_are_those_of_libsndfile(subtype, channels):
    data = written(noise(channels=channels), subtype)
    expected, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    plain = flac.read_plain(io.BytesIO(data))
    assert plain.rate_hz == RATE_HZ
    np.testing.assert_array_equal(plain.samples, expected)


def test_load_gives_the_same_with_it_and_without(monkeypatch):
    data = written(noise(channels=2))
    fast = load(data, RATE_HZ)
    monkeypatch.setattr(flac, "miniaudio", None)
    np.testing.assert_array_equal(load(data, RATE_HZ).samples, fast.samples)


def test_a_file_that_breaks_off_is_left_to_libsndfile():
    data = written(noise())
    assert flac.read_plain(io.BytesIO(data[: len(data) // 2])) is None
    [warning] = load(data[: len(data) // 2], RATE_HZ).warnings
    assert "of 1.25 s could be decoded" in warning


@pytest.mark.parametrize("place", [100, 20000])
def test_a_damaged_file_is_left_to_libsndfile(place):
    data = bytearray(written(noise()))
    data[place] ^= 0xFF
    assert flac.read_plain(io.BytesIO(bytes(data))) is None


def test_a_header_without_a_length_is_left_to_libsndfile():
    data = bytearray(written(noise()))
    data[21] &= 0xF0  # RFC 9639, section 8.2: the last 36 bits of these are the length
    data[22:26] = bytes(4)
    assert flac.read_plain(io.BytesIO(bytes(data))) is None
    assert load(bytes(data), RATE_HZ).samples.size == 20000


def test_a_header_that_claims_too_much_is_left_to_libsndfile(monkeypatch):
    monkeypatch.setattr(flac, "miniaudio", object())  # nothing that could decode
    data = bytearray(written(noise()))
    data[21] |= 0x0F
    assert flac.read_plain(io.BytesIO(bytes(data))) is None


def test_more_than_24_bits_are_left_to_libsndfile(monkeypatch):
    monkeypatch.setattr(flac, "miniaudio", object())
    data = bytearray(written(noise(), "PCM_24"))
    data[20] |= 0x01  # 5 bits across two bytes: 24 becomes 32
    data[21] |= 0xF0
    assert flac.read_plain(io.BytesIO(bytes(data))) is None


@pytest.mark.parametrize("data", [b"", b"fLaC", b"RIFF" + bytes(100)])
def test_what_is_no_flac_is_left_alone(data):
    assert flac.read_plain(io.BytesIO(data)) is None
