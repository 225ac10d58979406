"""Posteriors -> texts, by the decoder that a caller asks for, with what lies beside the model."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from otoscope.calibration import Calibration, read_calibration
from otoscope.decoding.beam_decoder import BeamDecoder, BeamOptions, Hypothesis
from otoscope.decoding.greedy import greedy
from otoscope.decoding.hotwords import hotwords
from otoscope.decoding.ngram import NgramModel
from otoscope.decoding.options import DecoderName, DecodingOptions
from otoscope.decoding.phrases import RankedPhrase, rank_phrases, transcript_of_phrase
from otoscope.decoding.rescoring import PhonemeRescorer, open_rescorer
from otoscope.decoding.scorers import LanguageModel
from otoscope.errors import OptionsError, SpecError
from otoscope.posteriors import Posteriors
from otoscope.spec import ModelSpec
from otoscope.transcript import Transcript
from otoscope.vocabulary import Alphabet

logger = logging.getLogger(__name__)

Reader = Literal["phrases", "beam", "greedy"]


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


@dataclass(frozen=True)
class Decoder:
    """What decoders need besides posteriors. Shared between threads.

    Attributes:
        language_model: for beam search; None if none is there.
        calibration: of the model that is served; None if none is there.
        rescorer: of phonemes, for texts that the language model has part in; None if there is none.
    """

    alphabet: Alphabet
    language_model: LanguageModel | None
    calibration: Calibration | None
    rescorer: PhonemeRescorer | None = None

    def decode(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        """Read posteriors as `options` say.

        Raises:
            OptionsError: if options contradict each other.
            TextError: if phrases or hot words can't be written or can't fit.
        """
        match self.kind_of(options):
            case "phrases":
                options.refuse_beam_fields("phrases")
                ranked = rank_phrases(posteriors, options.phrases)
                transcript = transcript_of_phrase(posteriors, ranked[0].phrase)
                return DecodeResult("phrases", transcript, phrases=tuple(ranked))
            case "beam":
                reader = self if options.language_model else replace(self, language_model=None)
                return reader._beam(posteriors, options)
            case "greedy":
                options.refuse_beam_fields("greedy")
                return DecodeResult("greedy", self._calibrated(greedy(posteriors), "greedy"))

    def kind_of(self, options: DecodingOptions) -> Reader:
        """What reads posteriors when `options` are asked for. Greedy takes next to no time."""
        if options.phrases:
            return "phrases"
        wants_beam = self.language_model or options.of_beam
        return options.decoder or ("beam" if wants_beam else "greedy")

    def _beam(self, posteriors: Posteriors, options: DecodingOptions) -> DecodeResult:
        informed = self.language_model is not None
        name: DecoderName = "beam + LM" if informed else "beam"
        plain = greedy(posteriors)
        if not plain.words:  # blank at every frame: of silence, a language model dreams words
            return DecodeResult(name, plain)
        try:
            decoder = BeamDecoder(
                self.alphabet,
                self._search(options),
                self.language_model,
                hotwords(options.hotwords, self.alphabet) if options.hotwords else None,
                priors=self.calibration.priors if self.calibration and informed else None,
                rescorer=self.rescorer if informed else None,
            )
        except SpecError as error:
            raise OptionsError(str(error)) from error
        found = tuple(decoder.decode(posteriors))
        return DecodeResult(name, self._calibrated(found[0].transcript, name), found)

    def _search(self, options: DecodingOptions) -> BeamOptions:
        """The library's defaults, and what a caller says otherwise."""
        chosen = {
            name: value
            for name in ("beam_width", "lm_weight", "word_bonus", "n_best")
            if (value := getattr(options, name)) is not None
        }
        if self.language_model is None:
            chosen |= {"acoustic_scale": 1.0, "prior_scale": 0.0}
        return BeamOptions(**chosen)

    def _calibrated(self, transcript: Transcript, decoder: str) -> Transcript:
        return self.calibration.apply(transcript, decoder) if self.calibration else transcript


def open_decoder(
    spec: ModelSpec, exact_sha256: str, model_path: Path, lm_path: Path | None
) -> Decoder:
    """Load what lies beside the model.

    Args:
        spec: the model's.
        exact_sha256: of the model file, or of the exact one that it is an 8-bit form of.
        model_path: calibration.json is looked for beside it.
        lm_path: of the language model; by default lm.npz beside the model, if it is there.

    Raises:
        ModelFileError: naming the file that can't be used.
    """
    path = lm_path or model_path.with_name("lm.npz")
    model = None
    if lm_path is not None or path.is_file():
        model = LanguageModel(NgramModel.load(path), spec.alphabet)
    calibration = _calibration(model_path.with_name("calibration.json"), exact_sha256)
    rescorer = None
    if calibration is not None:
        options = BeamOptions()
        rescorer = open_rescorer(
            path.parent,
            spec.phonemes,
            calibration.phoneme_priors,
            options.acoustic_scale,
            options.prior_scale,
        )
    return Decoder(spec.alphabet, model, calibration, rescorer)


def _calibration(path: Path, sha256: str) -> Calibration | None:
    if not path.is_file():
        return None
    calibration = read_calibration(path)
    if calibration.model_sha256 == sha256:
        return calibration
    logger.warning(
        "%s is not used: expected model_sha256 %s, got %s", path, sha256, calibration.model_sha256
    )
    return None
