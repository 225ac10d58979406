import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from otoscope import Alphabet, FrameClock
from otoscope.formats.posteriors import ViewOptions, select
from service.errors import QueryError
from service.http.plots import check_span, check_view

DRAW = """
import sys
from pathlib import Path
import numpy as np
from otoscope import ENGLISH, FeatureMatrix, FeatureSpec, FrameClock, Posteriors
import service.app
from otoscope.plots import posteriorgram_png

assert "matplotlib" not in sys.modules, "loaded before the first picture"
log_probs = np.log(np.full((5, 29), 1 / 29, np.float32))
posteriors = Posteriors(log_probs, ENGLISH, FrameClock(0.04, 0.2))
features = FeatureMatrix(np.zeros((20, 80), np.float32), FeatureSpec())
png = posteriorgram_png(features, posteriors, columns=[0])
assert png.startswith(b"\\x89PNG")
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.mark.slow
def test_matplotlib_waits_for_the_first_picture_and_needs_no_home(tmp_path):
    fonts = tmp_path / "made" / "on demand"
    done = subprocess.run(
        [sys.executable, "-c", DRAW],
        env={**os.environ, "HOME": "/dev/null/nowhere", "MPLCONFIGDIR": str(fonts)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in fonts.glob("fontlist*")]


def test_a_minute_is_the_most():
    check_span((5.0, 65.0))
    with pytest.raises(QueryError, match=r"at most 60 s in a picture, got 60\.5 s: .*from_s"):
        check_span((5.0, 65.5))


def test_so_many_symbols_are_the_most(make_posteriors):
    alphabet = Alphabet(tuple(map(chr, range(0x4E00, 0x4E00 + 100))))
    values = np.log(np.full((5, alphabet.size), 1 / alphabet.size, dtype=np.float32))
    posteriors = replace(
        make_posteriors(), log_probs=values, alphabet=alphabet, clock=FrameClock(0.04, 0.2)
    )
    with pytest.raises(QueryError, match=r"at most 100 symbols .* got 101: choose some"):
        check_view(select(posteriors))
    check_view(select(posteriors, ViewOptions(symbols=["blank"])))
