"""Pages of scoring for everyone: what it is, and the digests that prove what it published."""

from services.scoring.pages import digests, public

ROUTES = [
    *public.ROUTES,
    *digests.ROUTES,
]
