"""Pages of enrollment. Public: the calendar. For candidates: their registrations."""

from services.enrollment.pages import calendar, claims

REGISTRATION_ROUTES = claims.ROUTES

ROUTES = calendar.ROUTES
