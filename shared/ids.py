"""Ids in the order of their making: a crowd of new rows touches few pages of an index."""

import os
from datetime import datetime
from uuid import UUID

VERSION_7 = 0x7 << 76  # RFC 9562, 5.7: milliseconds first, then chance
VARIANT = 0b10 << 62


def new_id(now: datetime) -> UUID:
    chance = int.from_bytes(os.urandom(10))
    high, low = chance >> 68, chance & (1 << 62) - 1  # 12 and 62 bits
    milliseconds = int(now.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | VERSION_7 | high << 64 | VARIANT | low)
