"""Documents and examples name the variables that there are."""

import re
from pathlib import Path

import make_configuration

from service.settings import PREFIX, SECRETS, Settings

ROOT = Path(__file__).resolve().parents[2]
OF_THE_SERVICE = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {
    f"{PREFIX}{name.upper()}_FILE" for name in SECRETS
}
# docker-compose.yml reads these for itself.
OF_COMPOSE = {
    f"{PREFIX}{name}"
    for name in (
        *("IMAGE", "REVISION", "REPLICAS", "CPUS", "MEMORY", "TMP_SIZE", "SECRETS"),
        *("SITE", "BIND", "HTTP_PORT", "HTTPS_PORT", "PROXY_MAX_BODY"),
    )
}


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def compose_defaults():
    """Variables of docker-compose.yml with a default, and what it is."""
    return dict(re.findall(r"\$\{(\w+):-([^}]*)\}", read("docker-compose.yml")))


def test_the_page_is_what_settings_say():
    assert make_configuration.DOCUMENT.read_text(encoding="utf-8") == (
        make_configuration.document()
    ), "run `make configuration`"


def test_the_page_names_defaults_and_limits():
    page = make_configuration.document()
    assert "| `OTOSCOPE_PORT` | `8000` | a whole number at least 0, at most 65535 |" in page
    assert "| `OTOSCOPE_LOG_FORMAT` | `auto` | `auto`, `json`, `console` |" in page
    assert page.count("\n| `OTOSCOPE_") == len(Settings.model_fields)


def test_compose_and_example_name_variables_that_there_are():
    for name in ("docker-compose.yml", ".env.example", "docker/caddy/Caddyfile"):
        found = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", read(name)))
        assert found
        assert found <= OF_THE_SERVICE | OF_COMPOSE, name


def test_the_example_has_the_defaults_of_compose():
    example = dict(re.findall(r"^(\w+)=(.*)$", read(".env.example"), re.MULTILINE))
    defaults = compose_defaults()
    assert len(example) > 10
    differ = {name for name in example.keys() & defaults.keys() if example[name] != defaults[name]}
    assert differ == set()


def test_the_example_has_the_defaults_of_the_service():
    example = dict(re.findall(r"^(\w+)=(.*)$", read(".env.example"), re.MULTILINE))
    settings = Settings()
    for name in ("result_ttl_s", "store_max_bytes"):
        assert float(example[f"{PREFIX}{name.upper()}"]) == getattr(settings, name)


def test_uploads_find_room_in_compose():
    """As many of the largest as may be there at a time, from their first byte."""
    defaults = compose_defaults()

    def number(name):
        return int(defaults[f"{PREFIX}{name}"])

    units = {"m": 2**20, "g": 2**30}
    room, memory = (
        int(value[:-1]) * units[value[-1]]
        for value in (defaults[f"{PREFIX}TMP_SIZE"], defaults[f"{PREFIX}MEMORY"])
    )
    at_a_time = number("INFERENCE_THREADS") + number("QUEUE_SIZE")
    assert room >= number("MAX_UPLOAD_BYTES") * at_a_time
    assert memory >= room + 2 * 2**30


def test_images_that_are_pulled_are_pinned():
    """But the service's own, and Python's, which a build takes with its latest updates."""
    images = {name: image for name, image in compose_defaults().items() if name.endswith("_IMAGE")}
    assert images.keys() > {"OTOSCOPE_IMAGE", "PYTHON_IMAGE"}
    for name in images.keys() - {"OTOSCOPE_IMAGE", "PYTHON_IMAGE"}:
        assert re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", images[name]), name
