"""What is told about the running house: logs, the canonical line of each request, and metrics."""

import asyncio
import logging
import sys
import time
from datetime import UTC, datetime
from functools import cache
from random import getrandbits
from typing import TextIO, cast

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest
from pydantic_core import to_json

from shared.metrics import REQUESTS
from shared.proxies import is_from_gateway
from shared.settings import ServiceSettings
from shared.tracing import request_span

log = structlog.get_logger()

# Judged by when a request arrived, not by when we got round to it.
ARRIVED_AT = web.RequestKey("arrived_at", datetime)
# The same on the stop-watch of this process, which nobody sets.
STARTED = web.RequestKey("started", float)
REQUEST_ID = web.RequestKey("request_id", str)
SERVICE_NAME = web.AppKey("service_name", str)

# Asked every few seconds by machines; a line each would drown the others.
UNLOGGED = {"/healthz", "/readyz", "/metrics"}


def configure_logs(settings: ServiceSettings) -> None:
    """Write JSON lines, or readable ones on a terminal, to standard output."""
    readable = settings.log_format == "text" or (
        settings.log_format == "auto" and sys.stdout.isatty()
    )
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if readable:
        # A plain traceback: the rich one shows every local name, and passwords among them.
        plain = structlog.dev.plain_traceback
        processors.append(structlog.dev.ConsoleRenderer(exception_formatter=plain))
    else:
        processors += [
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", _Gathered(sys.stdout))),
        cache_logger_on_first_use=True,
    )
    # The libraries' own words join ours, warnings and worse only.
    logging.basicConfig(level=logging.WARNING, handlers=[_ToStructlog()], force=True)
    logging.captureWarnings(capture=True)


class _Gathered:
    """A file that is flushed once for all lines of one turn of the loop, not for each."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.write = file.write
        self._due_in: asyncio.AbstractEventLoop | None = None

    def flush(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._flush()
            return
        if self._due_in is not loop:
            self._due_in = loop
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._due_in = None
        self._file.flush()


def _to_json(line: object, **_: object) -> str:
    return to_json(line, fallback=repr).decode()


class _ToStructlog(logging.Handler):
    """Passes what libraries log through the same processors."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            # Not even a request, and no defect: any stranger can send one. What it held may be
            # anything, and is not kept.
            log.info("request not understood", why=type(error).__name__)
            return
        log.log(
            record.levelno,
            record.getMessage(),
            logger=record.name,
            exc_info=record.exc_info or None,
        )


@web.middleware
async def observe_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Stamp a request with its arrival and its id, and write its one canonical line."""
    request[ARRIVED_AT] = datetime.now(UTC)
    request[STARTED] = started = time.perf_counter()
    request[REQUEST_ID] = request_id = _request_id(request)
    if request.path in UNLOGGED:
        return await handler(request)
    resource = request.match_info.route.resource
    # The route, never the path: paths carry ids, queries carry anything.
    route = resource.canonical if resource is not None else "(none)"
    status = 500
    # Every connection has a context of its own, in which the next request takes this one's place.
    structlog.contextvars.bind_contextvars(request_id=request_id)
    with request_span(f"{request.method} {route}", request.headers) as span:
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            status = answer.status
            raise
        else:
            status = response.status
            return response
        finally:
            seconds = time.perf_counter() - started
            service = request.match_info.apps[-1][SERVICE_NAME]
            _histogram(service, route, request.method, status).observe(seconds)
            span.set_attribute("http.response.status_code", status)
            log.info(
                "request",
                service=service,
                method=request.method,
                route=route,
                status=status,
                seconds=round(seconds, 4),
            )


@cache  # looking one up costs more than adding to it
def _histogram(service: str, route: str, method: str, status: int) -> Histogram:
    return REQUESTS.labels(service, route, method, status)


def _request_id(request: web.Request) -> str:
    if is_from_gateway(request):
        given = request.headers.get("X-Request-Id", "")
        if given.isalnum() and len(given) <= 64:
            return given
    return f"{getrandbits(128):032x}"  # to find its log lines by: nothing is kept behind it


async def metrics(request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
