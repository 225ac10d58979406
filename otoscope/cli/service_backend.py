"""A running service."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from otoscope.cli.backend import Output
from otoscope.client import Client, ClientError, ProblemError, RetryPolicy
from otoscope.clock import FrameClock
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OptionsError
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import ViewOptions
from otoscope.local_model import Recording
from otoscope.posteriors import Posteriors
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, Transcription
from otoscope.schemas.streaming import SaidMessage
from otoscope.strict_json import dump
from otoscope.transcript import Style
from otoscope.vocabulary import Alphabet

_WRONG_OPTIONS = ("urn:otoscope:problem:form", "urn:otoscope:problem:query")


class ServiceBackend:
    """A backend that gets JSON from a service; other formats are written here."""

    def __init__(self, client: Client) -> None:
        """Ask the service for its model, which shows that it runs and accepts the key.

        Raises:
            ClientError: if it does not.
        """
        self._client = client
        self._model = client.model()

    @classmethod
    @contextmanager
    def at(cls, address: str, api_key: str | None, retries: int) -> Iterator["ServiceBackend"]:
        """The service at an address; ClientError if there is none."""
        with Client(address, api_key=api_key, retry=RetryPolicy(retries)) as client:
            yield cls(client)

    def transcribe(
        self, recording: Recording, options: DecodingOptions, style: Style | None
    ) -> Transcription:
        with _wrong_options():
            return self._client.transcribe(
                recording, response_format="verbose_json", style=style, **options.model_dump()
            )

    def listen(
        self,
        pieces: Iterable[bytes],
        sample_rate_hz: int,
        options: DecodingOptions,
        style: Style | None,
    ) -> Iterator[SaidMessage]:
        with _wrong_options():
            yield from self._client.stream(
                pieces,
                encoding="s16le",
                sample_rate_hz=sample_rate_hz,
                style=style,
                decoder=options.decoder,
                language_model=options.language_model,
                beam_width=options.beam_width,
                lm_weight=options.lm_weight,
                word_bonus=options.word_bonus,
                hotwords=options.hotwords,
            )

    def align(self, recording: Recording, text: str) -> AlignmentAnswer:
        return self._client.align(recording, text)

    def recognize(self, recording: Recording) -> Recognition:
        # By way of a transcription, which is deleted again.
        result = self._client.transcribe(recording, decoder="greedy")
        if result.id is None:
            raise ClientError(f"the service kept no features: {'; '.join(result.warnings)}")
        try:
            posteriors = self._posteriors(result.id, result.duration_s)
            features = self._client.features(result.id)
            return Recognition(posteriors, features, tuple(result.warnings))
        finally:
            self._client.delete(result.id)

    def probs(self, recording: Recording, form: MatrixFormat, selection: ViewOptions) -> Output:
        with _wrong_options():
            part = selection.model_dump(include={"unit", "from_s", "to_s"})
            file = self._client.write_probs(recording, form, **part)
        body = file.body + b"\n" if form == "json" else file.body
        return Output(body, warnings=file.warnings)

    def facts(self) -> dict[str, Any]:
        model = self._model
        return {
            **model.model_dump(exclude={"spec", "evaluation", "parity"}),
            "spec": dump(model.spec),
        }

    def _posteriors(self, result_id: str, duration_s: float) -> Posteriors:
        """Of characters."""
        sent = self._client.probs(result_id)
        with np.errstate(divide="ignore"):  # log 0 is -inf, which is meant
            log_probs = np.log(sent.probs)
        clock = FrameClock(sent.frame_s, duration_s)
        return Posteriors(log_probs, Alphabet(sent.symbols[:-1]), clock)


@contextmanager
def _wrong_options() -> Iterator[None]:
    """Tell options that are wrong for every recording from recordings that can't be read."""
    try:
        yield
    except ProblemError as error:
        if error.problem.type in _WRONG_OPTIONS:
            raise OptionsError(error.detail) from error
        raise
