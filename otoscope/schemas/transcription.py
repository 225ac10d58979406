"""JSON documents about a recording: of the service, its client and the command.

Times are to the millisecond, scores to four decimals.
"""

from functools import partial
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from otoscope.decoding.options import DecoderName
from otoscope.features import FeatureSpec
from otoscope.posteriors import Unit

TimeS: TypeAlias = Annotated[float, AfterValidator(partial(round, ndigits=3))]
Score: TypeAlias = Annotated[float, AfterValidator(partial(round, ndigits=4))]


class Answer(BaseModel):
    """Base of all responses: immutable, and made of results as well as of JSON.

    Fields that a later version adds are ignored on reading.
    """

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Problem(Answer):
    """An error, RFC 9457 (application/problem+json)."""

    type: str = Field(
        default="about:blank",
        description="Names the kind of error; about:blank where the status says it all.",
        examples=["urn:otoscope:problem:audio-too-short"],
    )
    title: str = Field(
        description="The kind of error in words.", examples=["The audio is too short"]
    )
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(
        description="What was expected and what came.",
        examples=["expected at least 400 samples at 16000 Hz (25 ms), got 1 (0.1 ms)"],
    )
    errors: list[str] | None = Field(
        default=None, description="Each wrong field, where there are several."
    )


class WordAnswer(Answer):
    """A word and when it was said."""

    word: str = Field(examples=["hello"])
    start_s: TimeS = Field(description="Seconds from the start of the recording.", examples=[0.34])
    end_s: TimeS = Field(description="Seconds from the start of the recording.", examples=[0.7])
    confidence: Score = Field(
        description="How probably the word is right, 0 to 1, where the model is calibrated; else "
        "the geometric mean of its characters' posteriors.",
        examples=[0.93],
    )


class CharacterAnswer(Answer):
    """A character and when the model showed it."""

    character: str = Field(examples=["h"])
    start_s: TimeS = Field(description="Seconds from the start of the recording.", examples=[0.34])
    end_s: TimeS = Field(description="Seconds from the start of the recording.", examples=[0.38])
    confidence: Score = Field(
        description="The highest posterior in its frames, 0 to 1.", examples=[0.93]
    )


class SpelledWordAnswer(WordAnswer):
    """A word of a transcription."""

    characters: list[CharacterAnswer] | None = Field(
        default=None, description="There with timestamps=char only."
    )


class ChannelAnswer(Answer):
    """What was said on one channel of a recording."""

    channel: int = Field(description="Its number, from 1.", examples=[1])
    id: str | None = Field(
        description="Fetches the channel's own transcription, GET /transcriptions/{id}, and its "
        "posteriors. Null if nothing is kept.",
        examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"],
    )
    text: str = Field(description="Empty where nothing was said.", examples=["hello world"])
    confidence: Score | None = Field(
        description="As that of a recording of this channel alone.", examples=[0.91]
    )
    words: list[SpelledWordAnswer] = Field(description="Empty with timestamps=none.")


class TrackAnswer(Answer):
    """What was said on one track of a recording."""

    track: int = Field(description="Its number, from 1.", examples=[1])
    id: str | None = Field(
        description="Fetches the track's own transcription, GET /transcriptions/{id}, and its "
        "posteriors. Null if nothing is kept.",
        examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"],
    )
    text: str = Field(description="Empty where nothing was said.", examples=["hello world"])
    confidence: Score | None = Field(
        description="As that of a recording of this track alone.", examples=[0.91]
    )
    words: list[SpelledWordAnswer] = Field(description="Empty with timestamps=none.")


class SegmentAnswer(Answer):
    """Words that a subtitle shows together: until a pause, or as many as fit."""

    start_s: float = Field(description="When the subtitle appears, in seconds.", examples=[0.34])
    end_s: float = Field(description="When it disappears, in seconds.", examples=[1.34])
    text: str = Field(description="Its words.", examples=["hello world"])


class ModelName(Answer):
    """The model that was used."""

    name: str = Field(examples=["english"])
    sha256: str = Field(
        description="Of the model file, hexadecimal.",
        examples=["e9cea9c2a9f6e0a1e5a5d9f3b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9"],
    )


class BlankProb(Answer):
    """The CTC blank's probability over the frames of the whole recording, to 6 decimals."""

    mean: float = Field(examples=[0.61])
    median: float = Field(examples=[0.93])
    min: float = Field(examples=[0.0])
    max: float = Field(examples=[0.999999])


