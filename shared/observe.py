"""What is told about every request: its one line in the log, its figures, its span."""

import time
from datetime import UTC, datetime
from functools import cache
from random import getrandbits

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, Histogram, generate_latest

from shared import logs
from shared.metrics import REQUESTS
from shared.proxies import is_from_gateway
from shared.tracing import request_span

# Judged by when a request arrived, not by when we got round to it.
ARRIVED_AT = web.RequestKey("arrived_at", datetime)
# The same on the stop-watch of this process, which nobody sets.
STARTED = web.RequestKey("started", float)
REQUEST_ID = web.RequestKey("request_id", str)
SERVICE_NAME = web.AppKey("service_name", str)

# Asked every few seconds by machines; a line each would drown the others.
UNLOGGED = {"/healthz", "/readyz", "/metrics"}


@web.middleware
async def observe_request(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Stamp a request with its arrival and its id, and write its one canonical line."""
    request[ARRIVED_AT] = datetime.now(UTC)
    request[STARTED] = started = time.perf_counter()
    request[REQUEST_ID] = request_id = _request_id(request)
    resource = request.match_info.route.resource
    # The route, never the path: paths carry ids, queries carry anything.
    route = resource.canonical if resource is not None else "(none)"
    if route in UNLOGGED:
        return await handler(request)
    status = 500
    # Every connection has a context of its own, in which the next request takes this one's place.
    logs.REQUEST.set(request_id)
    with request_span(request.method, route, request.headers) as span:
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
            logs.write_canonical(
                service=service,
                method=request.method,
                route=route,
                status=status,
                seconds=seconds,
                now=datetime.now(UTC),
            )


@cache  # looking one up costs more than adding to it
def _histogram(service: str, route: str, method: str, status: int) -> Histogram:
    return REQUESTS.labels(service, route, method, status)


def _request_id(request: web.Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    if given.isalnum() and len(given) <= 64 and is_from_gateway(request):
        return given
    return f"{getrandbits(128):032x}"  # to find its log lines by: nothing is kept behind it


async def metrics(request: web.Request) -> web.Response:
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
