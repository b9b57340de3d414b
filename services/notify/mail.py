"""From a letter in the register to a mail in its envelope: written out, and encoded."""

import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from email.utils import format_datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from markupsafe import escape

from services.notify import rules
from services.notify.channels import Mail
from services.notify.letters import Claim
from services.notify.rules import Address
from shared.i18n import DEFAULT, LANGUAGES, Catalogues
from shared.static import StaticFiles
from shared.templates import Templates

# A word of a header holds 75 signs at most; this many bytes fill it, cut between letters.
BYTES_PER_WORD = 42

# What only one reader's letter says. A letter is written once for many, with signs in these places
# that no text has, and completed for each. Links come last: names hold no such signs, being one
# line of what can be printed.
GAPS = {"person": "\ue000", "link": "\ue001"}
# Letters that differ in more, in a deadline's minute say, are other forms.
FORMS_KEPT = 100

# Where a block of a template was left out.
_BLANK_LINES = re.compile(r"\n{3,}")


class Unmailable(Exception):
    """The letter cannot be sent to this address, by any server."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter as its reader sees it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Writer:
    """Writes letters, in the name of one sender."""

    folder: Path
    sender: Address
    reply_to: Address | None
    return_path: str
    public_url: str
    zone: tzinfo

    @cached_property
    def _templates(self) -> Templates:
        # Letters refer to no style sheet and no picture: nothing is fetched when one is read.
        return Templates(
            [self.folder / "templates"],
            static=StaticFiles({}),
            catalogues=Catalogues([self.folder / "locales"]),
        )

    @cached_property
    def _forms(self) -> dict[str, Written]:
        return {}

    def write(
        self, template: str, *, language: str, person: str, context: Mapping[str, Any]
    ) -> Written:
        """Write a letter from its two templates. The first line of the plain one is the subject."""
        language = language if language in LANGUAGES else DEFAULT
        told = {name: _read(name, value) for name, value in context.items()}
        told["person"] = rules.one_line(person)
        words = {name: told[name] for name in GAPS if told.get(name)}
        form = self._form(template, language, told | {name: GAPS[name] for name in words})
        subject, text, html = form.subject, form.text, form.html
        for name, said in words.items():
            subject, text = subject.replace(GAPS[name], said), text.replace(GAPS[name], said)
            html = html.replace(GAPS[name], escape(said))
        return Written(rules.one_line(subject), text, html)

    def _form(self, template: str, language: str, told: Mapping[str, Any]) -> Written:
        key = f"{template} {language} {told}"
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= FORMS_KEPT:
                self._forms.clear()
            form = self._forms[key] = self._render(f"letters/{template}", language, told)
        return form

    def _render(self, path: str, language: str, told: Mapping[str, Any]) -> Written:
        told = {**told, "language": language, "public_url": self.public_url, "zone": self.zone}
        subject, _, text = self._templates.render(f"{path}.txt", **told).partition("\n")
        html = self._templates.render(f"{path}.html", **told)
        return Written(subject, _BLANK_LINES.sub("\n\n", text.strip()) + "\n", html)

    def address(self, claim: Claim) -> Mail:
        """Write a claimed letter and put it into its envelope."""
        recipient = rules.mailable(claim.recipient)
        if recipient is None:
            raise Unmailable
        written = self.write(
            claim.template, language=claim.language, person=claim.person, context=claim.context
        )
        message_id = rules.message_id(claim.id, claim.round, domain=self.sender.domain)
        headers = {
            "From": _mailbox(self.sender),
            "To": _mailbox(Address(rules.one_line(claim.person), recipient)),
            "Subject": _words(written.subject),
            "Date": _date(claim.claimed_at, self.zone),
            "Message-ID": message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": claim.language if claim.language in LANGUAGES else DEFAULT,
        }
        if self.reply_to:
            headers["Reply-To"] = _mailbox(self.reply_to)
        return Mail(
            message_id=message_id,
            sender=self.return_path,
            recipient=recipient,
            subject=written.subject,
            text=written.text,
            html=written.html,
            content=_encode(headers, written, boundary=f"=_{claim.id.hex}"),
        )


def _read(name: str, value: Any) -> Any:
    """Read what was kept as JSON: `…_at` and `…_by` are instants, `…_date` is a day.

    No letter tells seconds, so what happens within one minute is told alike.
    """
    if name.endswith("_date") and value:
        return date.fromisoformat(value)
    if not name.endswith(("_at", "_by")) or not value:
        return value
    instant = datetime.fromisoformat(value)
    within = instant.second or instant.microsecond
    return instant.replace(second=1, microsecond=0) if within else instant


@lru_cache(maxsize=100)  # letters claimed together have one date
def _date(instant: datetime, zone: tzinfo) -> str:
    return format_datetime(instant.astimezone(zone))


def _encode(headers: Mapping[str, str], written: Written, *, boundary: str) -> bytes:
    """Encode a message with two alternatives.

    By hand, because the standard library takes longer for it than sending takes. Base64 cannot
    contain the boundary, and none of the headers a line that somebody else wrote.
    """
    lines = [f"{name}: {value}" for name, value in headers.items()]
    lines += ["MIME-Version: 1.0", "Content-Type: multipart/alternative;"]
    lines += [f' boundary="{boundary}"']
    for kind, text in (("plain", written.text), ("html", written.html)):
        lines += [
            "",
            f"--{boundary}",
            f"Content-Type: text/{kind}; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            *_base64_lines(text),
        ]
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode()


def _base64_lines(text: str) -> list[str]:
    encoded = binascii.b2a_base64(text.encode(), newline=False).decode()
    return [encoded[start : start + 76] for start in range(0, len(encoded), 76)]


@lru_cache(maxsize=1_000)
def _mailbox(address: Address) -> str:
    if not address.name:
        return address.address
    if address.name.isascii():
        quoted = address.name.replace("\\", "\\\\").replace('"', '\\"')
        # A long name is folded as an encoded one is.
        if len(quoted) <= BYTES_PER_WORD:
            return f'"{quoted}" <{address.address}>'
    return f"{_encoded_words(address.name)}\r\n <{address.address}>"


@lru_cache(maxsize=1_000)
def _words(text: str) -> str:
    """Write a header's text: as it is, or in encoded words (RFC 2047)."""
    return text if text.isascii() and len(text) < 60 and "=?" not in text else _encoded_words(text)


def _encoded_words(text: str) -> str:
    words, word = [], b""
    for sign in text:
        encoded = sign.encode()
        if len(word) + len(encoded) > BYTES_PER_WORD:
            words.append(word)
            word = b""
        word += encoded
    words.append(word)
    return "\r\n ".join(
        f"=?utf-8?B?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in words
    )
