"""otoscope.decoding.decoder: what lies beside a model, and who it is about."""

import json
import string
from dataclasses import replace

import numpy as np
import pytest

from otoscope import (
    ARPABET,
    ENGLISH,
    Alphabet,
    FrameClock,
    ModelSpec,
    PhonemePosteriors,
    Posteriors,
)
from otoscope.calibration import Calibration, Curve
from otoscope.decoding.arpa import from_arpa
from otoscope.decoding.decoder import Decoder, open_decoder
from otoscope.decoding.options import BeamOptions, DecodingOptions, ModelDecoding
from otoscope.errors import ModelFileError, OptionsError
from otoscope.pronunciations import FILE_NAME, write_entries
from otoscope.sidecars import write_sidecar

SHA = "ab" * 32
SPEC = ModelSpec(phonemes=ARPABET)
BEAM = BeamOptions(lm_weight=0.25, unknown_penalty=30.0)
PRIORS = Calibration(
    SHA, (1 / ENGLISH.size,) * ENGLISH.size, {}, (1 / ARPABET.size,) * ARPABET.size
)
ARPA = "\\1-grams:\n-99 <s>\n-1 </s>\n-3 <unk>\n-1 bee\n-1 b\n"


@pytest.fixture
def folder(tmp_path):
    """Of a model with everything beside it."""
    (tmp_path / "lm.arpa").write_text(ARPA)
    from_arpa(tmp_path / "lm.arpa").save(tmp_path / "lm.npz")
    write_entries(tmp_path / FILE_NAME, [("bee", ("B", "IY")), ("b", ("B", "IY"))])
    write_sidecar(tmp_path / "calibration.json", PRIORS)
    write_sidecar(tmp_path / "decoding.json", ModelDecoding(SHA, BEAM))
    return tmp_path


def opened(folder, spec=SPEC, sha256=SHA):
    return open_decoder(spec, sha256, folder / "model.onnx", None)


def test_what_lies_beside_the_model_is_used(folder):
    decoder = opened(folder)
    assert decoder.beam == BEAM
    assert decoder.calibration == PRIORS
    assert decoder.language_model.ngrams.vocabulary == ("b", "bee")
    assert decoder.pronunciations.labels("bee").tolist() == ARPABET.encode(["B", "IY"]).tolist()


def test_without_files_search_is_neutral_and_nothing_is_known(tmp_path):
    assert opened(tmp_path) == Decoder(ENGLISH)
    neutral = opened(tmp_path).beam
    assert (neutral.lm_weight, neutral.acoustic_scale, neutral.prior_scale) == (1.0, 1.0, 0.0)
    assert (neutral.word_bonus, neutral.unknown_penalty) == (0.0, 0.0)


def test_what_is_about_other_weights_is_not_used(folder, caplog):
    decoder = opened(folder, sha256="cd" * 32)
    assert (decoder.beam, decoder.calibration) == (BeamOptions(), None)
    for name in ("calibration.json", "decoding.json"):
        assert f"{name} is not used: expected model_sha256 {'cd' * 32}" in caplog.text


GERMAN = Alphabet((*ENGLISH.symbols, "\u00e4"))


@pytest.mark.parametrize(
    ("marks", "spec", "said"),
    [
        ({"language": "en"}, {"language": "de"}, "texts in 'de', got one of 'en'"),
        ({"symbols": ENGLISH.joined}, {"alphabet": GERMAN}, "the symbols .*\u00e4"),
        ({"words": True}, {"alphabet": GERMAN}, "without \u00e4"),
    ],
)
def test_another_languages_model_is_refused(tmp_path, marks, spec, said):
    words = [f"{a}{b}{c}" for a in string.ascii_lowercase for b in "aeiou" for c in "ablnst'eo"]
    lines = [f"-3 {word}\n" for word in (words if marks.pop("words", None) else ["bee"])]
    (tmp_path / "lm.arpa").write_text("\\1-grams:\n-99 <s>\n-1 </s>\n-3 <unk>\n" + "".join(lines))
    replace(from_arpa(tmp_path / "lm.arpa"), **marks).save(tmp_path / "lm.npz")
    with pytest.raises(ModelFileError, match=rf"lm\.npz: expected .*'english', of .*{said}.*lm"):
        opened(tmp_path, replace(SPEC, phonemes=None, **spec))
    assert opened(tmp_path).language_model is not None
    if "language" in marks:  # models that do not tell theirs are not known to be others
        assert opened(tmp_path, replace(SPEC, language="en")).language_model is not None


@pytest.mark.parametrize(
    "beam",
    [{"lm_wait": 1.0}, {"lm_weight": "1"}, {"acoustic_scale": 0.0}, {"beam_width": 0}, [], None],
)
def test_options_that_are_none_are_named(folder, beam):
    (folder / "decoding.json").write_text(json.dumps({"model_sha256": SHA, "beam": beam}))
    with pytest.raises(ModelFileError, match=r"decoding\.json.*beam"):
        opened(folder)


def test_priors_fit_the_model(folder):
    write_sidecar(folder / "calibration.json", replace(PRIORS, priors=(0.5, 0.5)))
    with pytest.raises(ModelFileError, match=r"calibration\.json: expected 29 priors"):
        opened(folder)
    write_sidecar(folder / "calibration.json", replace(PRIORS, phoneme_priors=(0.5, 0.5)))
    with pytest.raises(ModelFileError, match="40 of phonemes"):
        opened(folder)


