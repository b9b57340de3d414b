"""Every setting payments reads, once, at start-up."""

from typing import Literal, Self

from pydantic import Field, HttpUrl, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, house_wide
from shared.vault import Vault

# Printed in ECPay's own documents: with one of these anybody could sign that somebody has paid.
PUBLISHED_KEYS = {"pwFHCqoQZGmho4w6", "5294y06JbISpM5x9", "spPjZn66i0OhqJsQ"}


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PAYMENTS_")

    # Secrets in base64url, newest first, separated by commas; each at least 32 bytes.
    secret_key: SecretStr = Field(validation_alias=house_wide("SECRET_KEY"))

    # Stores, ATM and cards are paid through ECPay; without a merchant they are not offered.
    ecpay_url: HttpUrl = HttpUrl("https://payment.ecpay.com.tw")
    # Where browsers find its cashier; the same, unless servers reach it by another name.
    ecpay_cashier_url: HttpUrl | None = None
    ecpay_merchant_id: str = Field("", max_length=10)
    ecpay_hash_key: SecretStr = SecretStr("")
    ecpay_hash_iv: SecretStr = SecretStr("")

    # LINE Pay; without a channel it is not offered.
    line_pay_url: HttpUrl = HttpUrl("https://api-pay.line.me")
    line_pay_version: Literal["v3", "v4"] = "v3"
    line_pay_channel_id: str = ""
    line_pay_channel_secret: SecretStr = SecretStr("")

    # Where the providers' servers find this service's hooks; the site itself if not set.
    hooks_url: HttpUrl | None = None

    @field_validator("secret_key")
    @classmethod
    def _is_usable(cls, value: SecretStr) -> SecretStr:
        try:
            Vault.from_setting(value.get_secret_value())
        except ValueError as error:
            raise ValueError(f"not usable: {error}") from None
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        key, iv = self.ecpay_hash_key.get_secret_value(), self.ecpay_hash_iv.get_secret_value()
        if self.ecpay_merchant_id and not (key and iv):
            raise ValueError("PAYMENTS_ECPAY_HASH_KEY and PAYMENTS_ECPAY_HASH_IV are missing")
        if self.line_pay_channel_id and not self.line_pay_channel_secret.get_secret_value():
            raise ValueError("PAYMENTS_LINE_PAY_CHANNEL_SECRET is missing")
        if self.is_https and key in PUBLISHED_KEYS:
            raise ValueError("PAYMENTS_ECPAY_HASH_KEY is a published test key, on a public site")
        return self

    @property
    def vault(self) -> Vault:
        return Vault.from_setting(self.secret_key.get_secret_value())
