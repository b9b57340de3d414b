"""The commands of ./examhall."""
