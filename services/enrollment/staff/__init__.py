"""Pages of enrollment for staff: the catalogue, reviews, all registrations, and exam centres."""

from services.enrollment.staff import (
    absences,
    centres,
    confirmations,
    decisions,
    dossiers,
    endings,
    entries,
    entry_imports,
    levels,
    overview,
    own_centres,
    programmes,
    queue,
    registrations,
    sittings,
    timetables,
    windows,
)

ABSENCE_ROUTES = absences.ROUTES
IMPORT_ROUTES = entry_imports.ROUTES

# For staff of exam centres, each of whom sees their own.
CENTRE_ROUTES = [
    *own_centres.ROUTES,
    *entries.ROUTES,
    *confirmations.ROUTES,
    *timetables.ROUTES,
]

ROUTES = [
    *overview.ROUTES,
    *programmes.ROUTES,
    *levels.ROUTES,
    *sittings.ROUTES,
    *windows.ROUTES,
    *queue.ROUTES,
    *registrations.ROUTES,
    *endings.ROUTES,
    *dossiers.ROUTES,
    *centres.ROUTES,
    *decisions.ROUTES,
]
