"""The rooms' boundaries hold, and the contracts that say so would notice if they did not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "importlinter", reason="import-linter is not installed: pip install -e '.[dev]'"
)

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("otoscope", "training", "onnx_export", "service")
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"


def lint(tree):
    """Exit code and report of import-linter on the packages in `tree`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, '.'); {LINT}"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def broken_contracts(report):
    """Names of the contracts that `report` calls broken."""
    return re.findall(r"^(.+?) BROKEN(?: \(.*\))?$", report, flags=re.MULTILINE)


@pytest.fixture
def tree(tmp_path):
    """A copy of the packages and their contracts, to plant something in."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def plant(tree, module, line):
    path = tree / module
    path.write_text(path.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")


def test_the_tree_keeps_its_contracts():
    exit_code, report = lint(ROOT)
    assert exit_code == 0, report
    assert re.search(r"[1-9] kept, 0 broken", report)


def test_the_copy_is_sound_before_anything_is_planted(tree):
    exit_code, report = lint(tree)
    assert exit_code == 0, report


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("otoscope/ctc.py", "import torch", "torch"),
        ("otoscope/decoding/greedy.py", "def late():\n    import torch.nn", "torch"),
        ("service/settings.py", "import torch", "torch"),
        ("service/http/queries.py", "def late():\n    import matplotlib.figure", "matplotlib"),
        ("otoscope/ctc.py", "import matplotlib", "matplotlib"),
        ("otoscope/cli/files.py", "import httpx", "httpx"),
        ("service/inference/request_pool.py", "def late():\n    import httpx", "httpx"),
        ("service/settings.py", "from training import config", "torch"),
        ("otoscope/spec.py", "import onnx", "torch"),
        ("otoscope/spec.py", "import service.settings", "Arrows"),
        ("otoscope/spec.py", "from training.config import ModelConfig", "Arrows"),
        ("training/config/__init__.py", "import onnx_export", "Arrows"),
        ("onnx_export/export.py", "import service.settings", "Arrows"),
        ("service/settings.py", "from service.store import sqlite", "Rooms of the service"),
        (
            "service/http/problems.py",
            "from service.openai_api import errors",
            "Rooms of the service",
        ),
        ("service/http/responses.py", "from service.inference import pool", "service.http"),
        ("service/http/responses.py", "from service.store import base", "service.http"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(tree, module, line, contract):
    plant(tree, module, line)
    exit_code, report = lint(tree)
    assert exit_code != 0
    assert any(contract in name for name in broken_contracts(report)), report
