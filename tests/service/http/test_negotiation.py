import pytest

from otoscope.formats import ALIGNMENT_FORMATS, MATRIX_FORMATS, TRANSCRIPT_FORMATS
from service.errors import NotAcceptableError
from service.http.negotiation import negotiate, prefers_events

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ([], "json"),
        ([""], "json"),
        (["*/*"], "json"),
        (["application/json"], "json"),
        (["text/csv"], "csv"),
        (["application/x-npy"], "npy"),
        (["image/png"], "png"),
        (["IMAGE/PNG"], "png"),
        (["image/*"], "png"),
        (["text/*, application/x-npy;q=0.9"], "csv"),
        (["text/csv;q=0.5, image/png;q=0.7"], "png"),
        (["text/csv;q=0.5 , image/png; q=0.7 , */*;q=0.1"], "png"),
        (["text/csv;q=0.5", "image/png;q=0.4"], "csv"),  # two headers are one list
        (["text/csv, image/png"], "csv"),  # the server's order where the client has none
        (["application/*;q=0.8, application/json;q=0.1"], "npy"),  # the most specific counts
        (["application/json;q=0, */*"], "csv"),
        (["text/csv;q=0.001"], "csv"),
        (["text/csv; charset=utf-8; header=present"], "csv"),
        (["application/json;charset=utf-8;q=0.3, text/csv;q=0.2"], "json"),
        (["text/csv;q=high, image/png;q=0.1"], "png"),  # no quality, no range
        (["text/csv;q=2, image/png;q=0.1"], "png"),
        (["nonsense, image/png"], "png"),
        ([CHROME], "json"),
    ],
)
def test_what_accept_prefers(accept, expected):
    assert negotiate(None, accept, MATRIX_FORMATS, "format") == expected


@pytest.mark.parametrize(
    "accept", ["text/html", "image/jpeg", "*/*;q=0", "image/png;q=0", "nonsense", "text/csv;q=x"]
)
def test_nothing_that_is_offered(accept):
    with pytest.raises(NotAcceptableError) as caught:
        negotiate(None, [accept], MATRIX_FORMATS, "format")
    message = str(caught.value)
    for offered in ("application/json", "text/csv", "application/x-npy", "image/png"):
        assert offered in message
    assert "format=json|csv|npy|png" in message
    assert accept in message


@pytest.mark.parametrize(
    ("accept", "transcript", "alignment"),
    [
        ("application/json", "json", "json"),  # not verbose_json, which has the same type
        ("text/plain", "text", "textgrid"),
        ("text/*", "text", "textgrid"),
        ("text/vtt, text/plain;q=0.9", "vtt", "vtt"),
        ("application/x-subrip", "srt", "srt"),
        ("application/json, text/plain, */*", "json", "json"),
    ],
)
def test_other_offers(accept, transcript, alignment):
    assert negotiate(None, [accept], TRANSCRIPT_FORMATS, "response_format") == transcript
    assert negotiate(None, [accept], ALIGNMENT_FORMATS, "response_format") == alignment


def test_a_type_is_listed_once():
    with pytest.raises(NotAcceptableError) as caught:
        negotiate(None, ["image/png"], TRANSCRIPT_FORMATS, "response_format")
    assert str(caught.value) == (
        "expected an Accept header that allows application/json, text/plain, "
        "application/x-subrip, text/vtt, text/csv, or "
        "response_format=json|verbose_json|text|srt|vtt|textgrid|csv, got Accept: image/png"
    )


def test_the_query_wins():
    assert negotiate("npy", ["image/png"], MATRIX_FORMATS, "format") == "npy"
    assert negotiate("json", ["text/html"], MATRIX_FORMATS, "format") == "json"


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        ("text/event-stream", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream;q=0.5, text/html", True),  # nothing else is offered that it allows
        ("text/event-stream;q=0.5, */*;q=0.8", False),
        ("text/event-stream;q=0", False),
        ("*/*", False),
    ],
)
def test_events_have_to_be_named(accept, preferred):
    assert prefers_events([accept], TRANSCRIPT_FORMATS) == preferred
