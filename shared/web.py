"""What every service's web process has in common: from a service's parts to an application."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from shared import health
from shared.api import Operations
from shared.auth import SESSIONS, Sessions
from shared.background import Background
from shared.db import POOL, create_pool
from shared.guards import Guard, pass_guard
from shared.i18n import Catalogues, switch_language
from shared.observe import SERVICE_NAME, metrics, observe_request
from shared.problems import FOR_MACHINES, show_problems, show_problems_at_root
from shared.proxies import TRUSTED_PROXIES
from shared.security import BODY_LIMIT, add_headers
from shared.settings import SETTINGS, ServiceSettings
from shared.static import StaticFiles
from shared.templates import TEMPLATES, Templates

# How long requests under way may take once the process was told to end.
SHUTDOWN_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Audience:
    """A group of routes below one prefix, and the one door to it."""

    prefix: str
    routes: Sequence[web.RouteDef]
    guard: Guard
    body_limit: int = BODY_LIMIT
    # Of an audience of machines: what stands in the documents about each handler.
    operations: Operations = field(default_factory=dict)


@dataclass
class Service:
    """One service's web side, ready to be built into an application."""

    name: str
    settings: ServiceSettings
    folder: Path
    audiences: Sequence[Audience]
    # Pages at the root of the site; the service that is listed first owns them.
    front: Audience | None = None
    provided: dict[web.AppKey[Any], Any] = field(default_factory=dict)
    background: list[Background] = field(default_factory=list)


def build(services: Sequence[Service]) -> web.Application:
    """Build one application of one or of all services: the code cannot tell the difference."""
    first = services[0]
    root = web.Application(
        middlewares=[
            observe_request,
            show_problems_at_root,
            switch_language(secure=first.settings.is_https),
        ],
        client_max_size=BODY_LIMIT,
    )
    root.add_routes(_static().routes())
    root.add_routes(
        [
            web.get("/healthz", health.healthz),
            web.get("/readyz", health.readyz),
            web.get("/metrics", metrics),
        ]
    )
    root.on_response_prepare.append(add_headers(is_https=first.settings.is_https))
    root[health.READINESS] = readiness = health.Readiness()
    for service in services:
        apps = [_mount(root, audience) for audience in service.audiences]
        if service is first:
            apps.append(root)
            _add_front(root, service)
        _provide(service, apps)
        root.cleanup_ctx.append(partial(_run_beside, service, apps))
        readiness.databases.append(
            health.Database(service.name, service.folder / "migrations", partial(apps[0].get, POOL))
        )
    return root


def _mount(root: web.Application, audience: Audience) -> web.Application:
    # Problems are shown here, where the service's own words and the audience are known.
    app = web.Application(middlewares=[show_problems, _door(audience)])
    app.add_routes(audience.routes)
    app[FOR_MACHINES] = audience.guard.for_machines
    root.add_subapp(audience.prefix, app)
    return app


def _door(audience: Audience) -> Any:
    @web.middleware
    def door(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        if audience.body_limit != BODY_LIMIT:
            request = request.clone(client_max_size=audience.body_limit)
        return pass_guard(audience.guard, request, handler)

    return door


def _add_front(root: web.Application, service: Service) -> None:
    """Add the pages at the root of the site, which no sub-application can hold."""
    if service.front is None:
        return
    for route in service.front.routes:
        handler = partial(_enter, service.front.guard, handler=route.handler)
        methods = (
            [hdrs.METH_GET, hdrs.METH_HEAD] if route.method == hdrs.METH_GET else [route.method]
        )
        for method in methods:
            root.router.add_route(method, route.path, handler)


async def _enter(guard: Guard, request: web.Request, handler: Handler) -> web.StreamResponse:
    return await pass_guard(guard, request, handler)


@cache
def _static() -> StaticFiles:
    return StaticFiles.load()


@cache
def _templates(folder: Path) -> Templates:
    """Read and compile a service's pages once, however often a process builds it."""
    catalogues = Catalogues([folder / "locales"])
    return Templates([folder / "templates"], static=_static(), catalogues=catalogues)


def _provide(service: Service, apps: Sequence[web.Application]) -> None:
    settings = service.settings
    sessions = Sessions(database_url=str(settings.database_url), service=service.name)
    service.background.append(sessions)
    provided: dict[web.AppKey[Any], Any] = {
        SERVICE_NAME: service.name,
        SETTINGS: settings,
        TRUSTED_PROXIES: settings.trusted_proxies,
        SESSIONS: sessions,
        TEMPLATES: _templates(service.folder),
        **service.provided,
    }
    for app in apps:
        for key, value in provided.items():
            app[key] = value


async def _run_beside(
    service: Service, apps: Sequence[web.Application], root: web.Application
) -> AsyncIterator[None]:
    """Open the pool and run what runs beside the requests, as long as the application runs."""
    settings = service.settings
    pool = await create_pool(
        str(settings.database_url), application=f"{service.name} web", size=settings.pool_size
    )
    for app in apps:
        app[POOL] = pool
    tasks = [asyncio.create_task(part.run()) for part in service.background]
    yield
    for part in service.background:
        part.stop()
    await asyncio.wait(tasks, timeout=SHUTDOWN_SECONDS)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    try:
        async with asyncio.timeout(SHUTDOWN_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()
