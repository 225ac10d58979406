"""Files that break off or are damaged: decoded as far as they go, with a word about it."""

import io
import re

import numpy as np
import pytest
import soundfile
from audio_files import FORMATS, encode
from signals import RATE_HZ, babble, noise

from otoscope.audio import load
from otoscope.audio.ogg import ogg_facts
from otoscope.audio.riff import WavFacts, wav_facts
from otoscope.errors import EmptyAudioError, OtoscopeError, UnreadableAudioError

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


@pytest.mark.parametrize(
    "size", [0x7FFFFFFF, 0x7FFFF000, 0x7FFFFFDB, 0x80000000, 0xFFFFFFFF, 0xFFFFFFDB, 0]
)
@pytest.mark.parametrize("riff_size", [0x7FFFF024, 0xFFFFFFFF, 0])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ALAW"])
def test_a_wav_written_to_a_pipe_does_not_know_its_size(size, riff_size, subtype):
    data = bytearray(encode(noise(1.0), RATE_HZ, "wav", subtype=subtype))
    at = data.index(b"data") + 4
    data[4:8] = riff_size.to_bytes(4, "little")
    data[at : at + 4] = size.to_bytes(4, "little")
    waveform = load(bytes(data), RATE_HZ)
    assert waveform.duration_s == pytest.approx(1.0, abs=0.001)
    assert not any("truncated" in each for each in waveform.warnings)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
def test_a_header_that_was_never_finished(subtype):
    data = bytearray(encode(noise(2.0), RATE_HZ, "wav", subtype=subtype))
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = bytes(4)
    waveform = load(bytes(data), RATE_HZ)
    assert waveform.duration_s == pytest.approx(2.0, abs=0.001)
    assert waveform.warnings == ("the header was never finished: all that follows it was read",)


def in_pcm(container):
    """A second of it, where the container allows in either order of bytes."""
    file = io.BytesIO()
    soundfile.write(file, noise(1.0), RATE_HZ, format=container, subtype="PCM_16")
    return bytearray(file.getvalue())


def test_an_au_or_aiff_written_to_a_pipe_does_not_know_its_size():
    au, aiff = in_pcm("AU"), in_pcm("AIFF")
    au[8:12] = b"\xff" * 4
    samples_at = aiff.index(b"SSND") + 4
    aiff[4:8] = (0x7F000000 + 46).to_bytes(4)  # SoX's
    aiff[samples_at : samples_at + 4] = (0x7F000000 + 8).to_bytes(4)
    for data in (au, aiff):
        waveform = load(bytes(data), RATE_HZ)
        assert (waveform.duration_s, waveform.warnings) == (1.0, ())


