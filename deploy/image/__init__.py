"""What the image of all services is built from."""
