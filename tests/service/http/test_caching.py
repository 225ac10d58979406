import itertools

import pytest

from service.http.caching import cache_headers, is_fresh, strong_etag

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
    headers = cache_headers(ETAG, 12.9)
    assert headers["Cache-Control"] == "private, max-age=12"
    assert headers["ETag"] == ETAG
    assert headers["Vary"] == "Accept"
