"""Pages of enrollment. Public: the calendar and each sitting. For candidates: registrations."""

from services.enrollment.pages import (
    calendar,
    claims,
    confirmations,
    documents,
    forms,
    registrations,
    sending,
    sittings,
    statistics,
    tokens,
)

DOCUMENT_ROUTES = documents.ROUTES
TOKEN_ROUTES = tokens.ROUTES

REGISTRATION_ROUTES = [
    *claims.ROUTES,
    *registrations.ROUTES,
    *confirmations.ROUTES,
    *forms.ROUTES,
    *sending.ROUTES,
]

ROUTES = [
    *calendar.ROUTES,
    *sittings.ROUTES,
    *statistics.ROUTES,
]
