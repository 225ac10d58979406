"""Documents say what a service answers."""

import importlib.util
import shutil
from pathlib import Path

import pytest
import tour

PNG_SIZE = slice(16, 24)  # width and height, in the header


@pytest.fixture(scope="module")
def make_tour():
    path = Path(__file__).with_name("make_tour.py")
    module_spec = importlib.util.spec_from_file_location("make_tour", path)
    module = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which the tour's commands need")
@pytest.mark.parametrize(
    ("name", "commands"), [("README.md", 3), ("docs/tour.md", 25), ("docs/alignment.md", 2)]
)
def test_answers_are_those_that_a_service_gives(make_tour, tmp_path, name, commands):
    document = (tour.REPOSITORY / name).read_text(encoding="utf-8")
    assert len(tour.steps_of(document)) >= commands
    found = tour.differences(document, make_tour.take(document, tmp_path))
    assert not found, "run `make tour`: " + "\n".join(found)
    for picture in make_tour.pictures(document):
        kept = make_tour.DOCS / "tour" / picture
        assert kept.read_bytes()[PNG_SIZE] == (tmp_path / picture).read_bytes()[PNG_SIZE]


DOCUMENT = """
```sh
echo '{"one": 1.5, "id": "00112233445566778899aabbccddeeff"}'
X=7
```

```json
{"old": 0}
```

```python
print("a\\nb")
```

Words between: this is no answer.

```text
kept
```

```sh
echo "$X"; false; missing-program
```

```text
```
"""


def taken(document, folder):
    return tour.written(document, tour.run(tour.steps_of(document), "http://localhost:1", folder))


def test_answers_are_written_behind_their_commands(tmp_path):
    document = DOCUMENT.replace('print("a\\nb")', "pass")
    first, second, third = tour.steps_of(taken(document, tmp_path))
    assert first.answer.startswith('{"one": 1.5, "id": "')
    assert "00112233" not in first.answer
    assert (second.kind, second.answer_kind) == ("python", None)
    assert third.answer.startswith("7\n")
    assert "missing-program: command not found" in third.answer


def test_output_without_a_place_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="expected no output of\nprint"):
        taken(DOCUMENT, tmp_path)


def test_a_changed_word_differs_and_a_processors_noise_does_not():
    old = '```sh\ncat\n```\n\n```json\n{"a": -47.6701, "b": "yes"}\n```\n'
    assert tour.differences(old, old.replace("-47.6701", "-47.6702")) == []
    assert tour.differences(old, old.replace(', "b"', ',\n"b"')) == []
    for changed in (old.replace("-47.67", "-46.67"), old.replace("yes", "no")):
        assert "-" + old.splitlines()[5] in tour.differences(old, changed)
    with pytest.raises(ValueError, match="zip"):
        tour.differences(old, old + old)


def test_long_lists_are_cut_short():
    assert tour.laid_out(list(range(11))) == "[0, 1, 2, 3, 4, 5, ...]"
    assert tour.laid_out([[1], [2], [3], [4]]) == "[[1], [2], ...]"
    wide = {"name": "x" * 60, "other": ["y" * 60, "z"]}
    lines = tour.laid_out(wide).splitlines()
    assert lines == ['{"name": "' + "x" * 60 + '",', ' "other": ["' + "y" * 60 + '", "z"]}']
