"""Pages of scoring for staff: examiners score, releasers approve and release, administrators see
how far it is. Before the release only the first two see any result."""