class ProbsMatrix(Answer):
    """P(c | x_t): one row per frame, one column per symbol."""

    unit: Unit = Field(description="What the columns are: characters, or phonemes.")
    symbols: list[str] = Field(
        description="Names of the columns, in order; the CTC blank is the last unless the query "
        "chose columns.",
        examples=[["a", "b", "c", "<blank>"]],
    )
    frame_s: float = Field(
        description="Seconds between frames; row i is centred on start_s + i * frame_s.",
        examples=[0.04],
    )
    start_s: float = Field(
        description="The centre of the first row, in seconds; 0 unless from_s was given.",
        examples=[0.0],
    )
    shape: tuple[int, int] = Field(
        description="Of probs: frames, and symbols or top_k.", examples=[[250, 29]]
    )
    blank_share: float = Field(
        description="Share of all the recording's frames in which the blank is the likeliest.",
        examples=[0.61],
    )
    blank_prob: BlankProb
    entropy_nats: list[float] = Field(
        description="For each row the entropy of its distribution over all symbols (chosen or "
        "not), natural logarithm: 0 where the model is certain.",
        examples=[[0.06]],
    )
    indices: list[list[int]] | None = Field(
        default=None,
        description="With top_k only: for each row the places in symbols, from 0, of its top_k "
        "most probable ones, most probable first; probs has their probabilities.",
    )
    probs: list[list[float]] = Field(
        description="Probabilities to 6 decimals. A row of all symbols sums to 1 within 1e-4.",
        examples=[[[0.01, 0.0, 0.0, 0.99]]],
    )


class ProbsAnswer(ProbsMatrix):
    """The posteriors of a transcription."""

    id: str | None = Field(
        description="The transcription's id; null with probs=true if it could not be kept.",
        examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"],
    )


class FreshProbs(ProbsMatrix):
    """The posteriors of a file that came with the request."""

    warnings: list[str] = Field(
        description="Problems that did not prevent a result, such as a truncated file.",
        examples=[[]],
    )


class FeaturesAnswer(Answer):
    """The features: one row per frame, one column per bin, exactly as the model read them."""

    id: str = Field(
        description="The transcription's id.", examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"]
    )
    spec: FeatureSpec = Field(description="How the features were computed.")
    frame_s: float = Field(
        description="Seconds between frames; row i is centred on start_s + i * frame_s.",
        examples=[0.01],
    )
    start_s: float = Field(
        description="The centre of the first row, in seconds; 0 unless from_s was given.",
        examples=[0.0],
    )
    shape: tuple[int, int] = Field(description="Frames, bins.", examples=[[1000, 80]])
    features: list[list[float]] = Field(
        description="Written so that each number reads back as the same float32."
    )


class HypothesisAnswer(Answer):
    """A text that may have been said: score = acoustic + lm_weight * lm + bonus."""

    text: str = Field(examples=["hello world"])
    score: Score = Field(
        description="By which hypotheses are ranked, natural log.", examples=[-13.8262]
    )
    acoustic: Score = Field(
        description="How well the text agrees with the sound, natural log.", examples=[-3.8812]
    )
    lm: Score = Field(
        description="Log probability of its words; 0 without a language model.", examples=[-14.2071]
    )
    bonus: Score = Field(
        description="Word bonuses, penalties of unknown words, and boosts.", examples=[0.0]
    )


class PhraseAnswer(Answer):
    """One phrase of a closed list."""

    phrase: str = Field(description="As it was given; empty for none of them.", examples=["yes"])
    probability: float = Field(
        description="That it was this one of the list, 0 to 1.", examples=[0.98]
    )
    log_prob: Score | None = Field(
        description="Natural log P(phrase | sound); null if the recording is too short for it."
    )


class TranscriptAnswer(Answer):
    """What was said."""

    text: str = Field(description="Empty where nothing was said.", examples=["hello world"])
    duration_s: TimeS = Field(description="Length of the recording in seconds.", examples=[1.53])
    frame_s: float = Field(description="Seconds between the model's frames.", examples=[0.04])
    confidence: Score | None = Field(
        description="Mean of the words' confidences where the model is calibrated, else the "
        "geometric mean over all characters; null where there is no text. Of several channels "
        "or tracks their mean, weighted by their words.",
        examples=[0.91],
    )
    words: list[SpelledWordAnswer] = Field(
        description="Empty with timestamps=none. With channels=separate and track=all those of "
        "all channels or tracks, in order of their starts; they may overlap."
    )
    channels: list[ChannelAnswer] | None = Field(
        default=None,
        description="What was said on each channel; there with channels=separate only.",
    )
    tracks: list[TrackAnswer] | None = Field(
        default=None,
        description="What was said on each track that could be read; there with track=all only.",
    )
    segments: list[SegmentAnswer] | None = Field(
        default=None,
        description="The text as subtitles divide it; there with response_format=verbose_json.",
    )
    decoder: DecoderName = Field(description="What decoded the posteriors.")
    hypotheses: list[HypothesisAnswer] = Field(
        description="The n_best of a beam search, best first; empty for other decoders."
    )
    phrases: list[PhraseAnswer] = Field(
        description="The closed list, best first; empty where none was given."
    )
    model: ModelName
    warnings: list[str] = Field(
        description="Problems that did not prevent a result, such as a truncated file.",
        examples=[[]],
    )


class Kept(Answer):
    """What can be fetched again."""

    id: str | None = Field(
        description="Fetches this again, GET /transcriptions/{id}, and the posteriors, "
        "GET /probs?id=..., for anyone who knows it. Null if they could not be kept, which is in "
        "warnings, and with channels=separate and track=all, where each has its own.",
        examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"],
    )


class Transcription(TranscriptAnswer, Kept):
    """What was said in a recording that the service knows by an id."""

    probs: ProbsAnswer | None = Field(
        default=None, description="What GET /probs gives; there only if asked for with probs=true."
    )
