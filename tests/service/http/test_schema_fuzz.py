"""Requests of all kinds, made from the OpenAPI document, to a real server.

No answer may be a 5xx, or one that the document doesn't describe. Made-up files are noise, so some
requests get real speech and the id of a real result instead: answers of success are looked at too.
"""

import warnings
import zlib

import httpx
import pytest
from hypothesis import HealthCheck, settings

from service.app import create_app
from service.middleware.api_keys import OPEN_PATHS
from service.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis")
from schemathesis import checks, openapi

KEY = "a-key-of-the-fuzzer"
checks.load_all_checks()
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
schema = openapi.from_dict(create_app(Settings()).openapi())
guarded_schema = openapi.from_dict(create_app(Settings(api_keys=KEY)).openapi())


@pytest.fixture(scope="module")
def server(serve_from, tmp_path_factory):
    with serve_from(tmp_path_factory.mktemp("fuzz")) as address:
        yield address


@pytest.fixture(scope="module")
def guarded(serve_from, tmp_path_factory):
    with serve_from(tmp_path_factory.mktemp("guarded"), OTOSCOPE_API_KEYS=KEY) as address:
        yield address


@pytest.fixture(scope="module")
def result_id(server, short_wav):
    answer = httpx.post(
        f"{server}/transcribe", files={"file": short_wav}, data={"decoder": "greedy"}
    )
    return answer.json()["id"]


def make_real(case, speech, result_id):
    """Speech, a model and an id that there are, for two of three made-up ones each."""
    if isinstance(case.body, dict) and "file" in case.body and chance(case.body["file"]):
        case.body["file"] = speech
    if isinstance(case.body, dict) and "model" in case.body and chance(case.body["model"]):
        case.body["model"] = "english"
    for place in (case.query, case.path_parameters):
        if place and "id" in place and case.method != "DELETE" and chance(place["id"]):
            place["id"] = result_id


def chance(made_up):
    """The same for the same value, in every run."""
    return zlib.crc32(repr(made_up).encode()) % 3 > 0


LIMITS = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@schema.parametrize()
@LIMITS
def test_every_answer_is_described(case, server, short_wav, result_id):
    make_real(case, short_wav, result_id)
    case.call_and_validate(base_url=server, checks=CHECKS, timeout=60)


@guarded_schema.parametrize()
@settings(LIMITS, max_examples=3)
def test_without_a_key_so_is_the_refusal(case, guarded):
    response = case.call(base_url=guarded, timeout=60)
    case.validate_response(response, checks=CHECKS)
    if case.operation.path not in OPEN_PATHS and response.status_code != 405:
        assert response.status_code == 401
