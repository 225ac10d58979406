"""docs/transcription.md: tests try each oddity in its tables, and what they try is there."""

import ast
import re
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AUDIO = "tests/otoscope/audio/test_{}.py"
CONTAINERS, CHANNELS, JOINED = map(AUDIO.format, ("containers", "channels", "joined_files"))
REFUSED, TRUNCATION = map(AUDIO.format, ("refused_audio", "truncation"))
PROCESSES = AUDIO.format("decode_processes")
OUTSIDE, FORMS = "tests/otoscope/cli/test_outside_text.py", "tests/service/http/test_forms.py"
OPENAI, TABLES = "tests/service/openai_api/test_routes.py", "tests/training/data/test_tables.py"

TRIED = {
    "wav (also RF64": (CONTAINERS, "test_encodings_of_a_wav test_kin_of_the_wav"),
    "m4a, mp4, mov": (
        CONTAINERS,
        "test_unusual_containers test_an_aac_with_spectral_band_replication",
    ),
    "wav, au, aiff from a pipe": (
        TRUNCATION,
        "test_a_wav_written_to_a_pipe_does_not_know_its_size "
        "test_an_au_or_aiff_written_to_a_pipe_does_not_know_its_size",
    ),
    "sizes that are a few": (TRUNCATION, "test_sizes_that_are_a_few_bytes_off"),
    "less than its header": (TRUNCATION, "test_a_cut_file_is_decoded_as_far_as_it_goes"),
    "more than its header": (
        JOINED,
        "test_files_that_no_decoder_reads_on test_a_header_that_states_half",
    ),
    "a wav whose header": (TRUNCATION, "test_a_header_that_was_never_finished"),
    "mp3 without a length": (CONTAINERS, "test_an_mp3_of_varying_rate_without_a_length"),
    "Ogg whose last page": (JOINED, "test_an_end_mark_that_is_missing_is_said_as_such"),
    "chained Ogg": (
        JOINED,
        "test_chained_ogg test_joined_mp3 test_an_aac_that_changes_its_rate",
    ),
    "packets that can't": (
        CONTAINERS,
        "test_packets_that_are_damaged_are_left_out_and_the_rest_is_read",
    ),
    "a stream that appears": (
        PROCESSES,
        "test_files_that_once_killed_or_failed_are_read_or_refused",
    ),
    "sound that begins": (
        CONTAINERS,
        "test_sound_that_begins_after_the_picture test_a_recorder_that_paused",
    ),
    "a clock that leaps": (CONTAINERS, "test_a_clock_that_leaps_too_far_is_not_followed"),
    "several audio tracks": (
        CHANNELS,
        "test_the_track_that_is_marked_as_the_default test_a_track_may_be_chosen "
        "test_tracks_are_counted_without_being_decoded test_streams_side_by_side_in_an_ogg",
    ),
    "several channels": (
        CHANNELS,
        "test_many_channels_are_averaged_like_few test_a_chain_of_mono_and_stereo_has_two_channels",
    ),
    "channels that cancel": (CHANNELS, "test_channels_that_cancel"),
    "floats beyond 4": (CONTAINERS, "test_floats_on_the_scale_of_integers"),
    "mp4 or m4a without": (
        REFUSED,
        "test_seconds_that_a_low_rate_claims_are_never_made "
        "test_odd_samples_are_refused_or_read_and_write_nothing",
    ),
    "file names that": (OUTSIDE, "test_a_name_that_is_not_utf8 test_such_a_name_in_json"),
    "texts with a byte order": (OUTSIDE, "test_texts_in_unicode_are_read"),
    "texts in latin-1": (OUTSIDE, "test_another_encoding_is_one_line_and_the_next_file_is_done"),
    "text in a form": (
        FORMS,
        "test_text_in_an_encoding_that_is_told test_a_query_in_another_encoding_is_refused",
    ),
    "digits and signs": (OUTSIDE, "test_digits_are_read_and_what_has_no_sound_is_warned_of"),
    "a file's part": (FORMS, "test_a_part_named_in_another_alphabet_only_is_a_file"),
    "a body of": (FORMS, "test_a_body_that_is_no_recording"),
    "empty fields": (OPENAI, "test_empty_fields_and_needless_slashes"),
    "`temperature`": (OPENAI, "test_what_clients_send_out_of_habit_is_taken"),
    "manifests of NeMo": (TABLES, "test_parts_of_a_recording test_common_voice test_ljspeech"),
}
"""How each row begins, and the tests that try it."""


def rows():
    """First cells of the section's tables, without their headers."""
    text = (ROOT / "docs/transcription.md").read_text()
    section = re.split(r"^## ", text, flags=re.MULTILINE)[1]
    tables = groupby(section.splitlines(), key=lambda line: line.startswith("|"))
    return [line[2:] for is_table, lines in tables if is_table for line in list(lines)[2:]]


def test_each_row_is_tried_and_each_that_is_tried_has_a_row():
    unmatched = [row for row in rows() if sum(map(row.startswith, TRIED)) != 1]
    assert unmatched == []
    assert len(rows()) == len(TRIED) > 20


@pytest.mark.parametrize("row", TRIED)
def test_what_tries_a_row_is_there(row):
    path, names = TRIED[row]
    parsed = ast.parse((ROOT / path).read_text())
    there = {node.name for node in parsed.body if isinstance(node, ast.FunctionDef)}
    assert set(names.split()) <= there
