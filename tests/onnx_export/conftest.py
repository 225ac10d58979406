import pytest

pytest.importorskip("torch", reason="export needs torch")

from tone_runs import config_path, tones, whole_run

__all__ = ["config_path", "tones", "whole_run"]
