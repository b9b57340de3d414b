"""Pages of payments for staff: finance works here, and administrators may look."""
