"""What FastAPI's OpenAPI document doesn't say by itself: keys, headers of responses, examples."""

from typing import Any

from service.middleware import request_id
from service.middleware.api_keys import OPEN_PATHS

_HEADERS = {
    "401": {"WWW-Authenticate": "How to bring an API key (RFC 6750)."},
    "503": {"Retry-After": "Seconds to wait, where coming again helps."},
}
_PLAIN = {"number": 0.0, "integer": 0, "string": "", "boolean": False, "null": None}
_EVERY_RESPONSE = {request_id.HEADER: "The request's own if it brought one; also in the log."}
_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def complete(document: dict[str, Any], *, keys_required: bool) -> None:
    """Add keys, headers, and to each JSON response an example made of its fields' examples.

    Args:
        document: changed in place.
        keys_required: whether this service has API keys; without, they are declared as optional.
    """
    schemas = document.setdefault("components", {}).get("schemas", {})
    document["components"]["securitySchemes"] = _KEYS
    security: list[dict[str, list[str]]] = [{name: []} for name in _KEYS]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path not in OPEN_PATHS:
                operation["security"] = security if keys_required else [*security, {}]
            _complete_responses(operation["responses"], schemas)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _complete_responses(responses: dict[str, Any], schemas: dict[str, Any]) -> None:
    if "HTTPValidationError" in str(responses.get("422")):  # FastAPI's own, which never comes
        del responses["422"]
    for status, response in responses.items():
        described = {**_EVERY_RESPONSE, **_HEADERS.get(status, {})}
        headers = response.setdefault("headers", {})
        for name, text in described.items():
            headers.setdefault(name, {"description": text, "schema": {"type": "string"}})
        for media_type, content in response.get("content", {}).items():
            if media_type.endswith("json") and "example" not in content:
                content["example"] = _with_status(_example(content["schema"], schemas), status)


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """A schema's own example, or else one made of its parts'."""
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    given = _given(schema)
    if given:
        return given[0]
    if "anyOf" in schema:
        return _example(schema["anyOf"][0], schemas)
    return _of_type(schema, schemas)


def _given(schema: dict[str, Any]) -> list[Any]:
    """Values that a schema gives itself, the best example first."""
    stated = [schema[name] for name in ("const", "default") if name in schema]
    return [*schema.get("examples", ()), *stated, *schema.get("enum", ())]


def _of_type(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    match schema.get("type", "null"):
        case "object":
            fields = schema.get("properties", {}).items()
            return {name: _example(field, schemas) for name, field in fields}
        case "array":
            items = schema.get("prefixItems") or [schema["items"]]
            return [_example(item, schemas) for item in items]
        case _ if "title" in schema:  # a field, which can say more than its type does
            raise KeyError(f"expected an example for {schema}")
        case plain:
            return _PLAIN[plain]


def _with_status(example: Any, status: str) -> Any:  # noqa: ANN401 - any JSON
    """The example, with `status` as its own if it is a problem document."""
    if isinstance(example, dict) and {"title", "detail", "status"} <= example.keys():
        return {**example, "status": int(status)}
    return example
