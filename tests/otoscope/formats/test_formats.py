"""otoscope.formats: what is written is read back by strict parsers, and TextGrids by praatio."""

import itertools
import re
from typing import get_args

import pytest
from praatio import textgrid as praat

from otoscope import Character, Word
from otoscope.formats import FORMATS, TextFormat, srt, textgrid, vtt, write
from otoscope.formats.cues import cues_of

DURATION_S = 3725.5
WORDS = [
    Word("it's", 0.1, 0.42, 0.9),
    Word("a<b>&c", 0.46, 0.9, 0.8),
    *(Word(f"filler{i}", 1.0 + 0.3 * i, 1.2 + 0.3 * i, 0.7) for i in range(30)),
    Word('--> "quoted"', 3599.9996, 3600.25, 0.5),
    Word("end", 3725.1234567, 3725.5, 0.5),
]
CHARACTERS = [
    Character("a", 0.0, 0.1, 0.9),
    Character("b", 0.1, 0.14, 0.9),
    Character(" ", 0.14, 0.2, 0.9),
    Character('"', 0.26, 0.3, 0.9),
]


def milliseconds(clock):
    hours, minutes, seconds, fraction = (int(part) for part in re.split("[:.,]", clock))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction


def blocks(body):
    """Cues: lines that are not empty, an empty line after each cue, the last included."""
    assert body == "" or body.endswith("\n\n")
    return [block.split("\n") for block in body.removesuffix("\n\n").split("\n\n") if body]


def read_srt(document):
    """Numbers from 1, "hh:mm:ss,mmm --> hh:mm:ss,mmm", lines of text."""
    found = []
    for number, (counter, times, *lines) in enumerate(blocks(document), start=1):
        assert counter == str(number)
        clocks = re.fullmatch(
            r"(\d\d:[0-5]\d:[0-5]\d,\d{3}) --> (\d\d:[0-5]\d:[0-5]\d,\d{3})", times
        )
        found.append((*map(milliseconds, clocks.groups()), lines))
    return found


def read_vtt(document):
    """W3C WebVTT, section 4.1: signature, then cues; escapes and no tags in their text."""
    signature, empty, body = document.split("\n", 2)
    assert (signature, empty) == ("WEBVTT", "")
    found = []
    for times, *lines in blocks(body):
        clocks = re.fullmatch(
            r"(\d{2,}:[0-5]\d:[0-5]\d\.\d{3}) --> (\d{2,}:[0-5]\d:[0-5]\d\.\d{3})", times
        )
        for line in lines:
            assert re.fullmatch(r"([^&<>]|&amp;|&lt;|&gt;)+", line)
        plain = [line.replace("&lt;", "<").replace("&gt;", ">") for line in lines]
        found.append(
            (*map(milliseconds, clocks.groups()), [line.replace("&amp;", "&") for line in plain])
        )
    return found


@pytest.mark.parametrize(("write", "read"), [(srt, read_srt), (vtt, read_vtt)])
def test_subtitles_read_back_are_the_cues(write, read):
    expected = cues_of(WORDS, DURATION_S)
    assert read(write(WORDS, DURATION_S)) == [
        (cue.start_ms, cue.end_ms, list(cue.lines)) for cue in expected
    ]
    assert len(expected) > 3


def test_subtitles_by_hand():
    words = [Word("R&D", 3599.9996, 3601.25, 1.0), Word("café", 3725.0, 3725.5, 1.0)]
    assert srt(words, DURATION_S) == (
        "1\n01:00:00,000 --> 01:00:01,250\nR&D\n\n2\n01:02:05,000 --> 01:02:05,500\ncafé\n\n"
    )
    assert vtt(words, DURATION_S) == (
        "WEBVTT\n\n01:00:00.000 --> 01:00:01.250\nR&amp;D\n\n"
        "01:02:05.000 --> 01:02:05.500\ncafé\n\n"
    )


def test_subtitles_of_nothing():
    assert srt([], 1.0) == ""
    assert vtt([], 1.0) == "WEBVTT\n\n"


def test_text():
    assert write("text", WORDS[:2], None, DURATION_S) == b"it's a<b>&c\n"
    assert write("text", [], None, DURATION_S) == b""


