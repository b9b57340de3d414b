"""Plays LINE Pay's Online API, v3 and v4: requests, the payer's page, confirmation, refunds."""
