"""The commands in documents are accepted, and answer with what the documents show.

Numbers and words depend on the model and the processor: `make tour-check` compares those, before a
release.
"""

import shutil

import make_tour
import pytest
import tour
from running_service import running_service


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with running_service(tmp_path_factory.mktemp("tour") / "results.sqlite3") as address:
        yield address


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which the tour's commands need")
@pytest.mark.parametrize(
    ("name", "commands"), [("README.md", 3), ("docs/tour.md", 25), ("docs/alignment.md", 2)]
)
def test_documented_commands_answer_in_the_documented_shape(address, tmp_path, name, commands):
    document = (tour.REPOSITORY / name).read_text(encoding="utf-8")
    steps = tour.steps_of(document)
    assert len(steps) >= commands
    fresh = tour.steps_of(tour.written(document, tour.run(steps, address, tmp_path)))
    for old, new in zip(steps, fresh, strict=True):
        assert tour.shape(new.answer) == tour.shape(old.answer), new.answer
    for picture in make_tour.pictures(document):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


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
    assert third.answer.endswith("\nexit status 127\n")


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


def test_shape_is_names_and_statuses():
    answer = '{"text": "yes", "status": 422, "words": [{"start_s": 0.1}, ...]}'
    other = answer.replace("yes", "no").replace("0.1", "0.2")
    assert tour.shape(other) == tour.shape(answer)
    for changed in (answer.replace("422", "200"), answer.replace("start_s", "start")):
        assert tour.shape(changed) != tour.shape(answer)
    assert tour.shape("304\n") != tour.shape("200\n")
    assert tour.shape("time_s,a\n0.0,0.5\n") == tour.shape("time_s,a\n0.0,0.4\n") != []
    assert tour.shape("yes\nexit status 1\n") != tour.shape("yes\n")


def test_long_lists_are_cut_short():
    assert tour.laid_out(list(range(11))) == "[0, 1, 2, 3, 4, 5, ...]"
    assert tour.laid_out([[1], [2], [3], [4]]) == "[[1], [2], ...]"
    wide = {"name": "x" * 60, "other": ["y" * 60, "z"]}
    lines = tour.laid_out(wide).splitlines()
    assert lines == ['{"name": "' + "x" * 60 + '",', ' "other": ["' + "y" * 60 + '", "z"]}']
