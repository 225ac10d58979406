"""How this service is run: frozen, read once at the start from variables that begin OTOSCOPE_.

Operations only. What the model is (features, alphabet, blank) travels inside the model file, and no
variable can change it.
"""

import logging
import os
import re
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from redis.connection import parse_url

from otoscope.cpus import available
from otoscope.errors import ModelFileError
from otoscope.model_folders import find_model
from otoscope.strict_json import describe
from service.errors import StartError
from service.secret_files import read_secret_files

PREFIX = "OTOSCOPE_"
SECRETS = ("api_keys", "store_password")
"""Settings that a file may hold, which a variable ending in _FILE names; no error shows them."""

_REMOVED = ("BATCH_SIZE", "BATCH_WAIT_MS")

_HIDDEN = (*SECRETS, "store")  # a URL may hold a password
_REPOSITORY = Path(__file__).resolve().parents[1]
_KEY = re.compile(r"[!-~]+")
_HOST = re.compile(r"\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9a-fA-F:]+")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s]+")

logger = logging.getLogger(__name__)

ItemT = TypeVar("ItemT")


def _find(path: Path) -> Path:
    """A relative path is looked for in the working directory, then in the repository."""
    in_repository = _REPOSITORY / path
    return in_repository if not path.exists() and in_repository.exists() else path


def _find_model(named: Path) -> Path:
    try:
        return find_model(named)
    except ModelFileError as error:
        raise ValueError(str(error)) from error


def _private_directory() -> Path:
    """Each user's own, which may not exist yet; StartError if it belongs to somebody else."""
    user = getattr(os, "getuid", lambda: 0)()  # Windows has a temporary directory per user anyway
    directory = Path(tempfile.gettempdir()) / f"otoscope-{user}"
    if directory.is_symlink() or (directory.exists() and directory.stat().st_uid != user):
        raise StartError(
            f"{PREFIX}STORE_PATH: expected {directory} to be this user's, got somebody else's; "
            "name another file"
        )
    return directory


def _split(value: object) -> object:
    """Text with commas or line breaks -> its parts; other values stay as they are."""
    if not isinstance(value, str):
        return value
    return [part.strip() for part in value.replace("\n", ",").split(",")]


_List = Annotated[tuple[ItemT, ...], NoDecode, BeforeValidator(_split)]
"""Values in one variable, with commas or line breaks between them."""


def _check_key(key: SecretStr) -> SecretStr:
    if not _KEY.fullmatch(key.get_secret_value()):
        raise ValueError("expected keys of visible ASCII characters with commas between them")
    return key


def _check_origin(origin: str) -> str:
    if not _ORIGIN.fullmatch(origin):
        raise ValueError("expected * or scheme://host[:port] without a path")
    return origin


def _check_host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise ValueError("expected *, names or *.names, without ports")
    return host.lower()


def _check_store(store: SecretStr) -> SecretStr:
    if store.get_secret_value() != "sqlite":
        try:
            parse_url(store.get_secret_value())  # type: ignore[no-untyped-call]
        except ValueError:
            raise ValueError(
                "expected sqlite, redis://[user:password@]host[:port][/database], or the same "
                "with rediss:// (TLS) or unix://"
            ) from None
    return store


