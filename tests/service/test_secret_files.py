import pytest

from service.errors import StartError
from service.settings import load_settings


@pytest.fixture
def secret(tmp_path):
    def write(text):
        path = tmp_path / "secret"
        path.write_bytes(text)
        return str(path)

    return write


def test_secrets_come_from_files(monkeypatch, secret):
    monkeypatch.setenv("OTOSCOPE_API_KEYS_FILE", secret(b"swordfish\ncatfish\n"))
    assert [key.get_secret_value() for key in load_settings().api_keys] == ["swordfish", "catfish"]
    monkeypatch.delenv("OTOSCOPE_API_KEYS_FILE")
    monkeypatch.setenv("OTOSCOPE_STORE_PASSWORD_FILE", secret(b"a password, with spaces\n"))
    assert load_settings().store_password.get_secret_value() == "a password, with spaces"


def test_an_empty_file_does_not_open_the_service_to_all(monkeypatch, secret):
    monkeypatch.setenv("OTOSCOPE_API_KEYS_FILE", secret(b"\n"))
    with pytest.raises(StartError, match="OTOSCOPE_API_KEYS_FILE: expected a secret"):
        load_settings()


def test_file_and_value_together_are_refused(monkeypatch, secret):
    monkeypatch.setenv("OTOSCOPE_API_KEYS_FILE", secret(b"swordfish"))
    monkeypatch.setenv("OTOSCOPE_API_KEYS", "catfish")
    with pytest.raises(StartError, match="OTOSCOPE_API_KEYS_FILE: expected it alone") as refused:
        load_settings()
    assert "fish" not in str(refused.value)


@pytest.mark.parametrize("missing", [True, False])
def test_a_file_that_cannot_be_read_is_named(monkeypatch, secret, tmp_path, missing):
    path = str(tmp_path / "missing") if missing else secret(b"\xff\xfe")
    monkeypatch.setenv("OTOSCOPE_API_KEYS_FILE", path)
    with pytest.raises(StartError, match=f"OTOSCOPE_API_KEYS_FILE: .*got {path}"):
        load_settings()


def test_wrong_keys_in_a_file_are_not_shown(monkeypatch, secret):
    monkeypatch.setenv("OTOSCOPE_API_KEYS_FILE", secret("schwörtfisch".encode()))
    with pytest.raises(StartError, match=r"OTOSCOPE_API_KEYS: .*expected keys") as refused:
        load_settings()
    assert "fisch" not in str(refused.value)
