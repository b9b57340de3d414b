"""Limits: how often something may be done within a while; see shared/counters.py."""

from datetime import timedelta

from shared.counters import Limit
from shared.errors import Refused


class TooOften(Refused):
    """This was tried too often within a short time. Please try again in an hour."""

    status = 429
    retry_after_seconds = 3_600


# An office checks a whole intake in a day; who tries numbers at random needs thousands.
LOOKS_OF_ORGANISATION = Limit("looks of an organisation", 200, timedelta(hours=1))
# Ten thousand secret numbers at ten an hour, by all organisations together: six weeks without rest.
LOOKS_AT_NUMBER = Limit("looks at an ID number", 10, timedelta(hours=1))
