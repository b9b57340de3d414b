"""What notify does when another service's news arrives."""

from shared.inbox import Handlers

HANDLERS: Handlers = {}
