"""Plays ECPay's All-in-One V5: cashier, codes, notices, queries, refunds of cards."""
