import re

from service.store import ID_PATTERN, new_id


def test_ids_differ_and_fit_their_pattern():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(ID_PATTERN, each) for each in ids)
