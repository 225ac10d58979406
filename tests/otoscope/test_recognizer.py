"""otoscope.recognizer on a model of a few bytes: what is accepted, what is refused, what comes out.

The tiny model copies X to log_probs, so a test knows what to expect of it.
"""

import hashlib

import numpy as np
import pytest
from signals import RATE_HZ, babble, noise
from tiny_onnx import FLOAT, INT64, identity_model, properties

from otoscope import longform
from otoscope.errors import AudioTooShortError, ModelFileError, NonFiniteAudioError
from otoscope.features import FeatureSpec, extract, mel_filterbank
from otoscope.recognizer import (
    FILTERBANK_KEY,
    SPEC_KEY,
    Recognizer,
    decode_filterbank,
    encode_filterbank,
)
from otoscope.spec import ModelSpec
from otoscope.vocabulary import Alphabet

SPEC = ModelSpec(
    name="tiny", features=FeatureSpec(n_mels=3), alphabet=Alphabet(("a", "b")), frame_stride=1
)
BATCH = ("batch", "frames", 3)
TENSORS = (
    ("features", "log_probs", FLOAT, BATCH, BATCH),
    ("lengths", "out_lengths", INT64, ("batch",), ("batch",)),
)


def metadata(spec=SPEC):
    return {
        SPEC_KEY: spec.to_json(),
        FILTERBANK_KEY: encode_filterbank(mel_filterbank(spec.features)),
    }


@pytest.fixture
def write(tmp_path):
    def write_model(data):
        path = tmp_path / "model.onnx"
        path.write_bytes(data)
        return path

    return write_model


@pytest.fixture
def tiny(write):
    return Recognizer(write(identity_model(TENSORS, metadata())))


def test_it_knows_its_spec_and_digest(write):
    data = identity_model(TENSORS, metadata())
    recognizer = Recognizer(str(write(data)))
    assert recognizer.spec == SPEC
    assert recognizer.sha256 == hashlib.sha256(data).hexdigest()


def test_posteriors_carry_what_the_graph_returned(tiny):
    samples = babble(0.5037)
    [posteriors] = tiny.posteriors([samples])
    np.testing.assert_array_equal(posteriors.log_probs, extract(samples, SPEC.features))
    assert posteriors.alphabet == SPEC.alphabet
    assert posteriors.clock.frame_s == pytest.approx(0.01)
    assert posteriors.clock.duration_s == samples.size / RATE_HZ


def test_a_recognition_is_the_posteriors_and_the_features_they_come_from(tiny):
    for samples in (babble(0.5), noise(0.3)):
        recognition = longform.recognize(tiny, [samples], keep_features=True)
        assert recognition.features.spec == SPEC.features
        np.testing.assert_array_equal(recognition.features.values, extract(samples, SPEC.features))
        [alone] = tiny.posteriors([samples])
        np.testing.assert_array_equal(recognition.posteriors.log_probs, alone.log_probs)
        assert recognition.posteriors.clock == alone.clock


def test_the_filterbank_in_the_file_is_the_one_that_is_used(write):
    doubled = encode_filterbank(2 * mel_filterbank(SPEC.features))
    corpus = FeatureSpec(
        n_mels=3, normalisation="corpus", corpus_mean=(0.0,) * 3, corpus_std=(1.0,) * 3
    )
    spec = ModelSpec(features=corpus, alphabet=SPEC.alphabet, frame_stride=1)
    plain = Recognizer(write(identity_model(TENSORS, metadata(spec))))
    quieter = plain.features(noise(0.5))
    louder = Recognizer(
        write(identity_model(TENSORS, {**metadata(spec), FILTERBANK_KEY: doubled}))
    ).features(noise(0.5))
    np.testing.assert_allclose(louder - quieter, np.log(2), atol=1e-3)


def test_ragged_batches_come_back_without_padding(tiny):
    matrices = [np.full((frames, 3), frames, dtype=np.float32) for frames in (5, 1, 8)]
    for found, matrix in zip(tiny.run_heads(matrices), matrices, strict=True):
        np.testing.assert_array_equal(found.characters, matrix)


