"""Pages of enrollment: the calendar for everyone, registrations for their candidates."""

from services.enrollment.pages import (
    calendar,
    documents,
    forms,
    registrations,
    sending,
    statistics,
    tokens,
)

DOCUMENT_ROUTES = documents.ROUTES
TOKEN_ROUTES = tokens.ROUTES

REGISTRATION_ROUTES = [
    *registrations.ROUTES,
    *forms.ROUTES,
    *sending.ROUTES,
]

ROUTES = [
    *calendar.ROUTES,
    *statistics.ROUTES,
]
