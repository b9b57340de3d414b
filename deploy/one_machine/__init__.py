"""Runs everything on one machine: private PostgreSQL and RabbitMQ, the services, the sandbox."""