def test_nothing_in_nothing_out(tiny):
    assert tiny.run_heads([]) == []
    assert tiny.posteriors([]) == []


def test_an_item_without_frames(tiny):
    with pytest.raises(AudioTooShortError, match="at least one frame in every item"):
        tiny.run_heads([np.zeros((4, 3), np.float32), np.zeros((0, 3), np.float32)])


@pytest.mark.parametrize("count", [0, 1, 399])
def test_shorter_than_a_window(tiny, count):
    with pytest.raises(AudioTooShortError, match=rf"at least 400 samples, got \({count},\)"):
        tiny.posteriors([noise(1.0), noise(1.0)[:count]])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers(tiny, value):
    samples = noise(0.5)
    samples[7] = value
    with pytest.raises(NonFiniteAudioError, match="the first at sample 7"):
        tiny.posteriors([samples])


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelFileError, match="which does not exist"):
        Recognizer(tmp_path / "absent.onnx")
    with pytest.raises(ModelFileError):
        Recognizer(tmp_path)


@pytest.mark.parametrize("data", [b"", b"not a model", bytes(100)], ids=["empty", "text", "zeros"])
def test_what_is_no_onnx(write, data):
    with pytest.raises(ModelFileError, match=r"model\.onnx: expected"):
        Recognizer(write(data))


def test_a_cut_model(write):
    data = identity_model(TENSORS, metadata())
    with pytest.raises(ModelFileError):
        Recognizer(write(data[: len(data) // 2]))


def test_somebody_elses_model(write):
    foreign = identity_model([("x", "y", FLOAT, (1,), (1,))], {"author": "another"})
    with pytest.raises(ModelFileError, match=r"expected metadata otoscope\.spec.*got \['author'\]"):
        Recognizer(write(foreign))


@pytest.mark.parametrize("missing", [SPEC_KEY, FILTERBANK_KEY])
def test_half_of_our_metadata(write, missing):
    kept = {key: value for key, value in metadata().items() if key != missing}
    with pytest.raises(ModelFileError, match="expected metadata"):
        Recognizer(write(identity_model(TENSORS, kept)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (SPEC_KEY, "{", "expected JSON"),
        (SPEC_KEY, '{"name": "x"}', "expected all fields"),
        (FILTERBANK_KEY, "!", "in base64"),
        (FILTERBANK_KEY, "AAAA", r"mel filterbank of \(3, 257\) float32, got 3 bytes"),
        (FILTERBANK_KEY, "", "got 0 bytes"),
    ],
)
def test_metadata_that_cannot_be_read(write, key, value, message):
    with pytest.raises(ModelFileError, match=message):
        Recognizer(write(identity_model(TENSORS, {**metadata(), key: value})))


def test_other_names_than_ours(write):
    renamed = [("audio", "log_probs", FLOAT, BATCH, BATCH), TENSORS[1]]
    with pytest.raises(ModelFileError, match=r"expected inputs \('features', 'lengths'\)"):
        Recognizer(write(identity_model(renamed, metadata())))


@pytest.mark.parametrize(
    ("bins", "classes"), [(4, 4), (80, 80)], ids=["one too many", "another front end"]
)
def test_a_graph_that_disagrees_with_its_spec(write, bins, classes):
    shape = ("batch", "frames", bins)
    tensors = [("features", "log_probs", FLOAT, shape, shape), TENSORS[1]]
    with pytest.raises(ModelFileError, match=f"3 bins and 3 classes.*got {bins} and {classes}"):
        Recognizer(write(identity_model(tensors, metadata())))


def test_appended_metadata_is_refused_when_it_contradicts(write):
    other = ModelSpec(features=FeatureSpec(n_mels=3), alphabet=Alphabet(("a",)), frame_stride=1)
    data = identity_model(TENSORS, metadata()) + properties({SPEC_KEY: other.to_json()})
    with pytest.raises(ModelFileError):
        Recognizer(write(data))


def test_a_filterbank_comes_back_from_its_text():
    filterbank = mel_filterbank(SPEC.features)
    read = decode_filterbank(encode_filterbank(filterbank), SPEC)
    np.testing.assert_array_equal(read, filterbank)
    assert read.dtype == np.float32
