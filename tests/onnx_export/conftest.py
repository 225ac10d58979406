import pytest

pytest.importorskip("torch", reason="export needs torch")
