"""One call to a provider's server: what comes back, or that nothing clear did."""

from collections.abc import Mapping

from aiohttp import ClientError, ClientSession, ClientTimeout

# Their answers are some KB; more than this is not an answer.
LARGEST_ANSWER = 256 * 1024


class Unclear(Exception):
    """No answer, or none that can be read. What was asked for may have happened."""


async def call(
    method: str, address: str, *, body: bytes | None, headers: Mapping[str, str], seconds: float
) -> tuple[int, bytes]:
    """Send it and return the status and all of the answer. Wherever else it points, we do not go.

    By its kind only is told what went wrong: its words may repeat what was sent.
    """
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=seconds)) as session,
            session.request(
                method, address, data=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            content = bytearray()
            async for chunk in answer.content.iter_any():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    raise Unclear("the answer does not end")
            return answer.status, bytes(content)
    except (ClientError, TimeoutError) as error:
        raise Unclear(type(error).__name__) from error
