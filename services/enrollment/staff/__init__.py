"""Pages of enrollment for staff."""