@pytest.mark.parametrize("container", ["AIFF", "AU", "CAF", "NIST", "W64"])
def test_a_file_of_samples_that_is_cut(container):
    data = bytes(in_pcm(container))
    assert load(data, RATE_HZ).warnings == ()
    [warning] = load(data[: len(data) // 2], RATE_HZ).warnings
    assert warning.startswith("the file is truncated or damaged: 0.")


def test_a_cut_flac_behind_tags_tells_what_it_promised():
    flac = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + _file("flac")
    assert load(flac, RATE_HZ).warnings == ()
    [warning] = load(flac[: len(flac) // 2], RATE_HZ).warnings
    assert " of 8.00 s" in warning


@pytest.mark.parametrize("samples", [b"data\x02\0\0\0ab", b"data\0\0\0\0"])
def test_a_wav_of_a_million_chunks_is_not_looked_through(samples):
    class Counted(io.BytesIO):
        reads = 0

        def read(self, size=-1):
            self.reads += 1
            return super().read(size)

    chunks = b"JUNK\0\0\0\0" * 10**5
    for data in (chunks + samples, samples + chunks):
        file = Counted(b"RIFF....WAVE" + data)
        assert wav_facts(file) == WavFacts()
        assert file.reads < 5000


def test_a_wav_of_no_samples_stays_empty():
    for tail in (b"", b"LIST\x04\x00\x00\x00INFO"):
        data = encode(noise(1.0), RATE_HZ, "wav")[:40] + bytes(4) + tail
        with pytest.raises(EmptyAudioError, match="a stream without samples"):
            load(data, RATE_HZ)


@pytest.mark.parametrize("off", [-40, -1, 1, 8, 36, 44, 1000])
def test_sizes_that_are_a_few_bytes_off(off):
    data = bytearray(encode(noise(2.0), RATE_HZ, "wav"))
    data[40:44] = (len(data) - 44 + off).to_bytes(4, "little")
    waveform = load(bytes(data), RATE_HZ)
    assert waveform.warnings == ()
    assert waveform.duration_s == pytest.approx(2.0, abs=0.005)


@pytest.mark.parametrize("rate_hz", [8000, 48000])
def test_what_is_missing_of_a_wav_is_measured_in_time(rate_hz):
    data = encode(np.zeros(2 * rate_hz, np.float32), rate_hz, "wav")
    assert load(data[: -int(0.02 * rate_hz) * 2], RATE_HZ).warnings == ()
    [warning] = load(data[: -int(0.1 * rate_hz) * 2], RATE_HZ).warnings
    assert warning.startswith("the file is truncated or damaged: 1.90 s could be decoded")


def test_a_flac_written_to_a_pipe_does_not_know_its_length():
    data = bytearray(encode(noise(1.25), RATE_HZ, "flac"))
    data[21] &= 0xF0  # RFC 9639, section 8.2: the last 36 bits of these are the length
    data[22:26] = bytes(4)
    waveform = load(bytes(data), RATE_HZ)
    assert (waveform.samples.size, waveform.warnings) == (20000, ())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", None),
        (b"ID3 whatever", None),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        (b"RIFF\x00\x00\x00\x00WAVE", WavFacts(missing_s=np.inf)),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x02\x00\x00\x00ab", WavFacts()),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x05\x00\x00\x00ab", WavFacts(missing_s=3)),
        (b"RIFF....WAVELIST\x03\x00\x00\x00abc\x00data\x02\x00\x00\x00a", WavFacts(missing_s=1)),
        (b"RIFF....WAVEdata\x00\xf0\xff\x7fab", WavFacts(unknown=True)),
        (b"RIFF....WAVEdata\x00\x00\x00\x00\x01\x02", WavFacts(unfinished=True)),
        (b"RIFF....WAVEdata\x00\x00\x00\x00LIST\x01\x00\x00\x00ab", WavFacts()),
        (b"RF64....WAVEds64........\x03\x00\x00\x00\x00\x00\x00\x00", None),
    ],
)
def test_the_length_of_a_wav_by_hand(data, expected):
    if data.startswith(b"RF64"):
        data = data[:12] + b"ds64\x10\x00\x00\x00" + bytes(8) + b"\x03" + bytes(7)
        data += b"data\xff\xff\xff\xffa"
        expected = WavFacts(missing_s=2)
    assert wav_facts(io.BytesIO(data)) == expected


PAGE = b"OggS\x00%c" + bytes(20) + b"\x01\x02ab"
FIRST, LAST, BETWEEN = (PAGE % flags for flags in (2, 4, 0))


@pytest.mark.parametrize(
    ("data", "links", "whole", "ended"),
    [
        (b"OggS", 1, False, False),
        (FIRST + LAST, 1, True, True),
        (FIRST + BETWEEN, 1, True, False),
        (FIRST + LAST[:-1], 1, False, True),
        (FIRST + LAST + b"TAG and the like", 1, True, True),
        (FIRST + b"damage" + LAST, 1, True, True),
        (FIRST + FIRST + LAST + LAST, 1, True, True),  # two streams at the same time
        (FIRST + LAST + FIRST + LAST, 2, True, True),
        (FIRST + BETWEEN + FIRST + BETWEEN, 2, True, False),
    ],
)
def test_the_pages_of_an_ogg_by_hand(data, links, whole, ended):
    facts = ogg_facts(io.BytesIO(data))
    assert facts.links[0].streams == (2 if data.startswith(FIRST + FIRST) else 1)
    assert (len(facts.links), facts.whole, facts.ended) == (links, whole, ended)
    assert facts.links[0][0] == 0
    assert facts.links[-1][1] == len(data)


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
