"""Shuts merchants out who ask too often, as ECPay does."""

from collections import defaultdict, deque

A_MINUTE = 60


class Gate:
    """Lets so many questions of a merchant through in a minute; then none for half an hour."""

    def __init__(self, most_a_minute: int, shut_out_seconds: float) -> None:
        self._most = most_a_minute
        self._shut_out_seconds = shut_out_seconds
        self._asked: defaultdict[str, deque[float]] = defaultdict(deque)
        self._shut_until: dict[str, float] = {}

    def lets_in(self, merchant: str, *, now: float) -> bool:
        if now < self._shut_until.get(merchant, 0):
            return False
        asked = self._asked[merchant]
        while asked and asked[0] <= now - A_MINUTE:
            asked.popleft()
        asked.append(now)
        if len(asked) > self._most:
            self._shut_until[merchant] = now + self._shut_out_seconds
            asked.clear()
            return False
        return True
