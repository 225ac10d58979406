import pytest
from stores import RedisStores, SqliteStores


@pytest.fixture(params=["sqlite", "redis"])
def stores(request, tmp_path):
    """Of each kind; a module about one kind has its own."""
    if request.param == "sqlite":
        return SqliteStores(tmp_path / "kept" / "results.sqlite3")
    return RedisStores(request.getfixturevalue("redis_server").url)