def random_posteriors(seed=0, frames=8):
    """Posteriors of both heads, which say "b" somewhere."""
    generator = np.random.default_rng(seed)
    logits = [2 * generator.standard_normal((frames, size.size)) for size in (ENGLISH, ARPABET)]
    logits[0][3, ENGLISH.symbols.index("b")] = 9.0
    characters, phonemes = (
        (each - np.logaddexp.reduce(each, axis=1, keepdims=True)).astype(np.float32)
        for each in logits
    )
    clock = FrameClock(0.04, 0.04 * frames)
    return Posteriors(characters, ENGLISH, clock, PhonemePosteriors(phonemes, ARPABET))


def listens_to_phonemes(decoder, options=None):
    """Whether other phonemes give other scores."""
    given, other = random_posteriors(), random_posteriors(seed=1)
    other = replace(given, phonemes=other.phonemes)
    options = options or DecodingOptions(n_best=5)
    return decoder.decode(given, options) != decoder.decode(other, options)


def test_phonemes_count_where_they_are_known(folder):
    decoder = opened(folder)
    assert listens_to_phonemes(decoder)
    assert not listens_to_phonemes(decoder, DecodingOptions(language_model=False, n_best=5))
    assert not listens_to_phonemes(replace(decoder, calibration=None))
    assert not listens_to_phonemes(replace(decoder, calibration=replace(PRIORS, phoneme_priors=())))
    assert not listens_to_phonemes(opened(folder, spec=ModelSpec()))
    (folder / FILE_NAME).unlink()
    assert not listens_to_phonemes(opened(folder))


def test_what_a_caller_asks_for_goes_before_what_suits_the_model(folder):
    decoder, given = opened(folder), random_posteriors()
    [own] = decoder.decode(given, DecodingOptions()).hypotheses
    [asked] = decoder.decode(given, DecodingOptions(lm_weight=0.25)).hypotheses
    [other] = decoder.decode(given, DecodingOptions(lm_weight=2.0)).hypotheses
    assert own == asked != other
    assert own.score == pytest.approx(own.acoustic + 0.25 * own.lm + own.bonus)


def test_without_a_language_model_no_word_is_worth_more_than_its_sounds(folder):
    given = random_posteriors()
    plain = DecodingOptions(decoder="beam", language_model=False, n_best=5)
    neutral, eager = (
        replace(opened(folder), beam=beam) for beam in (BeamOptions(), BeamOptions(word_bonus=9.0))
    )
    assert eager.decode(given, plain) == neutral.decode(given, plain)
    asked = plain.model_copy(update={"word_bonus": 9.0})
    assert eager.decode(given, asked) != neutral.decode(given, plain)


def test_options_that_contradict_are_refused(folder):
    with pytest.raises(OptionsError, match="beam_width 3 and n_best 4"):
        opened(folder).decode(random_posteriors(), DecodingOptions(beam_width=3, n_best=4))


@pytest.mark.parametrize("language_model", [True, False])
def test_of_silence_no_words_are_made(folder, language_model):
    """Blank in every frame, and "b" probable enough for a language model that loves words."""
    log_probs = np.full((20, ENGLISH.size), np.log(0.4 / (ENGLISH.size - 2)), dtype=np.float32)
    log_probs[:, ENGLISH.symbols.index("b")] = np.log(0.29)
    log_probs[:, ENGLISH.blank_index] = np.log(0.31)
    decoder = replace(opened(folder), beam=BeamOptions(word_bonus=20.0))
    given = Posteriors(log_probs, ENGLISH, FrameClock(0.04, 0.8))
    found = decoder.decode(given, DecodingOptions(language_model=language_model, decoder="beam"))
    assert (found.transcript.text, found.hypotheses) == ("", ())


def test_a_curve_changes_confidences_alone(folder):
    given, options = random_posteriors(), DecodingOptions(decoder="greedy")
    raw = opened(folder).decode(given, options).transcript
    curves = {"greedy": Curve(0.5, -1.0)}
    decoder = replace(opened(folder), calibration=replace(PRIORS, curves=curves))
    calibrated = decoder.decode(given, options).transcript
    assert calibrated.text == raw.text
    assert [word.confidence for word in calibrated.words] == [
        curves["greedy"].probability(word.confidence) for word in raw.words
    ]


def test_a_language_model_finds_no_words_in_a_pause(folder):
    """Where "b" is likely but never the likeliest, between two that are certain."""
    symbol, blank = ENGLISH.symbols.index("b"), ENGLISH.blank_index
    log_probs = np.full((120, ENGLISH.size), np.log(0.27 / (ENGLISH.size - 2)), dtype=np.float32)
    log_probs[:, symbol], log_probs[:, blank] = np.log(0.29), np.log(0.44)
    log_probs[[2, 117]] = np.log(0.01 / (ENGLISH.size - 1))
    log_probs[[2, 117], symbol] = np.log(0.99)
    decoder = replace(opened(folder), beam=BeamOptions(word_bonus=20.0))
    given = Posteriors(log_probs, ENGLISH, FrameClock(0.04, 4.8))
    words = decoder.decode(given, DecodingOptions()).transcript.words
    assert words[0].start_s < 0.2
    assert words[-1].end_s > 4.6
    assert not [word for word in words if word.end_s > 0.6 and word.start_s < 4.3]
