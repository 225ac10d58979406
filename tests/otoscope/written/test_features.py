import zlib

import numpy as np
import pytest

from otoscope.errors import SpecError
from otoscope.written.features import pause_classes, word_rows
from otoscope.written.spec import PunctuationSpec


def test_rows_are_of_the_word_twice_and_of_its_ends():
    rows = word_rows(["house", "mouse"], 1000)
    expected = [1 + zlib.crc32(part) % 999 for part in (b"0house", b"1house", b"<hou", b">use")]
    assert rows[0].tolist() == expected
    assert rows[0, 3] == rows[1, 3]
    assert (rows[0, :3] != rows[1, :3]).all()


def test_row_0_is_no_word():
    rows = word_rows([str(number) for number in range(3000)], 50)
    assert (rows.min(), rows.max()) == (1, 49)


def test_pauses_fall_between_edges():
    pauses_s = np.array([np.nan, 0.0, 0.099, 0.1, 0.5, 9.0])
    assert pause_classes(pauses_s, (0.1, 0.5)).tolist() == [0, 1, 1, 2, 3, 3]


def test_a_spec_is_read_back():
    spec = PunctuationSpec(lexicon={"iphone": "iPhone"}, sources=("novels.txt",), words=7)
    assert PunctuationSpec.from_json(spec.to_json()) == spec
    assert spec.pause_classes == 8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "expected JSON"),
        ("{}", "expected all fields"),
        ('{"rows": 1}', "rows"),
    ],
)
def test_other_specs_are_refused(text, expected):
    with pytest.raises(SpecError, match=expected):
        PunctuationSpec.from_json(text)


def test_edges_ascend_and_the_table_has_rows():
    with pytest.raises(SpecError, match="ascending"):
        PunctuationSpec(pause_edges_s=(0.5, 0.1))
    with pytest.raises(SpecError, match="table_rows"):
        PunctuationSpec(table_rows=1)
