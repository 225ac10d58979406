import os
import subprocess
import sys
import tempfile

import pytest
from pydantic import ValidationError

from service.__main__ import main
from service.errors import StartError
from service.settings import Settings, load_settings, warn_of_removed
from service.store.open import open_store


def test_defaults_find_the_model_from_any_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("OTOSCOPE_MODEL_PATH", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Settings().model_path.is_file()


def test_frozen():
    with pytest.raises(ValidationError):
        Settings().port = 1


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_environment_is_read_when_asked(monkeypatch):
    monkeypatch.setenv("OTOSCOPE_QUEUE_SIZE", "3")
    assert load_settings().queue_size == 3


@pytest.mark.parametrize(
    ("processors", "chosen", "expected"),
    [
        (1, {}, 0),
        (1, {"search_processes": 1}, 1),
        (2, {}, 2),
        (8, {"inference_threads": 3}, 3),
        (8, {"inference_threads": 3, "search_processes": 0}, 0),
    ],
)
def test_as_many_processes_search_as_threads_run_the_model(
    monkeypatch, processors, chosen, expected
):
    monkeypatch.setattr("service.settings.available", lambda: processors)
    assert Settings(**{"inference_threads": processors, **chosen}).decode_workers == expected


@pytest.mark.parametrize(
    ("workers", "named", "expected"),
    [("1", "", ""), ("2", "", "4"), ("3", "", "2"), ("9", "", "0"), ("2", "5", "5")],
)
def test_server_processes_share_the_processors_out(monkeypatch, workers, named, expected):
    served = []
    monkeypatch.setenv("OTOSCOPE_SEARCH_PROCESSES", named)
    monkeypatch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR", "unused"))
    monkeypatch.setattr("service.__main__.available", lambda: 8)
    monkeypatch.setattr("service.__main__._try_to_open", served.append)
    monkeypatch.setattr("service.__main__.configure_logs", lambda *_: None)
    monkeypatch.setattr("service.__main__.uvicorn.run", lambda *_, **__: served.append(None))
    assert main(["--workers", workers]) == 0
    assert os.environ["OTOSCOPE_SEARCH_PROCESSES"] == expected
    assert len(served) == 2


@pytest.mark.parametrize("workers", ["0", "-1", "two", "1.5", ""])
def test_there_is_at_least_one_server_process(workers, capsys):
    with pytest.raises(SystemExit) as refused:
        main(["--workers", workers])
    assert refused.value.code == 2
    assert f"expected a whole number of at least 1, got '{workers}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("QUEUE_SIZE", "-1"),
        ("INFERENCE_THREADS", "0"),
        ("SEARCH_PROCESSES", "-1"),
        ("MAX_DURATION_S", "nan"),
        ("RESULT_TTL_S", "0"),
        ("MAX_UPLOAD_BYTES", "much"),
        ("LOG_LEVEL", "loud"),
        ("PORT", "65536"),
        ("LOG_FORMAT", "xml"),
        ("MAX_UPLOAD_PAUSE_S", "0"),
        ("CORS_ORIGINS", "https://a.example/page"),
        ("CORS_ORIGINS", "a.example"),
        ("CORS_ORIGINS", "https://a.example,"),
    ],
)
def test_wrong_value_is_named(monkeypatch, name, value):
    monkeypatch.setenv(f"OTOSCOPE_{name}", value)
    wrong = value.rpartition(",")[2]
    with pytest.raises(StartError, match=f"OTOSCOPE_{name}: .*got '{wrong}'"):
        load_settings()


@pytest.mark.parametrize(
    "value", ["swordfish,", ",", "sword fish", "swordfish\x07", "schwörtfisch"]
)
def test_wrong_keys_are_refused_and_not_shown(monkeypatch, value):
    monkeypatch.setenv("OTOSCOPE_API_KEYS", value)
    with pytest.raises(StartError, match=r"OTOSCOPE_API_KEYS: .*expected keys") as refused:
        load_settings()
    assert "fish" not in str(refused.value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "fish" not in str(refused.value)


def test_lists_have_commas_between_their_parts(monkeypatch):
    monkeypatch.setenv("OTOSCOPE_API_KEYS", "swordfish, catfish")
    monkeypatch.setenv("OTOSCOPE_CORS_ORIGINS", "https://a.example, http://localhost:3000")
    settings = load_settings()
    assert [key.get_secret_value() for key in settings.api_keys] == ["swordfish", "catfish"]
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert "fish" not in f"{settings!r} {settings} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "value", ["http://:swordfish@redis", "swordfish", "redis://:swordfish@redis:port"]
)
def test_wrong_stores_are_refused_and_not_shown(monkeypatch, value):
    monkeypatch.setenv("OTOSCOPE_STORE", value)
    with pytest.raises(StartError, match=r"OTOSCOPE_STORE: .*expected sqlite, redis://") as refused:
        load_settings()
    assert "fish" not in str(refused.value)


def test_passwords_of_the_store_are_not_shown(monkeypatch):
    monkeypatch.setenv("OTOSCOPE_STORE", "redis://:swordfish@redis:6379/0")
    monkeypatch.setenv("OTOSCOPE_STORE_PASSWORD", "catfish")
    settings = load_settings()
    assert settings.redis_url == "redis://:swordfish@redis:6379/0"
    assert settings.store_password.get_secret_value() == "catfish"
    assert "fish" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_lists_are_empty_unless_set(monkeypatch):
    monkeypatch.setenv("OTOSCOPE_API_KEYS", "")
    monkeypatch.delenv("OTOSCOPE_CORS_ORIGINS", raising=False)
    assert (load_settings().api_keys, load_settings().cors_origins) == ((), ())


def test_all_wrong_values_are_named_at_once(monkeypatch):
    monkeypatch.setenv("OTOSCOPE_PORT", "x")
    monkeypatch.setenv("OTOSCOPE_QUEUE_SIZE", "y")
    with pytest.raises(StartError, match=r"OTOSCOPE_PORT.*OTOSCOPE_QUEUE_SIZE"):
        load_settings()


def test_default_store_that_somebody_else_made_is_refused(monkeypatch, tmp_path):
    monkeypatch.delenv("OTOSCOPE_STORE_PATH", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    directory = load_settings().directory
    assert directory.parent == tmp_path
    (tmp_path / "elsewhere").mkdir()
    directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StartError, match="OTOSCOPE_STORE_PATH"):
        open_store(load_settings())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTOSCOPE_QUEUE_SIZE", "-1"),
        ("OTOSCOPE_MODEL_PATH", "missing.onnx"),
        ("OTOSCOPE_STORE_PATH", f"{__file__}/results.sqlite3"),
    ],
)
def test_wrong_start_is_one_line_and_an_exit_code(name, value):
    done = subprocess.run(
        [sys.executable, "-m", "service", "--port", "0", "--workers", "2"],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert name in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_variables_of_older_releases_are_named_at_the_start(monkeypatch, caplog):
    monkeypatch.setenv("OTOSCOPE_BATCH_SIZE", "8")
    monkeypatch.setenv("OTOSCOPE_BATCH_WAIT_MS", "")
    load_settings()
    warn_of_removed()
    assert [each.getMessage() for each in caplog.records] == [
        "OTOSCOPE_BATCH_SIZE has no effect any more: see CHANGELOG.md"
    ]
