"""A service that listens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from otoscope.cli.backend import Output, Recording
from otoscope.client import Client, ClientError, ProblemError, RetryPolicy
from otoscope.decoding.options import DecodingOptions
from otoscope.errors import OptionsError
from otoscope.formats import MatrixFormat
from otoscope.formats.posteriors import Selection
from otoscope.posteriors import FrameClock, Posteriors
from otoscope.recognizer import Recognition
from otoscope.schemas import AlignmentAnswer, Transcription
from otoscope.strict import dump
from otoscope.vocabulary import Alphabet

_WRONG_OPTIONS = ("urn:otoscope:problem:form", "urn:otoscope:problem:query")


class ServiceBackend:
    """See `Backend`. What is asked for is JSON; other formats are written here."""

    def __init__(self, client: Client) -> None:
        """Ask the service for its model, so that it is known to be there and to let us in.

        Raises:
            ClientError: if it is not, or does not.
        """
        self._client = client
        self._model = client.model()

    @classmethod
    @contextmanager
    def at(cls, address: str, api_key: str | None, retries: int) -> Iterator["ServiceBackend"]:
        """The service at an address; ClientError if there is none."""
        with Client(address, api_key=api_key, retry=RetryPolicy(retries)) as client:
            yield cls(client)

    def transcribe(self, recording: Recording, options: DecodingOptions) -> Transcription:
        """The service keeps the result for a while, for those who use its id."""
        with _wrong_options():
            return self._client.transcribe(
                recording,
                response_format="verbose_json",
                decoder=options.decoder,
                language_model=options.language_model,
                beam_width=options.beam_width,
                lm_weight=options.lm_weight,
                word_bonus=options.word_bonus,
                n_best=options.n_best,
                hotwords=options.hotwords or None,
                phrases=options.phrases or None,
            )

    def align(self, recording: Recording, text: str) -> AlignmentAnswer:
        """POST /align."""
        return self._client.align(recording, text)

    def recognize(self, recording: Recording) -> Recognition:
        """By way of a transcription, which is deleted again."""
        answer = self._client.transcribe(recording, decoder="greedy")
        if answer.id is None:
            raise ClientError(f"the service has no features to give: {'; '.join(answer.warnings)}")
        try:
            posteriors = self._posteriors(answer.id, answer.duration_s)
            return Recognition(posteriors, self._client.features(answer.id))
        finally:
            self._client.delete(answer.id)

    def probs(self, recording: Recording, form: MatrixFormat, selection: Selection) -> Output:
        """POST /probs."""
        with _wrong_options():
            body = self._client.write_probs(
                recording,
                form,
                unit=selection.unit,
                from_s=selection.from_s,
                to_s=selection.to_s,
            )
        return Output(body + b"\n" if form == "json" else body)

    def facts(self) -> dict[str, Any]:
        """GET /model, without the reports."""
        model = self._model
        return {
            **model.model_dump(exclude={"spec", "evaluation", "parity"}),
            "spec": dump(model.spec),
        }

    def _posteriors(self, result_id: str, duration_s: float) -> Posteriors:
        """Of characters; natural logarithms of what the service sends."""
        sent = self._client.probs(result_id)
        with np.errstate(divide="ignore"):  # log 0 is -inf, which is meant
            log_probs = np.log(sent.probs)
        clock = FrameClock(sent.frame_s, duration_s)
        return Posteriors(log_probs, Alphabet(sent.symbols[:-1]), clock)


@contextmanager
def _wrong_options() -> Iterator[None]:
    """Options that no recording can be read with are told from recordings that can't be read."""
    try:
        yield
    except ProblemError as error:
        if error.problem.type in _WRONG_OPTIONS:
            raise OptionsError(error.detail) from error
        raise
