import itertools

import pytest

from service.http.caching import conditional_response, is_fresh, result_headers, strong_etag

ETAG = '"0123"'


@pytest.mark.parametrize(
    ("if_none_match", "fresh"),
    [
        (None, False),
        ("", False),
        ('"0123"', True),
        ('W/"0123"', True),  # compared weakly, RFC 9110, section 13.1.2
        ('"a", "0123" ,"b"', True),
        ("*", True),
        ('"012"', False),
        ("0123", False),
        ('"a", *', False),  # an asterisk stands alone
    ],
)
def test_if_none_match(if_none_match, fresh):
    assert is_fresh(ETAG, if_none_match) is fresh


def test_tags_are_strong_and_follow_from_every_part():
    parts = [("a", "b"), ("ab", ""), ("a", "b", ""), ("b", "a"), ("a", "c")]
    tags = [strong_etag(each) for each in parts]
    assert all(one != other for one, other in itertools.combinations(tags, 2))
    assert strong_etag(("a", "b")) == tags[0]
    assert all(tag.startswith('"') and tag.endswith('"') and tag.count('"') == 2 for tag in tags)


def test_an_answer_is_fresh_no_longer_than_its_result():
    headers = result_headers(12.9)
    assert headers == {"Cache-Control": "private, max-age=12", "Vary": "Accept"}


def test_what_the_client_has_is_not_made_again():
    made = []

    def render():
        made.append(1)
        return b"body"

    headers = result_headers(12.9)
    answer = conditional_response(ETAG, None, render, "text/csv", headers)
    assert (answer.status_code, answer.body, made) == (200, b"body", [1])
    again = conditional_response(ETAG, ETAG, render, "text/csv", headers)
    assert (again.status_code, again.body, made) == (304, b"", [1])
    for each in (answer, again):
        assert each.headers["etag"] == ETAG
        assert each.headers["cache-control"] == "private, max-age=12"
