"""Pages of identity. Public: signing up and in, letters. For those signed in: their account."""

from aiohttp import web

from services.identity.pages import (
    front,
    google,
    letters,
    own_account,
    results_details,
    results_front,
    results_letters,
    results_registration,
    second_factor_setup,
    signing_in,
    signing_up,
)

FRONT = front.ROUTES

ACCOUNT_ROUTES = own_account.ROUTES

DETAILS_ROUTES = results_details.ROUTES

ROUTES = [
    web.get("/", own_account.first_page),
    web.get("/terms", front.show_terms),
    web.get("/closed", own_account.show_closed),
    *signing_in.ROUTES,
    *second_factor_setup.ROUTES,
    *signing_up.ROUTES,
    *letters.ROUTES,
    *google.ROUTES,
    *results_front.ROUTES,
    *results_registration.ROUTES,
    *results_letters.ROUTES,
]
