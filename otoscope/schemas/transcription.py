"""JSON documents about what was said: of the service, its client and the command."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from otoscope.decoding.options import DecoderName
from otoscope.schemas.base import Answer, ModelName, Score, TimeS
from otoscope.schemas.matrices import ProbsAnswer


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


class WrittenTokenAnswer(Answer):
    """A part of a written text: a word, a number, a time of day."""

    text: str = Field(description="With the punctuation after it.", examples=["1984."])
    mark: Literal["", ",", ".", "?", "!"] = Field(
        description="That punctuation. A sentence ends with a full stop, a question mark or an "
        "exclamation mark.",
        examples=["."],
    )
    start_word: int = Field(
        description="The first of the words that it stands for, by its place in `words`, from 0.",
        examples=[0],
    )
    end_word: int = Field(description="The first word after them.", examples=[3])


_Written: TypeAlias = Annotated[
    str | None,
    Field(
        description="The text with capitals, punctuation and numbers. Null with style=verbatim, "
        "for a model without a punctuation model, for phrases of a closed list, and of several "
        "channels or tracks, each of which has its own.",
        examples=["Hello world."],
    ),
]
_WrittenTokens: TypeAlias = Annotated[
    list[WrittenTokenAnswer],
    Field(
        description="What it is made of, with a space between: which of `words` each part stands "
        "for. Each word belongs to one part. Empty where `written` is null or `words` is empty.",
        examples=[
            [
                {"text": "Hello", "mark": "", "start_word": 0, "end_word": 1},
                {"text": "world.", "mark": ".", "start_word": 1, "end_word": 2},
            ]
        ],
    ),
]


class SoundAnswer(Answer):
    """What was said on one channel or track of a recording."""

    id: str | None = Field(
        description="Fetches its own transcription, GET /transcriptions/{id}, and its posteriors. "
        "Null if nothing is kept.",
        examples=["8f2c1d7e5b3a49608d1f0e2c4b6a7981"],
    )
    text: str = Field(
        description="As it was heard. Empty where nothing was said.", examples=["hello world"]
    )
    written: _Written = None
    confidence: Score | None = Field(
        description="As that of a recording of this alone.", examples=[0.91]
    )
    words: list[SpelledWordAnswer] = Field(description="Empty with timestamps=none.")
    written_tokens: _WrittenTokens = Field(default=[])


class ChannelAnswer(SoundAnswer):
    """What was said on one channel of a recording."""

    channel: int = Field(description="Its number, from 1.", examples=[1])


class TrackAnswer(SoundAnswer):
    """What was said on one track of a recording."""

    track: int = Field(description="Its number, from 1.", examples=[1])


class SegmentAnswer(Answer):
    """Words that a subtitle shows together: until a pause, or as many as fit."""

    start_s: float = Field(description="When the subtitle appears, in seconds.", examples=[0.34])
    end_s: float = Field(description="When it disappears, in seconds.", examples=[1.34])
    text: str = Field(description="Its words.", examples=["hello world"])


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

    text: str = Field(
        description="As it was heard. Empty where nothing was said.", examples=["hello world"]
    )
    written: _Written = None
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
    written_tokens: _WrittenTokens = Field(default=[])
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
        description="The text as subtitles divide it, written unless style=verbatim; there with "
        "response_format=verbose_json.",
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
