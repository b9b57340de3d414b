"""Pages of payments: how one can pay, one's orders, and asking for money back."""

from services.payments.pages import (
    applications,
    arrivals,
    attempts,
    orders,
    overview,
    papers,
    payees,
)

ORDER_ROUTES = [
    *orders.ROUTES,
    *attempts.ROUTES,
    *payees.ROUTES,
    *papers.ROUTES,
]

REGISTRATION_ROUTES = arrivals.ROUTES

APPLICATION_ROUTES = applications.ROUTES

ROUTES = overview.ROUTES
