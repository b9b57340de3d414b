"""Every setting enrollment reads, once, at start-up."""

from pydantic import AnyUrl, Field, HttpUrl, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings, house_wide
from shared.vault import SecretKey, Vault


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="ENROLLMENT_")

    # Secrets in base64url, newest first, separated by commas; each at least 32 bytes.
    secret_key: SecretKey = Field(validation_alias=house_wide("SECRET_KEY"))

    # Where candidates' documents are kept: a folder, file:///var/lib/examhall/documents, or a
    # bucket of anything that speaks S3, s3://bucket/prefix. All processes need the same.
    documents_url: AnyUrl
    # Of a bucket that is not Amazon's: where it is; and how one gets in.
    documents_endpoint: HttpUrl | None = None
    documents_region: str = "us-east-1"
    documents_key_id: str = ""
    documents_key_secret: SecretStr = SecretStr("")
    # Pictures worked on at the same time; each takes up to 150 MB meanwhile.
    picture_workers: int = Field(1, ge=1, le=64)

    # How often a program may call with one token, evenly spread; a burst comes on top.
    api_calls_per_minute: int = Field(60, ge=1, le=60_000)

    @field_validator("documents_url")
    @classmethod
    def _is_a_place(cls, value: AnyUrl) -> AnyUrl:
        if value.scheme not in {"file", "s3"}:
            raise ValueError("must be file:///… or s3://…")
        if value.scheme == "file" and (value.host or not (value.path or "").strip("/")):
            raise ValueError("must name a folder: file:///var/lib/examhall/documents")
        return value

    @property
    def vault(self) -> Vault:
        return Vault.from_setting(self.secret_key.get_secret_value())
