"""Pages of scoring: for everyone, for candidates, and for organisations that check statements."""

from services.scoring.pages import checks, digests, public, results, shares, verification

RESULT_ROUTES = [
    *results.ROUTES,
    *shares.OWN_ROUTES,
]

VERIFICATION_ROUTES = verification.ROUTES

ROUTES = [
    *public.ROUTES,
    *digests.ROUTES,
    *checks.ROUTES,
    *shares.ROUTES,
]
