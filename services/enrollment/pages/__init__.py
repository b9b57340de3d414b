"""Pages of enrollment. Public: the calendar. For candidates: their registrations."""

from services.enrollment.pages import calendar, claims, documents, forms, registrations, sending

DOCUMENT_ROUTES = documents.ROUTES

REGISTRATION_ROUTES = [
    *claims.ROUTES,
    *registrations.ROUTES,
    *forms.ROUTES,
    *sending.ROUTES,
]

ROUTES = calendar.ROUTES