class Settings(BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,  # an error must not show a key; load_settings shows the others
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto",
        description="json, or console for people; auto is console on a terminal, else json.",
    )
    api_keys: _List[Annotated[SecretStr, AfterValidator(_check_key)]] = Field(
        default_factory=tuple,
        description="Keys with commas between them: requests need one of them; by default none.",
    )
    cors_origins: _List[Annotated[str, AfterValidator(_check_origin)]] = Field(
        default_factory=tuple,
        description="Origins, with commas between them, whose pages may call this service from a "
        "browser, such as https://example.org; * is all; by default none.",
    )
    hosts: _List[Annotated[str, AfterValidator(_check_host)]] = Field(
        default_factory=tuple,
        description="Names, with commas between them, under which this service is reached, such as "
        "speech.example.org or *.example.org; requests for others are refused with 421, so that no "
        "web page reaches it under a name of its own; * is all; addresses always do. By default "
        "localhost and HOST.",
    )
    model_path: Annotated[Path, AfterValidator(_find_model)] = Field(
        default=Path("models/english/model.int8.onnx"),
        validate_default=True,
        description="The model: its file, its folder, or the folder's name in models/; from the "
        "working directory or else from the repository.",
    )
    lm_path: Annotated[Path, AfterValidator(_find)] | None = Field(
        default=None,
        description="The language model for beam search; by default lm.npz beside the model, if it "
        "is there. punctuation.onnx is looked for beside the model, then beside this.",
    )
    models: _List[Annotated[Path, AfterValidator(_find_model)]] = Field(
        default_factory=tuple,
        description="Further models, named as MODEL_PATH's is, separated by commas, each with the "
        "files in its folder: `model=` in a request selects one. By default none.",
    )
    inference_threads: int = Field(
        default_factory=available,
        ge=1,
        description="Threads that run the model in each process; by default one for each processor "
        "that this process may use.",
    )
    search_processes: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Decode workers: processes beside each server process that search for texts "
        "and take about 110 MB each; with 0 the server process does it itself. By default as many "
        "as inference threads, 0 on a single processor; several server processes (`--workers`) "
        "share the processors out.",
    )
    queue_size: int = Field(
        default=64,
        ge=0,
        description="Recordings taken on at a time besides one for each thread; the next is "
        "refused with 503.",
    )
    max_streams: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Live streams at a time in each process; the next is closed with 1013. By "
        "default four for each inference thread; 0 allows none.",
    )
    stream_idle_s: float = Field(
        default=60.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest, in seconds, that a live stream may bring no audio before it is "
        "closed. It ends in any case after MAX_DURATION_S of audio, or of waiting for audio.",
    )
    max_request_s: float = Field(
        default=600.0,
        gt=0,
        description="Longest that a request may take before its work is dropped with 503, in "
        "seconds.",
    )
    max_upload_bytes: int = Field(
        default=256 * 2**20, ge=1, description="Largest request body, counted as it arrives."
    )
    max_upload_pause_s: float = Field(
        default=30.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest pause, in seconds, while a request's body arrives.",
    )
    max_sending_bytes: int = Field(
        default=128 * 2**20,
        ge=1,
        description="Bytes of large answers that wait for their clients to read them, together; "
        "the next one is refused with 503, unless it is the only one.",
    )
    max_duration_s: float = Field(
        default=7200.0, gt=0, allow_inf_nan=False, description="Longest recording, in seconds."
    )
    store: Annotated[SecretStr, AfterValidator(_check_store)] = Field(
        default=SecretStr("sqlite"),
        description="Where results are kept: sqlite, for the processes of one machine, or "
        "redis://host:port/database (rediss:// with TLS), for any number of machines; by default "
        "sqlite.",
    )
    store_password: SecretStr | None = Field(
        default=None, description="The Redis server's password, instead of one in its URL."
    )
    store_path: Path | None = Field(
        default=None,
        description="SQLite file for posteriors and features, in a writable directory, shared by "
        "all processes; by default in the system's temporary directory.",
    )
    store_max_bytes: int = Field(
        default=2**30,
        ge=1,
        description="Room for posteriors and features; beyond it the oldest go first.",
    )
    result_max_bytes: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="Limit of one result: a larger one is not stored, and its text is returned "
        "without an id. By default STORE_MAX_BYTES.",
    )
    result_ttl_s: float = Field(
        default=3600.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds that posteriors and features can be fetched.",
    )

    @property
    def decode_workers(self) -> int:
        """How many; by default, on a single CPU, none: they would gain nothing."""
        if self.search_processes is not None:
            return self.search_processes
        return self.inference_threads if available() > 1 else 0

    @property
    def streams(self) -> int:
        """How many at a time."""
        return 4 * self.inference_threads if self.max_streams is None else self.max_streams

    @property
    def served_hosts(self) -> frozenset[str]:
        """Names under which requests are answered."""
        return frozenset(self.hosts or ("localhost", self.host.lower()))

    @property
    def directory(self) -> Path:
        """For files that are kept: that of `store_path`, by default a private one."""
        return self.store_path.parent if self.store_path else _private_directory()

    @property
    def redis_url(self) -> str | None:
        """The Redis server's; None if SQLite is the store. It may hold a password."""
        url = self.store.get_secret_value()
        return None if url == "sqlite" else url


def warn_of_removed() -> None:
    """Log which variables of an older release are set and have no effect any more."""
    for name in _REMOVED:
        if os.environ.get(f"{PREFIX}{name}"):
            logger.warning("%s%s has no effect any more: see CHANGELOG.md", PREFIX, name)


def load_settings() -> Settings:
    """Read the environment, and the files that it names.

    Raises:
        StartError: naming each wrong variable, what was expected and what came.
    """
    try:
        return Settings(**read_secret_files(PREFIX, SECRETS))
    except ValidationError as error:
        lines = describe(
            error.errors(), lambda path: f"{PREFIX}{str(path[0]).upper()}", _expected_and_got
        )
        raise StartError("; ".join(lines)) from None


def _expected_and_got(problem: Any) -> str:  # noqa: ANN401 - one of pydantic's ErrorDetails
    hidden = problem["loc"][0] in _HIDDEN
    return f"{problem['msg']}, got {'what is not shown' if hidden else repr(problem['input'])}"
