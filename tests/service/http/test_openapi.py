"""The OpenAPI document leaves no question open."""

import jsonschema
import pytest

from service.app import create_app
from service.settings import Settings

DOCUMENT = create_app(Settings()).openapi()
GUARDED = create_app(Settings(api_keys="a-key")).openapi()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def json_answers(operation):
    return [
        (status, content)
        for status, answer in operation["responses"].items()
        for media_type, content in answer.get("content", {}).items()
        if media_type.endswith("json")
    ]


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_operation_says_what_it_does(operation):
    for field in ("summary", "description", "tags", "operationId"):
        assert operation[field], field


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_answer_in_json_has_an_example_that_fits(operation):
    components = {"components": DOCUMENT["components"]}
    for status, content in json_answers(operation):
        schema = {**content["schema"], **components}
        jsonschema.Draft202012Validator(schema).validate(content["example"])
        if "problem" in str(content["schema"].get("title", "")).lower():
            assert str(content["example"]["status"]) == status


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_answer_says_its_headers(operation):
    for status, answer in operation["responses"].items():
        assert "X-Request-ID" in answer["headers"]
        assert ("Retry-After" in answer["headers"]) == (status == "503")
        assert ("ETag" in answer["headers"]) <= (status == "200")


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_mistakes_are_problem_documents_or_openais_errors(operation):
    for status, answer in operation["responses"].items():
        if status >= "400":
            [(media_type, content)] = answer["content"].items()
            if media_type == "application/json":
                assert content["schema"]["required"] == ["error"]
            else:
                assert media_type == "application/problem+json"


def test_with_keys_every_operation_that_needs_one_says_so():
    guarded = [
        operation
        for operations in GUARDED["paths"].values()
        for operation in operations.values()
        if "security" in operation
    ]
    assert len(guarded) >= 10
    for operation in guarded:
        assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]


def test_what_fastapi_would_answer_is_not_in_it():
    assert "HTTPValidationError" not in str(DOCUMENT)
