"""When a request is sent again."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon to try again if no connection is made or the service is busy (503).

    No others are repeated, nor one that took longer than a request may, which is 503, too.

    Attributes:
        retries: tries after the first.
        first_pause_s: before the second; each further pause is twice as long.
        max_pause_s: the longest. A service that asks for more (Retry-After) is not tried again.
    """

    retries: int = 4
    first_pause_s: float = 0.5
    max_pause_s: float = 60.0

    def pause_s(self, failures: int, asked_s: float) -> float | None:
        """How long to wait after so many failures; None to give up.

        Args:
            failures: 1 or more.
            asked_s: what the service asks for at least.
        """
        if failures > self.retries or asked_s > self.max_pause_s:
            return None
        longer_s: float = min(self.first_pause_s * 2.0 ** (failures - 1), self.max_pause_s)
        return max(asked_s, longer_s)


NO_RETRIES = RetryPolicy(retries=0)


def retry_after_s(response: httpx.Response) -> float:
    """Seconds that a response asks to wait (RFC 9110, section 10.2.3); 0 if it does not say."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
