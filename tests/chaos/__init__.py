"""Faults on purpose: processes and servers are killed, and no event may be lost or doubled."""
