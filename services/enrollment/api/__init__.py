"""Enrollment for programs: the same steps as on the pages, for candidates who write their own."""

from services.enrollment.api import claims, documents, forms, registrations, sittings
from shared.api import Operations

OPERATIONS: Operations = {
    **sittings.OPERATIONS,
    **claims.OPERATIONS,
    **registrations.OPERATIONS,
    **forms.OPERATIONS,
}
DOCUMENT_OPERATIONS: Operations = documents.OPERATIONS

DOCUMENT_ROUTES = documents.ROUTES
ROUTES = [
    *sittings.ROUTES,
    *claims.ROUTES,
    *registrations.ROUTES,
    *forms.ROUTES,
]
