"""The store that the settings name."""

import logging

from service.errors import StartError, StoreError, StoreRefusedError
from service.settings import Settings
from service.store.base import Bounds, Store
from service.store.redis import RedisStore
from service.store.redis_client import RedisServer
from service.store.sqlite import LAYOUT, SqliteStore

logger = logging.getLogger(__name__)


def open_store(settings: Settings) -> Store:
    """Open it, or make it.

    A Redis server that is away may come back; one that refuses this service will go on refusing.

    Raises:
        StartError: naming the variable that has to change.
    """
    bounds = Bounds(settings.result_ttl_s, settings.store_max_bytes, settings.result_max_bytes)
    if settings.redis_url is None:
        # Beside the file of an older release.
        path = settings.store_path or settings.directory / f"results-{LAYOUT}.sqlite3"
        return SqliteStore(path, bounds)
    secret = settings.store_password
    password = None if secret is None else secret.get_secret_value()
    store = RedisStore(RedisServer(settings.redis_url, password), bounds)
    try:
        store.check()
    except StoreRefusedError as error:
        store.close()
        raise StartError(f"OTOSCOPE_STORE, OTOSCOPE_STORE_PASSWORD: {error}") from error
    except StoreError as error:
        logger.warning("results are not kept for now: %s", error)
    return store
