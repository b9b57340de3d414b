"""Plays the payment providers and Google for machines on which nobody pays real money."""
