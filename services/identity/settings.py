"""Every setting identity reads, once, at start-up."""

from pydantic import Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, house_wide
from shared.vault import Vault


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="IDENTITY_")

    # Secrets in base64url, newest first, separated by commas; each at least 32 bytes.
    secret_key: SecretStr = Field(validation_alias=house_wide("SECRET_KEY"))
    # Passwords hashed at the same time: one core less than the process may use is right.
    password_workers: int = Field(1, ge=1, le=64)

    # Sign in with Google, or any OpenID Connect issuer; without these there is no such button.
    oidc_issuer: HttpUrl | None = None
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")

    @field_validator("secret_key")
    @classmethod
    def _is_usable(cls, value: SecretStr) -> SecretStr:
        try:
            Vault.from_setting(value.get_secret_value())
        except ValueError as error:
            raise ValueError(f"not usable: {error}") from None
        return value

    @property
    def vault(self) -> Vault:
        return Vault.from_setting(self.secret_key.get_secret_value())
