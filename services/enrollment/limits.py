"""Limits: how often something may be done within a while; see shared/counters.py."""

from datetime import timedelta

from shared.counters import Limit
from shared.errors import Refused


class TooManyNumbers(Refused):
    """Too many ID numbers were refused here today. Try again tomorrow, or tell us what is wrong."""

    status = 429
    retry_after_seconds = 86_400


# A family mistypes a few; who wants to learn which people hold places has a whole list.
REFUSED_NUMBERS = Limit("refused ID numbers", 10, timedelta(days=1))
