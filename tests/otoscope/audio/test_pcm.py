"""Bare samples in pieces; G.711 against FFmpeg's decoders."""

import av
import numpy as np
import pytest
from signals import tone

from otoscope.audio import PcmStream, resample
from otoscope.errors import AudioRateError


def fed(stream, data, size):
    pieces = [stream.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return np.concatenate([*pieces, stream.flush()])


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_integers_are_the_same_however_they_are_divided(size):
    integers = np.rint(32767 * tone(440, 0.05)).astype("<i2")
    found = fed(PcmStream("s16le", 16_000, 16_000), integers.tobytes(), size)
    np.testing.assert_array_equal(found, integers.astype(np.float32) / 2**15)


@pytest.mark.parametrize("from_hz", [8000, 24_000, 44_100, 48_000])
def test_other_rates_are_resampled_as_in_files(from_hz):
    samples = tone(440, 0.5, from_hz)
    found = fed(PcmStream("f32le", from_hz, 16_000), samples.astype("<f4").tobytes(), 999)
    np.testing.assert_allclose(found, resample(samples, from_hz, 16_000), atol=1e-6)


@pytest.mark.parametrize(("encoding", "codec"), [("mulaw", "pcm_mulaw"), ("alaw", "pcm_alaw")])
def test_all_codes_of_g711_are_what_ffmpeg_says(encoding, codec):
    codes = bytes(range(256))
    decoder = av.CodecContext.create(codec, "r")
    decoder.sample_rate, decoder.layout = 8000, "mono"
    frames = [frame.to_ndarray() for frame in decoder.decode(av.Packet(codes))]
    expected = np.concatenate(frames, axis=None).astype(np.float32) / 2**15
    found = fed(PcmStream(encoding, 8000, 8000), codes, 100)
    np.testing.assert_array_equal(found, expected)


def test_floats_beyond_full_scale_are_clipped():
    data = np.array([-3, 0.5, 2], dtype="<f4").tobytes()
    assert fed(PcmStream("f32le", 16_000, 16_000), data, 5).tolist() == [-1, 0.5, 1]


@pytest.mark.parametrize("rate_hz", [0, -16_000, 999, 10**9])
def test_rates_that_no_recording_has_are_refused(rate_hz):
    with pytest.raises(AudioRateError, match="1000 to 192000 Hz"):
        PcmStream("s16le", rate_hz, 16_000)
