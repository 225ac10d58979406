"""Posteriors -> texts, by the decoder that a caller asks for, with what lies beside the model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from otoscope.calibration import Calibration
from otoscope.decoding.beam_decoder import BeamDecoder, Hypothesis, joined
from otoscope.decoding.greedy import greedy, transcript_of_labels
from otoscope.decoding.hotwords import hotwords
from otoscope.decoding.ngram import NgramModel
from otoscope.decoding.options import BeamOptions, DecoderName, DecodingOptions, ModelDecoding
from otoscope.decoding.pauses import with_certain_pauses
from otoscope.decoding.phrases import NONE_OF_THESE, RankedPhrase, rank_phrases
from otoscope.decoding.rescoring import PhonemeRescorer
from otoscope.decoding.scorers import LanguageModel
from otoscope.errors import ModelFileError, OptionsError, SpecError
from otoscope.posteriors import Posteriors
from otoscope.pronunciations import FILE_NAME, Pronunciations, read_entries
from otoscope.sidecars import read_sidecar
from otoscope.spec import ModelSpec
from otoscope.transcript import Transcript, moved
from otoscope.transcript import joined as joined_transcripts
from otoscope.vocabulary import Alphabet

_ENOUGH_WORDS = 1000
"""A language model that does not say its alphabet uses all letters in so many words."""

DecoderKind = Literal["phrases", "beam", "greedy"]


@dataclass(frozen=True)
class DecodeResult:
    """What was said, as one decoder reads it.

    Attributes:
        transcript: the best text; words have calibrated confidences where a curve is known.
        hypotheses: the `n_best` of a beam search, best first; none where nothing was said.
        phrases: the closed list, best first.
    """

    decoder: DecoderName
    transcript: Transcript
    hypotheses: tuple[Hypothesis, ...] = ()
    phrases: tuple[RankedPhrase, ...] = ()

    def moved(self, by_s: float) -> "DecodeResult":
        """The same result with times `by_s` later."""
        said = self.transcript
        words, characters = moved(said.words, by_s), moved(said.characters, by_s)
        return replace(self, transcript=replace(said, words=words, characters=characters))


def join_results(results: Sequence[DecodeResult], alphabet: Alphabet) -> DecodeResult:
    """The results of a recording's segments as one; of the same decoder, without phrases.

    Args:
        results: of each segment, at least one, with times in the recording, in seconds.
        alphabet: of their posteriors.
    """
    hypotheses: Sequence[Hypothesis] = ()
    for more in (result.hypotheses for result in results if result.hypotheses):
        n_best = max(len(more), len(hypotheses))
        hypotheses = joined(hypotheses, more, alphabet, n_best) if hypotheses else more
    transcript = joined_transcripts(result.transcript for result in results)
    return DecodeResult(results[0].decoder, transcript, tuple(hypotheses))


@dataclass(frozen=True)
class Decoder:
    """What decoders need besides posteriors. Shared between threads.

    Attributes:
        language_model: for beam search; None if there is none.
        calibration: of the model; None if there is none.
        pronunciations: of the language model's words, by which texts are rescored where a
            calibration knows the phonemes' priors; None if there are none.
        beam: options of a beam search that suit the model.
    """

    alphabet: Alphabet
    language_model: LanguageModel | None = None
    calibration: Calibration | None = None
    pronunciations: Pronunciations | None = None
    beam: BeamOptions = BeamOptions()

    def decode(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        """Decode one recording as `options` say.

        Raises:
            OptionsError: if options contradict each other.
            TextError: if phrases or hot words can't be written or can't fit.
        """
        match kind := self.kind_of(options):
            case "phrases":
                options.refuse_beam_fields(kind)
                ranked = rank_phrases(posteriors, options.phrases, or_none=options.none_of_these)
                if ranked[0].phrase == NONE_OF_THESE:
                    nothing = Transcript("", None, (), ())
                    return DecodeResult("phrases", nothing, phrases=tuple(ranked))
                labels = self.alphabet.encode(self.alphabet.normalize(ranked[0].phrase))
                transcript = transcript_of_labels(labels, posteriors)
                return DecodeResult("phrases", transcript, phrases=tuple(ranked))
            case "greedy":
                options.refuse_beam_fields(kind)
                return DecodeResult("greedy", self._calibrated(greedy(posteriors), "greedy"))
            case "beam":
                informed = options.language_model and self.language_model is not None
                name: DecoderName = "beam + LM" if informed else "beam"
                plain = greedy(posteriors)
                if not plain.words:  # silence: a language model would find words in it
                    return DecodeResult(name, plain)
                pauses = with_certain_pauses(posteriors)
                found = tuple(self._beam_decoder(options).decode(pauses))
                transcript = self._calibrated(found[0].align(pauses), name)
                return DecodeResult(name, transcript, found)

    def kind_of(self, options: DecodingOptions) -> DecoderKind:
        """What decodes when `options` are asked for. Greedy takes next to no time."""
        if options.phrases:
            return "phrases"
        if options.none_of_these:
            raise OptionsError("none_of_these: expected a list of phrases to go with it, got none")
        wants_beam = self.language_model or options.of_beam
        return options.decoder or ("beam" if wants_beam else "greedy")

    def _beam_decoder(self, options: DecodingOptions) -> BeamDecoder:
        """Of the model's options and what a caller chose otherwise.

        Without a language model the posteriors count as they are: neither scaled nor rescored, and
        with no bonus for words, which is against the language model's love of few of them.
        """
        informed = self.language_model is not None and options.language_model
        own = self.beam
        if not informed:
            own = replace(own, acoustic_scale=1.0, prior_scale=0.0, word_bonus=0.0)
        names = ("beam_width", "lm_weight", "word_bonus", "n_best")
        chosen = {name: value for name in names if (value := getattr(options, name)) is not None}
        try:
            hot = hotwords(options.hotwords, self.alphabet) if options.hotwords else None
            beam = replace(own, **chosen)
        except SpecError as error:
            raise OptionsError(str(error)) from error
        if not informed:
            return BeamDecoder(self.alphabet, beam, hot=hot)
        known, rescorer = self.calibration, None
        if self.pronunciations is not None and known is not None and known.phoneme_priors:
            rescorer = PhonemeRescorer(
                self.pronunciations, known.phoneme_priors, beam.acoustic_scale, beam.prior_scale
            )
        return BeamDecoder(
            self.alphabet,
            beam,
            self.language_model,
            hot,
            priors=known.priors if known is not None else None,
            rescorer=rescorer,
        )

    def _calibrated(self, transcript: Transcript, decoder: str) -> Transcript:
        return self.calibration.apply(transcript, decoder) if self.calibration else transcript


def open_decoder(
    spec: ModelSpec, exact_sha256: str, model_path: Path, lm_path: Path | None
) -> Decoder:
    """Load what lies beside the model.

    Args:
        spec: the model's.
        exact_sha256: of the model file, or of the exact one that it is an 8-bit form of.
        model_path: calibration.json and decoding.json are looked for beside it.
        lm_path: of the language model; by default lm.npz beside the model, if it is there. The
            pronunciations are looked for beside it.

    Raises:
        ModelFileError: naming the file that can't be used, or that is made for other models.
    """
    path = lm_path or model_path.with_name("lm.npz")
    language_model = pronunciations = None
    if lm_path is not None or path.is_file():
        language_model = _language_model(path, spec)
    entries = path.with_name(FILE_NAME)
    if language_model is not None and spec.phonemes is not None and entries.is_file():
        pronunciations = Pronunciations(read_entries(entries, spec.phonemes), spec.phonemes)
    decoding = read_sidecar(model_path.with_name("decoding.json"), exact_sha256, ModelDecoding)
    return Decoder(
        spec.alphabet,
        language_model,
        _calibration(model_path.with_name("calibration.json"), exact_sha256, spec),
        pronunciations,
        decoding.beam if decoding is not None else BeamOptions(),
    )


def _language_model(path: Path, spec: ModelSpec) -> LanguageModel:
    """The language model in a file, if it is of the acoustic model's language and alphabet."""
    ngrams = NgramModel.load(path)
    problem = ""
    if spec.language and ngrams.language and spec.language != ngrams.language:
        problem = f"texts in {spec.language!r}, got one of {ngrams.language!r}"
    elif ngrams.symbols and set(ngrams.symbols) != set(spec.alphabet.symbols):
        problem = f"the symbols {spec.alphabet.joined!r}, got {ngrams.symbols!r}"
    elif not ngrams.symbols and ngrams.size >= _ENOUGH_WORDS:
        letters = {symbol for symbol in spec.alphabet.symbols if symbol.isalpha()}
        if unused := sorted(letters - set(ngrams.text)):
            problem = f"words with all letters, got {ngrams.size} without {' '.join(unused)}"
    if problem:
        raise ModelFileError(
            f"{path}: expected a language model for the model {spec.name!r}, of {problem}: make "
            "its own with python -m training lm --model, or take the file away"
        )
    return LanguageModel(ngrams, spec.alphabet)


def _calibration(path: Path, exact_sha256: str, spec: ModelSpec) -> Calibration | None:
    """What calibration.json says of the model, if it fits its classes."""
    calibration = read_sidecar(path, exact_sha256, Calibration)
    if calibration is None:
        return None
    phonemes = spec.phonemes.size if spec.phonemes is not None else 0
    found = len(calibration.priors), len(calibration.phoneme_priors)
    if found[0] != spec.alphabet.size or (phonemes and found[1] not in (0, phonemes)):
        raise ModelFileError(
            f"{path}: expected {spec.alphabet.size} priors and {phonemes} of phonemes, got {found}"
        )
    return calibration
