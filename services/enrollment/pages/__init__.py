"""Pages of enrollment for everyone: the calendar, and each sitting."""

from services.enrollment.pages import calendar, sittings

ROUTES = [
    *calendar.ROUTES,
    *sittings.ROUTES,
]
