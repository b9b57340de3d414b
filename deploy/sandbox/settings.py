"""Every setting the sandbox reads, once, at start-up."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.sandbox.issuer import Client


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SANDBOX_", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8090, ge=1, le=65535)
    # Where browsers and services both find the sandbox; an issuer's address is part of its word.
    url: str = "http://localhost:8090"

    # The site that people can sign in to with the sandbox as if with Google.
    oidc_client_id: str = "examhall"
    oidc_client_secret: SecretStr = SecretStr("known to everybody")
    oidc_redirect: str = "http://localhost:8080/identity/google/callback"

    @property
    def issuer_url(self) -> str:
        return f"{self.url.rstrip('/')}/oidc"

    @property
    def client(self) -> Client:
        secret = self.oidc_client_secret.get_secret_value()
        return Client(self.oidc_client_id, secret, self.oidc_redirect)
