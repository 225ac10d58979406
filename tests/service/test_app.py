import pytest
from fastapi.testclient import TestClient

from service.app import create_app

ORIGIN = "https://a.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,x-stainless-lang",
}


def client_of(make_settings, **chosen):
    """Not started: what is asked of it here needs no model."""
    return TestClient(create_app(make_settings(**chosen)))


def test_no_origin_is_allowed_unless_chosen(make_settings):
    client = client_of(make_settings)
    answer = client.get("/health/live", headers={"Origin": ORIGIN})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert client.options("/transcribe", headers=PREFLIGHT).status_code == 405


def test_chosen_origins_are_allowed_and_no_others(make_settings):
    client = client_of(make_settings, cors_origins=f"{ORIGIN},https://b.example")
    answer = client.get("/health/live", headers={"Origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert set(answer.headers["access-control-expose-headers"].split(", ")) == {
        *("X-Request-ID", "ETag", "Retry-After"),
        *("Otoscope-Frame-S", "Otoscope-Start-S", "Otoscope-Feature-Spec", "Otoscope-Warnings"),
        "Otoscope-Transcription-ID",
    }
    assert "access-control-allow-credentials" not in answer.headers
    other = client.get("/health/live", headers={"Origin": "https://c.example"})
    assert "access-control-allow-origin" not in other.headers


def test_star_allows_all_without_credentials(make_settings):
    client = client_of(make_settings, cors_origins="*")
    answer = client.get("/health/live", headers={"Origin": ORIGIN, "Cookie": "a=b"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/transcribe", "/align", "/probs", "/v1/audio/transcriptions"])
def test_preflight_needs_no_key_and_the_refusal_can_be_read(make_settings, path):
    client = client_of(make_settings, cors_origins=ORIGIN, api_keys="swordfish")
    answer = client.options(path, headers=PREFLIGHT)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"]
    assert "x-stainless-lang" in answer.headers["access-control-allow-headers"]
    assert answer.headers["x-request-id"]
    refused = client.post(path, headers={"Origin": ORIGIN})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == ORIGIN
