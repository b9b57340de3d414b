"""Plays the payment providers for machines on which nobody pays real money."""
