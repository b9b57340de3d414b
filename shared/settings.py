"""What every service needs to be told, read from the environment once, at start-up."""

import sys
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import (
    AliasChoices,
    AmqpDsn,
    Field,
    HttpUrl,
    PostgresDsn,
    ValidationError,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRETS = Path("/run/secrets")  # where container engines put secret files
EX_CONFIG = 78  # "something is wrong with the configuration", from sysexits.h


def house_wide(name: str) -> AliasChoices:
    """A setting that all services share; a service's own prefix is not put before it."""
    return AliasChoices(f"EXAMHALL_{name}", f"examhall_{name.lower()}")


class ServiceSettings(BaseSettings):
    """The settings all services have. A service's own class adds its prefix and its own."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # a password in a malformed URL is still a password
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    # Both hold a password, so they are kept out of what is printed.
    database_url: PostgresDsn = Field(repr=False)
    amqp_url: AmqpDsn = Field(validation_alias=house_wide("AMQP_URL"), repr=False)
    public_url: HttpUrl = Field(validation_alias=house_wide("PUBLIC_URL"))

    host: str = Field("127.0.0.1", validation_alias=house_wide("HOST"))
    port: int = Field(8080, ge=1, le=65535, validation_alias=house_wide("PORT"))
    # For times on pages that belong to no programme; a programme has a zone of its own.
    time_zone: ZoneInfo = Field(ZoneInfo("Asia/Taipei"), validation_alias=house_wide("TIME_ZONE"))
    pool_size: int = Field(10, ge=1, le=100)

    # Addresses whose X-Forwarded-For and X-Request-Id are believed: the gateway's, nobody else's.
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), validation_alias=house_wide("TRUSTED_PROXIES")
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", validation_alias=house_wide("LOG_FORMAT")
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=house_wide("LOG_LEVEL")
    )
    otlp_endpoint: HttpUrl | None = Field(None, validation_alias=house_wide("OTLP_ENDPOINT"))
    # How long a web process still answers after it was told to end, so that the gateway notices.
    drain_seconds: float = Field(0.0, ge=0, le=10, validation_alias=house_wide("DRAIN_SECONDS"))

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @cached_property  # asked for every request, for the name of its cookie
    def is_https(self) -> bool:
        return self.public_url.scheme == "https"


SETTINGS = web.AppKey("settings", ServiceSettings)

S = TypeVar("S", bound=ServiceSettings)


def load(settings: type[S]) -> S:
    """Read the settings, or end the process naming each that is missing or wrong."""
    try:
        return settings()
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        for problem in error.errors(include_input=False, include_url=False):
            name = ".".join(str(part) for part in problem["loc"])
            if not name.startswith("EXAMHALL_"):
                name = f"{prefix}{name}"
            print(f"setting {name.upper()}: {problem['msg']}", file=sys.stderr)
        raise SystemExit(EX_CONFIG) from None
