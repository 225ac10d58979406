"""Does the store work? Asked in a thread of its own, so that the answer waits for nothing else."""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor

from service.errors import StoreError
from service.store.base import Store

LIMIT_S = 2.0
"""A store that takes longer for its answer counts as away."""

logger = logging.getLogger(__name__)


class StoreCheck:
    """Asks one store, once at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._executor = ThreadPoolExecutor(1, "store-check")
        self._asking: Future[None] | None = None

    async def works(self) -> bool:
        """Whether it keeps something and gives it back; a reason against is logged."""
        if self._asking is None or self._asking.done():
            self._asking = self._executor.submit(self._store.check)
        asking = asyncio.wrap_future(self._asking)
        done, _ = await asyncio.wait({asking}, timeout=LIMIT_S)
        reason = asking.exception() if done else f"no answer of the store within {LIMIT_S:g} s"
        if reason is None:
            return True
        if not isinstance(reason, StoreError | str):
            raise reason
        logger.warning("results are not kept for now: %s", reason)
        return False

    def close(self) -> None:
        """Wait for the answer that is under way."""
        self._executor.shutdown(wait=True, cancel_futures=True)
