"""A browser's way through signing in with Google, on a site that offers it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientResponse
from yarl import URL

from tests.conftest import MakeDatabase
from tests.issuer import CLIENT, SETTINGS, Running
from tests.site import FROM_OUR_PAGE, Site, open_site

EMAIL = "Wu@exam.example"
SECOND_FACTOR = "/identity/second-factor"
LINK = "/identity/google/link"


@asynccontextmanager
async def open_google_site(
    make_database: MakeDatabase, google: Running, **more: str
) -> AsyncIterator[Site]:
    """Open a site on which one can sign in with this issuer."""
    settings = {**SETTINGS, "oidc_issuer": google.issuer.url, **more}
    async with open_site(make_database, "identity", "enrollment", **settings) as site:
        yield site


async def go(site: Site, path: str) -> ClientResponse:
    answer: ClientResponse = await site.client.get(path, allow_redirects=False)
    return answer


async def set_out(site: Site, **query: str) -> URL:
    """Press the button; return the issuer's address the browser is sent to."""
    answer = await go(site, str(URL("/identity/google").with_query(query)))
    assert answer.status == 303
    return URL(answer.headers["Location"])


async def come_back(site: Site, address: URL) -> ClientResponse:
    assert str(address.with_query(None)) == CLIENT.redirect_uri
    return await go(site, address.path_qs)


async def sign_in(site: Site, google: Running, email: str = EMAIL, **query: str) -> ClientResponse:
    return await come_back(site, await google.be(await set_out(site, **query), email))


async def prove(site: Site, password: str) -> ClientResponse:
    answer: ClientResponse = await site.client.post(
        LINK, data={"password": password}, headers=FROM_OUR_PAGE, allow_redirects=False
    )
    return answer


async def is_signed_in(site: Site) -> bool:
    return (await go(site, "/identity/account/password")).status == 200


async def acts(site: Site) -> list[str]:
    rows = await site.pools["identity"].fetch("SELECT act FROM audit_lines ORDER BY id")
    return [row["act"] for row in rows]


async def count(site: Site) -> tuple[int, int, int]:
    """How many accounts, linked identities, and sessions there are."""
    row = await site.pools["identity"].fetchrow(
        """
        SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM linked_identities),
               (SELECT count(*) FROM sessions)
        """
    )
    assert row
    return row[0], row[1], row[2]
