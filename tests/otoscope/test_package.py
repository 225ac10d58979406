"""`import otoscope`: all names are there, and none is loaded before it is asked for."""

import subprocess
import sys

import pytest

import otoscope


@pytest.mark.parametrize("name", otoscope.__all__)
def test_every_name_is_there(name):
    assert getattr(otoscope, name) is not None


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="'otoscope' has no attribute 'recognise'"):
        otoscope.recognise  # noqa: B018 - it raises


def test_nothing_is_loaded_before_it_is_asked_for():
    code = (
        "import otoscope, sys; assert 'numpy' not in sys.modules; assert otoscope.greedy.__call__"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
