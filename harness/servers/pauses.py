"""How long to wait before a request is tried again."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST = 0.5  # seconds before the second try
MOST = 30.0  # seconds between two tries that no server asked for
LONGEST = 3600.0  # seconds that a server may ask for


def backoff(tries: int) -> float:
    """Return the seconds to wait after so many failed tries: twice as long each time."""
    return float(min(MOST, FIRST * 2 ** min(tries - 1, 20)))


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, as a number or a date; None where it says neither."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            date = parsedate_to_datetime(header)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST) if seconds == seconds else None
