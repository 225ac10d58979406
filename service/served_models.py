"""The served models, each with its decode workers and its writer."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from otoscope import Recognizer
from otoscope.audio import DecodeProcesses
from otoscope.decoding.decoder import open_decoder
from otoscope.errors import ModelFileError
from otoscope.schemas import ModelName
from otoscope.written.writer import Writer, open_writer
from service.errors import FormError, StartError
from service.inference.decode_workers import DecodeWorkers
from service.inference.recognition import RecordingRecognizer
from service.inference.transcriber import Transcriber
from service.metrics import Metrics
from service.model_reports import ModelReports, read_reports
from service.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedModel:
    """One model, with its own workers, writer and reports.

    Attributes:
        path: of its file.
        name: the name that requests use, and the hash of the weights.
    """

    path: Path
    name: ModelName
    recording_recognizer: RecordingRecognizer
    decode_workers: DecodeWorkers
    writer: Writer
    reports: ModelReports

    @property
    def recognizer(self) -> Recognizer:
        """The model itself."""
        return self.recording_recognizer.recognizer

    @property
    def transcriber(self) -> Transcriber:
        """Files to text."""
        return Transcriber(self.recording_recognizer, self.decode_workers, self.writer)


class ServedModels:
    """All served models; the first is the default."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        """StartError if two are the same, or have the same name."""
        self._models = _by_name(models)
        weights = {model.name.sha256 for model in models}
        if min(len(self._models), len(weights)) < len(models):
            paths = ", ".join(str(model.path) for model in models)
            raise StartError(
                "OTOSCOPE_MODELS: expected models of different names, or in folders of different "
                f"names, each once, got {paths}"
            )
        self.default = next(iter(self))

    def __iter__(self) -> Iterator[ServedModel]:
        """The default first."""
        return iter(self._models.values())

    @property
    def names(self) -> tuple[str, ...]:
        """The names that requests use."""
        return tuple(self._models)

    def find(self, name: str) -> ServedModel | None:
        """The one of this name."""
        return self._models.get(name)

    def choose(self, name: str | None) -> ServedModel:
        """The model of a request; FormError if there is none of this name."""
        if name is None:
            return self.default
        if (model := self.find(name)) is None:
            known = " or ".join(map(repr, self.names))
            raise FormError(f"model: expected {known}, got {name!r:.200}", "model")
        return model

    def of_weights(self, sha256: str) -> ServedModel | None:
        """The model with this file hash."""
        return next((model for model in self if model.name.sha256 == sha256), None)


def _by_name(models: Sequence[ServedModel]) -> dict[str, ServedModel]:
    """Each by its own name, or by its folder's if an earlier model has the same."""
    named: dict[str, ServedModel] = {}
    for model in models:
        own = model.name.name
        name = model.path.absolute().parent.name if own in named else own
        named[name] = replace(model, name=model.name.model_copy(update={"name": name}))
    return named


def _load(path: Path, settings: Settings) -> Recognizer:
    try:
        return Recognizer(path)
    except ModelFileError as error:
        variable = "OTOSCOPE_MODEL_PATH" if path == settings.model_path else "OTOSCOPE_MODELS"
        raise StartError(f"{variable}: {error}") from error


@contextmanager
def open_model(
    path: Path,
    lm_path: Path | None,
    settings: Settings,
    metrics: Metrics,
    *,
    threads: Executor,
    processes: DecodeProcesses,
) -> Iterator[ServedModel]:
    """Load a model, and what lies beside it; end its decode workers in the end.

    Args:
        path: of the model file.
        lm_path: of its language model; by default lm.npz beside it.
        settings: limits.
        metrics: counts what is done.
        threads: they run the graph.
        processes: they decode files.

    Raises:
        StartError: naming what has to change.
    """
    logger.info("loading model %s", path)
    try:
        recognizer = _load(path, settings)
        decoder = open_decoder(recognizer.spec, recognizer.exact_sha256, path, lm_path)
        writer = open_writer(recognizer.spec, path, lm_path, partial(metrics.stage, "written"))
    except ModelFileError as error:
        raise StartError(str(error)) from error
    recording_recognizer = RecordingRecognizer(
        recognizer, threads, settings.max_duration_s, metrics.add_recording, processes
    )
    workers = DecodeWorkers(
        decoder,
        settings.decode_workers,
        partial(metrics.stage, "text"),
        partial(metrics.add_wait, "search"),
    )
    reports = read_reports(path, recognizer.sha256, recognizer.exact_sha256)
    name = ModelName(name=recognizer.spec.name, sha256=recognizer.sha256)
    with closing(workers):
        yield ServedModel(path, name, recording_recognizer, workers, writer, reports)
