"""Pages of enrollment. Public: the calendar and each sitting. For candidates: registrations."""

from services.enrollment.pages import calendar, claims, sittings

REGISTRATION_ROUTES = claims.ROUTES

ROUTES = [
    *calendar.ROUTES,
    *sittings.ROUTES,
]
