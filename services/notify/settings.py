"""Every setting notify reads, once, at start-up."""

from email.utils import parseaddr
from typing import Annotated, Literal, Self

from pydantic import AnyUrl, Field, SecretStr, UrlConstraints, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.notify.rules import Address, mailable, one_line
from shared.settings import ServiceSettings

SmtpUrl = Annotated[
    AnyUrl, UrlConstraints(allowed_schemes=["smtp", "smtps", "smtp+plain"], host_required=True)
]
FEWEST_SECRET_SIGNS = 32


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="NOTIFY_")

    # smtp: letters go out. mailbox: none leaves this machine; they are shown at /notify/mailbox/.
    channel: Literal["smtp", "mailbox"] = "smtp"
    # smtp://user:password@host:587 uses STARTTLS and insists on it; smtps:// is TLS from the first
    # byte; smtp+plain:// is neither, for a server on the same machine.
    smtp_url: SmtpUrl | None = Field(None, repr=False)
    # Authorities that vouch for the mail server, where the system's do not.
    smtp_ca_file: str | None = None
    # How long the mail server may take for one mail.
    smtp_timeout_seconds: float = Field(30, ge=1, le=300)
    # Connections to the mail server for each worker: as many as Postfix itself opens to one
    # destination. A server that takes fewer is content with fewer.
    connections: int = Field(20, ge=1, le=100)

    # Whom letters come from, for example: Examhall <letters@exam.example>
    sender: str = "Examhall <letters@examhall.example>"
    reply_to: str | None = None
    # Where mail servers return what they cannot deliver; the sender's own address if not set.
    return_path: str | None = None

    # A worker that was killed keeps the letters it had taken for this long.
    lease_seconds: float = Field(180, ge=3, le=3600)
    first_retry_seconds: float = Field(60, ge=0.1, le=3600)
    # With this secret mail servers sign what they report to /notify/hooks/bounces; without one
    # nobody can report.
    bounce_secret: SecretStr | None = None
    # How long what settled letters said is kept, and how long that they were sent.
    keep_words_days: int = Field(30, ge=1, le=3650)
    keep_letters_days: int = Field(180, ge=1, le=3650)

    @field_validator("sender", "reply_to", "return_path")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        if value is not None:
            _parse(value)
        return value

    @field_validator("bounce_secret")
    @classmethod
    def _is_a_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < FEWEST_SECRET_SIGNS:
            raise ValueError(f"a secret has at least {FEWEST_SECRET_SIGNS} signs")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.channel == "smtp" and self.smtp_url is None:
            raise ValueError("NOTIFY_SMTP_URL is missing: where should letters be handed over?")
        if self.channel == "mailbox" and self.is_https:
            # Everybody may read it, links for one person included.
            raise ValueError("NOTIFY_CHANNEL=mailbox is for one machine, not for a public site")
        if self.lease_seconds <= 3 * self.smtp_timeout_seconds:
            raise ValueError("NOTIFY_LEASE_SECONDS must be more than 3 times the SMTP timeout")
        return self

    @property
    def sender_address(self) -> Address:
        return _parse(self.sender)

    @property
    def reply_to_address(self) -> Address | None:
        return _parse(self.reply_to) if self.reply_to else None

    @property
    def return_address(self) -> str:
        return _parse(self.return_path or self.sender).address


def _parse(text: str) -> Address:
    name, address = parseaddr(text)
    usable = mailable(address)
    if usable is None:
        raise ValueError(f"not an e-mail address: {text!r}")
    return Address(one_line(name), usable)
