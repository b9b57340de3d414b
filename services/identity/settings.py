"""Every setting identity reads, once, at start-up."""

from pydantic import Field, HttpUrl, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, house_wide
from shared.vault import SecretKey, Vault

# The schemes of the issuer and of the site.
HALF_OPEN = ("http", "https")


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="IDENTITY_")

    # Secrets in base64url, newest first, separated by commas; each at least 32 bytes.
    secret_key: SecretKey = Field(validation_alias=house_wide("SECRET_KEY"))
    # Passwords hashed at the same time: one core less than the process may use is right.
    password_workers: int = Field(1, ge=1, le=64)

    # Sign in with Google, or any OpenID Connect issuer; without these there is no such button.
    oidc_issuer: HttpUrl | None = None
    oidc_client_id: str = Field("", validate_default=True)
    oidc_client_secret: SecretStr = Field(SecretStr(""), validate_default=True)

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe(cls, value: HttpUrl | None, info: ValidationInfo) -> HttpUrl | None:
        site = info.data.get("public_url")
        if value is not None and site is not None and (value.scheme, site.scheme) == HALF_OPEN:
            raise ValueError("must be https, as the site is")
        return value

    @field_validator("oidc_client_id", "oidc_client_secret")
    @classmethod
    def _is_there(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        if info.data.get("oidc_issuer") is not None and not len(value):
            raise ValueError("needed where there is an issuer")
        return value

    @property
    def vault(self) -> Vault:
        return Vault.from_setting(self.secret_key.get_secret_value())
