"""Documents name what there is: files, modules, settings, flags, figures of the shipped model."""

import ast
import hashlib
import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from test_configuration import OF_COMPOSE, OF_THE_SERVICE

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("otoscope", "training", "onnx_export", "service", "benchmarks")
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "models/**/*.md", "examples/*.md", "benchmarks/**/*.md")
    for path in ROOT.glob(pattern)
)
ARCHITECTURE = "docs/architecture.md"
OF_THE_ADAPTER = "deploy/kubernetes/prometheus/adapter-values.yaml"
MADE_BY_COMMANDS = ("runs/", "texts/", "secrets/")
KEYS_OF_METADATA = (
    "otoscope.spec",
    "otoscope.mel_filterbank",
    "otoscope.quantised",
    "otoscope.training",
)
OTHER_FLAGS = {  # docker, pip, uv, torchrun
    "--build-arg",
    "--nproc-per-node",
    "--only-binary",
    "--require-hashes",
    "--upgrade",
}
OTHER_VARIABLES = {"OTOSCOPE_API_KEY", "OTOSCOPE_CORPUS"}  # of the command, of the tests

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_DEFINED = r"\b(?:def|class) {0}\b|^ *{0} *[:=]|\"{0}\"|import .*\b{0}\b"
_CLASS = re.compile(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_PATH = re.compile(r"\.?[\w-]+(?:/[\w.-]+)*/?[\w.-]*")
_NAME = re.compile(rf"(?:{'|'.join(ROOMS)})(?:\.\w+)+")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def prose(name):
    """A document without its blocks of code."""
    return _FENCE.sub("", read(name))


def code(name):
    """What stands between backticks."""
    return _CODE.findall(prose(name))


def anchors(text):
    """As GitHub makes them of headings."""
    plain = (re.sub(r"[`*]|\]\(.*?\)|\[", "", heading) for heading in _HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in plain}


def exists(dotted):
    """Whether there is such a module, or one whose text has the names that follow it."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        path = ROOT.joinpath(*parts[:end])
        module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if module.exists():
            text = module.read_text(encoding="utf-8")
            return all(re.search(_DEFINED.format(name), text, re.M) for name in parts[end:])
    return False


@cache
def sources():
    """All of the code in the rooms, as one text."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def metrics():
    names = set(re.findall(r'"(otoscope_\w+)"', sources()))
    computed = re.findall(r"as: (otoscope_\w+)", read(OF_THE_ADAPTER))
    return names | {f"{name}_total" for name in names} | set(computed)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    folder = (ROOT / name).parent
    for link in _LINK.findall(prose(name)):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = folder / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_in_backticks_exist(name):
    """Those that begin with a folder of the repository, or of the document's own."""
    folder = (ROOT / name).parent
    folders = {each.name for each in ROOT.iterdir() if each.is_dir()}
    for text in code(name):
        first = text.split("/")[0]
        if "/" not in text or not _PATH.fullmatch(text) or text.startswith(MADE_BY_COMMANDS):
            continue
        if first in folders:
            assert (ROOT / text).exists() or (folder / text).exists(), text


def layers():
    """The layers that import-linter holds within rooms, as docs/architecture.md lists them."""
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    for contract in contracts:
        for room in contract.get("containers", ()):
            yield f"- `{room}`: `{' > '.join(contract['layers'])}`"


def test_the_layers_are_those_that_are_checked():
    text = " ".join(read(ARCHITECTURE).split())
    for line in layers():
        assert line in text


def ways():
    """The calls that docs/architecture.md lists, by heading: each (path, qualified name)."""
    for part in read(ARCHITECTURE).split("\n### ")[1:]:
        heading, _, rest = part.partition("\n")
        yield heading, re.findall(r"^\d+\. `([\w/]+\.py):([\w.]+)`", rest.split("\n## ")[0], re.M)


def test_the_ways_of_a_request_are_short_and_lead_through_functions_that_exist():
    lists = dict(ways())
    assert 0 < len(lists["Upload to graph"]) <= 9
    assert 0 < len(lists["Posteriors to search"]) <= 9
    for path, qualified in (call for calls in lists.values() for call in calls):
        assert qualified in functions(ast.parse(read(path))), f"{path}:{qualified}"


def functions(node, prefix=""):
    """Qualified names of the functions in a syntax tree."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.ClassDef):
            yield from functions(each, f"{prefix}{each.name}.")
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + each.name


@pytest.mark.parametrize("name", DOCUMENTS)
def test_names_in_backticks_exist(name):
    for text in code(name):
        for dotted in _NAME.findall(text):
            if "/" not in text and dotted not in KEYS_OF_METADATA:
                assert exists(dotted), dotted


@pytest.mark.parametrize("name", DOCUMENTS)
def test_settings_metrics_targets_classes_and_flags_exist(name):
    text = re.sub(r"### Removed\n.*?(?=\n##)", "", read(name), flags=re.DOTALL)
    variables = set(re.findall(r"\bOTOSCOPE_[A-Z_]*[A-Z]\b", text))
    assert variables <= OF_THE_SERVICE | OF_COMPOSE | OTHER_VARIABLES
    assert set(re.findall(r"\botoscope_\w+", text)) <= metrics()
    targets = set(re.findall(r"^([a-z][\w-]*):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"[`\n]make ([a-z][\w-]+)", text)) <= targets
    classes = {each for text in code(name) for each in _CLASS.findall(text)}
    assert {each for each in classes if not re.search(rf"\b{each}\b", sources())} == set()
    flags = {flag for each in code(name) for flag in re.findall(r"(?<![\w-])--[a-z][\w-]+", each)}
    assert flags <= set(re.findall(r"--[a-z][\w-]+", sources())) | OTHER_FLAGS


def rooms():
    """Paths in the tree of docs/architecture.md."""
    [tree] = re.findall(r"^## Rooms\n+```text\n(.*?)^```", read(ARCHITECTURE), re.M | re.S)
    room = ""
    for line in tree.splitlines():
        indent, names = re.match(r"( *)([^\s,]+(?:, [^\s,]+)*)", line).groups()
        room = room if indent else names
        yield from (room * bool(indent) + name for name in names.split(", "))


def test_the_tree_of_rooms_is_whole():
    listed = list(rooms())
    assert [each for each in listed if not (ROOT / each).exists()] == []
    packages = {f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("[a-z]*/**/__init__.py")}
    library = {str(path.relative_to(ROOT)) for path in ROOT.glob("otoscope/[a-z]*.py")}
    assert (packages | library) - set(listed) == set()


def test_a_stale_name_is_noticed():
    assert exists("otoscope.features.FeatureSpec.hop_ms")
    assert not exists("otoscope.pictures")
    assert not exists("otoscope.features.nothing")
    assert anchors("## Long `audio`, [cut](x.md)\n") == {"long-audio-cut"}


SYSTEMS = ("greedy", "beam + LM", "Whisper tiny.en", "PocketSphinx")


def shipped():
    return json.loads(read("models/english/evaluation.json"))


def test_answers_and_figures_are_of_the_model_that_is_shipped():
    model = (ROOT / "models/english/model.int8.onnx").read_bytes()
    digest = hashlib.sha256(model).hexdigest()
    assert shipped()["model_sha256"] == digest
    for name in ("README.md", "docs/tour.md", "docs/alignment.md"):
        found = re.findall(r'"sha256": "(\w{8})\.\.\."', read(name))
        assert found, name
        assert set(found) == {digest[:8]}, f"{name}: run `make tour`"


def test_the_readme_has_the_error_rates_that_were_measured():
    rates = {
        (each["manifest"].split("/")[0], each["decoder"]): each["rates"]["wer"]
        for each in shipped()["sets"]
    }
    rows = re.findall(r"^\| ([\w ]+): .*?((?: \| [\d.]+){4}) \|$", read("README.md"), re.MULTILINE)
    assert len(rows) == 4
    for corpus, cells in rows:
        manifest = corpus.lower().replace(" ", "")
        expected = [rates[manifest, each] for each in SYSTEMS]
        assert cells.split(" | ")[1:] == [f"{100 * rate:.1f}" for rate in expected]
