"""Pages of scoring: for everyone, for candidates, for organisations that check statements."""

from services.scoring.pages import checks, public, results, shares, verification

RESULT_ROUTES = [
    *results.ROUTES,
    *shares.OWN_ROUTES,
]
VERIFICATION_ROUTES = verification.ROUTES

ROUTES = [
    *public.ROUTES,
    *checks.ROUTES,
    *shares.ROUTES,
]
