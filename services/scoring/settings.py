"""Every setting scoring reads, once, at start-up."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, house_wide
from shared.vault import SecretKey, Vault


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SCORING_")

    # Secrets in base64url, newest first, separated by commas; each at least 32 bytes.
    secret_key: SecretKey = Field(validation_alias=house_wide("SECRET_KEY"))

    @property
    def vault(self) -> Vault:
        return Vault.from_setting(self.secret_key.get_secret_value())
