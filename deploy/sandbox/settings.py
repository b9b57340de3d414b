"""Every setting the sandbox reads, once, at start-up."""

from dataclasses import replace
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.sandbox.issuer import Client
from deploy.sandbox.rules import STRICT, Rules


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8090, ge=1, le=65535)
    # Where browsers and services both find the sandbox; an issuer's address is part of its word.
    url: str = "http://localhost:8090"
    # Where it keeps orders and money. Without a folder they are forgotten when it ends.
    folder: Path | None = None

    # The site that people can sign in to with the sandbox as if with Google.
    oidc_client_id: str = "examhall"
    oidc_client_secret: SecretStr = SecretStr("known to everybody")
    oidc_redirect: str = "http://localhost:8080/identity/google/callback"

    # The shop at LINE Pay; ECPay's two are the ones it publishes for tests.
    line_pay_channel_id: str = STRICT.channel_id
    line_pay_channel_secret: SecretStr = SecretStr(STRICT.channel_secret)
    # How the providers behave: see rules.py.
    notice_retry_seconds: tuple[float, ...] = tuple(STRICT.retry_seconds)
    slip_delay_seconds: float = Field(STRICT.slip_delay_seconds, ge=0)
    most_queries_a_minute: int = Field(STRICT.most_queries_a_minute, ge=1)
    shut_out_seconds: float = Field(STRICT.shut_out_seconds, ge=0)
    closes_daily: bool = STRICT.closes_daily
    line_pay_expires_seconds: float = Field(STRICT.line_pay_expires_seconds, gt=0)

    @property
    def issuer_url(self) -> str:
        return f"{self.url.rstrip('/')}/oidc"

    @property
    def client(self) -> Client:
        secret = self.oidc_client_secret.get_secret_value()
        return Client(self.oidc_client_id, secret, self.oidc_redirect)

    @property
    def rules(self) -> Rules:
        return replace(
            STRICT,
            channel_id=self.line_pay_channel_id,
            channel_secret=self.line_pay_channel_secret.get_secret_value(),
            retry_seconds=self.notice_retry_seconds,
            slip_delay_seconds=self.slip_delay_seconds,
            most_queries_a_minute=self.most_queries_a_minute,
            shut_out_seconds=self.shut_out_seconds,
            closes_daily=self.closes_daily,
            line_pay_expires_seconds=self.line_pay_expires_seconds,
        )
