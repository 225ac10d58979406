"""How this service is run: frozen, built once at the edge, from variables that begin OTOSCOPE_.

Operations only. What the model is (features, alphabet, blank) travels inside the model file, and no
variable can change it.
"""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import StartError

PREFIX = "OTOSCOPE_"
_REPOSITORY = Path(__file__).resolve().parents[1]


def _find(path: Path) -> Path:
    """A relative path is looked for in the working directory, then beside this package."""
    beside = _REPOSITORY / path
    return beside if not path.exists() and beside.exists() else path


def _default_store_path() -> Path:
    """One directory per user: what people said is not for every account on the machine.

    Raises:
        StartError: if somebody else made that directory.
    """
    user = getattr(os, "getuid", lambda: 0)()  # Windows has a temporary directory per user anyway
    directory = Path(tempfile.gettempdir()) / f"otoscope-{user}"
    if directory.is_symlink() or (directory.exists() and directory.stat().st_uid != user):
        raise StartError(
            f"{PREFIX}STORE_PATH: expected {directory} to be this user's, got somebody else's; "
            "name another file"
        )
    return directory / "results.sqlite3"


class Settings(BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message that is logged."
    )
    model_path: Annotated[Path, AfterValidator(_find)] = Field(
        default=Path("models/english/model.onnx"),
        validate_default=True,
        description="The model file, from the working directory or else from the repository.",
    )
    inference_threads: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        description="Recordings transcribed at once by each process; by default one a processor.",
    )
    queue_size: int = Field(
        default=16,
        ge=0,
        description="Recordings that may wait for a thread; the next is refused with 503.",
    )
    max_upload_bytes: int = Field(
        default=100 * 2**20, ge=1, description="Largest request body, counted as it arrives."
    )
    max_duration_s: float = Field(
        default=1200.0, gt=0, allow_inf_nan=False, description="Longest recording, in seconds."
    )
    store_path: Path = Field(
        default_factory=_default_store_path,
        description="SQLite file for posteriors, in a writable directory, shared by all processes; "
        "by default in the system's temporary directory.",
    )
    store_max_bytes: int = Field(
        default=2**30, ge=1, description="Room for posteriors; beyond it the oldest go first."
    )
    result_ttl_s: float = Field(
        default=3600.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds that posteriors can be fetched.",
    )


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        StartError: naming each wrong variable, what was expected and what came.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [
            f"{PREFIX}{str(problem['loc'][0]).upper()}: {problem['msg']}, got {problem['input']!r}"
            for problem in error.errors()
        ]
        raise StartError("; ".join(lines)) from None
