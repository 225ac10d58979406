"""A file's bytes -> what was said: the library's steps in order, for one recording."""

from dataclasses import dataclass

from otoscope import Posteriors, Recognizer, Transcript, greedy, load


@dataclass(frozen=True)
class Recognition:
    """All there is to know about one recording.

    Attributes:
        warnings: what there was to say about reading the file.
    """

    posteriors: Posteriors
    transcript: Transcript
    warnings: tuple[str, ...]


class Transcriber:
    """Decode, recognise, write down. Safe to call from several threads."""

    def __init__(self, recognizer: Recognizer, max_duration_s: float) -> None:
        self.recognizer = recognizer
        self._max_duration_s = max_duration_s

    def transcribe(self, data: bytes) -> Recognition:
        """Transcribe a file.

        Raises:
            AudioError: if the bytes can't be used, with what was expected and what came.
        """
        features = self.recognizer.spec.features
        waveform = load(
            data,
            features.sample_rate_hz,
            max_duration_s=self._max_duration_s,
            min_samples=features.window_samples,
        )
        [posteriors] = self.recognizer.posteriors([waveform.samples])
        return Recognition(posteriors, greedy(posteriors), waveform.warnings)
