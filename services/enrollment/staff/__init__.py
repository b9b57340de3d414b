"""Pages of enrollment for staff: the catalogue, reviews, and all registrations."""

from services.enrollment.staff import (
    absences,
    decisions,
    dossiers,
    levels,
    overview,
    programmes,
    queue,
    registrations,
    sittings,
    windows,
)

ABSENCE_ROUTES = absences.ROUTES

ROUTES = [
    *overview.ROUTES,
    *programmes.ROUTES,
    *levels.ROUTES,
    *sittings.ROUTES,
    *windows.ROUTES,
    *queue.ROUTES,
    *registrations.ROUTES,
    *dossiers.ROUTES,
    *decisions.ROUTES,
]
