"""The documents that are made from the code: python -m deploy.documents writes them all."""
