"""What was sent and cannot be read: the sender's fault, whatever error reading it raises."""

from traceback import walk_tb

from aiohttp import web

# A form may name a character set or an encoding that nobody knows, end in the middle of a part,
# or claim to be packed: reading it raises a dozen kinds of errors, none of which says whose it is.
READING = frozenset({web.Request.post.__code__, web.BaseRequest.read.__code__})


def is_unreadable(error: BaseException) -> bool:
    """Tell whether an error says that a body, a cookie or a header cannot be read.

    A full disk while a large file is put aside is our fault; a connection that broke is not.
    """
    if _holds_half_a_letter(error) or _holds_half_a_letter(error.__cause__):
        return True
    is_ours = isinstance(error, OSError) and not isinstance(error, ConnectionError)
    return not is_ours and any(frame.f_code in READING for frame, _ in walk_tb(error.__traceback__))


def _holds_half_a_letter(error: BaseException | None) -> bool:
    """Bytes that are no UTF-8 become halves of letters, which can be written nowhere again."""
    return isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed"