def test_every_format_of_words_has_its_writer():
    files = {
        form: write(form, WORDS, CHARACTERS, DURATION_S) for form in FORMATS if FORMATS[form].write
    }
    assert files.keys() == set(get_args(TextFormat))
    assert files["srt"].decode() == srt(WORDS, DURATION_S)
    assert files["vtt"].decode() == vtt(WORDS, DURATION_S)
    assert files["csv"].decode().splitlines()[0] == "word,start_s,end_s,confidence"
    assert len(files["csv"].decode().splitlines()) == len(WORDS) + 1
    assert files["textgrid"].decode() == textgrid(WORDS, CHARACTERS, DURATION_S)
    with pytest.raises(ValueError, match="expected one of text, srt, vtt, textgrid, csv, got npy"):
        write("npy", WORDS, CHARACTERS, DURATION_S)


@pytest.fixture
def read_textgrid(tmp_path):
    def read(document):
        path = tmp_path / "written.TextGrid"
        path.write_text(document, encoding="utf-8")
        return praat.openTextgrid(str(path), includeEmptyIntervals=True, reportingMode="error")

    return read


def labelled(tier):
    return [tuple(entry) for entry in tier.entries if entry.label]


def test_praatio_reads_the_words_and_characters(read_textgrid):
    found = read_textgrid(textgrid(WORDS, CHARACTERS, DURATION_S))
    assert tuple(found.tierNames) == ("words", "characters")
    assert [entry[2] for entry in labelled(found.getTier("words"))] == [w.word for w in WORDS]
    times = [time for entry in labelled(found.getTier("words")) for time in entry[:2]]
    assert times == pytest.approx([t for w in WORDS for t in (w.start_s, w.end_s)], abs=1e-6)
    assert labelled(found.getTier("characters")) == [
        (0.0, 0.1, "a"),
        (0.1, 0.14, "b"),
        (0.26, 0.3, '"'),
    ]


def test_a_textgrid_may_do_without_characters(read_textgrid):
    found = read_textgrid(textgrid(WORDS, None, DURATION_S))
    assert tuple(found.tierNames) == ("words",)
    assert [entry[2] for entry in labelled(found.getTier("words"))] == [w.word for w in WORDS]


@pytest.mark.parametrize("words", [WORDS, WORDS[:1], []])
def test_intervals_touch_and_fill_the_recording(read_textgrid, words):
    found = read_textgrid(textgrid(words, CHARACTERS if words else [], DURATION_S))
    assert (found.minTimestamp, found.maxTimestamp) == (0, DURATION_S)
    for tier in found.tiers:
        entries = tier.entries
        assert (entries[0].start, entries[-1].end) == (0, DURATION_S)
        assert all(entry.start < entry.end for entry in entries)
        assert all(left.end == right.start for left, right in itertools.pairwise(entries))


def test_textgrid_by_hand():
    grid = textgrid([Word('"a"', 0.02, 0.1, 1.0)], [], 0.1)
    assert grid == (
        'File type = "ooTextFile"\n'
        'Object class = "TextGrid"\n'
        "\n"
        "xmin = 0 \n"
        "xmax = 0.1 \n"
        "tiers? <exists> \n"
        "size = 2 \n"
        "item []: \n"
        "    item [1]:\n"
        '        class = "IntervalTier" \n'
        '        name = "words" \n'
        "        xmin = 0 \n"
        "        xmax = 0.1 \n"
        "        intervals: size = 2 \n"
        "        intervals [1]:\n"
        "            xmin = 0 \n"
        "            xmax = 0.02 \n"
        '            text = "" \n'
        "        intervals [2]:\n"
        "            xmin = 0.02 \n"
        "            xmax = 0.1 \n"
        '            text = """a""" \n'
        "    item [2]:\n"
        '        class = "IntervalTier" \n'
        '        name = "characters" \n'
        "        xmin = 0 \n"
        "        xmax = 0.1 \n"
        "        intervals: size = 1 \n"
        "        intervals [1]:\n"
        "            xmin = 0 \n"
        "            xmax = 0.1 \n"
        '            text = "" \n'
    )
