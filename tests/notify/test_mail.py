"""Letters as they are read: both languages, both forms, and headers nobody can add to."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest

from services.notify import app, mail, owed, rules
from services.notify.letters import Claim
from services.notify.mail import Writer
from services.notify.rules import Address
from shared.events import Event
from shared.i18n import LANGUAGES
from tests.notify.conftest import make_settings
from tests.notify.samples import kept, owed_for

NOW = datetime(2026, 3, 1, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def writer() -> Writer:
    return app.create_writer(make_settings("postgresql://nobody/none", channel="mailbox"))


def claim(event: type[Event], **changed: Any) -> Claim:
    """A letter as a sender takes it from the register."""
    written = owed_for(event)
    fields: dict[str, Any] = {
        "id": UUID("0190a6f0-0000-7000-8000-00000000000a"),
        "claim": 1,
        "round": 1,
        "attempts": 0,
        "template": written.template,
        "recipient": written.recipient,
        "recipient_key": written.recipient,
        "person": written.person,
        "language": written.language,
        "context": kept(written),
        "claimed_at": NOW,
    }
    return Claim(**(fields | changed))


class Reader(HTMLParser):
    """Reads a letter as a person does: the words of its body, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self._skipping = True

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "body":
            self._skipping = False
        self.links += [value or "" for name, value in attributes if name in {"href", "src"}]
        self.links += [name for name, _ in attributes if name.startswith("on") or name == "style"]

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.words += data.split()


EVERY_LETTER = pytest.mark.parametrize("event", owed.LETTERS, ids=lambda event: event.name)
EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


@EVERY_LETTER
@EVERY_LANGUAGE
@pytest.mark.parametrize("person", ["王大同 & <b>co</b>", ""])
def test_the_plain_letter_says_what_the_other_says(
    writer: Writer, event: type[Event], language: str, person: str
) -> None:
    mail = writer.address(claim(event, language=language, person=person))
    reader = Reader()
    reader.feed(mail.html)
    # The reference number stands in the subject, and below the heading.
    heading = re.sub(r"\s*[(（]HK-7Q4M-2XKD[)）]$", "", mail.subject)
    assert reader.words == f"{heading}\n{mail.text}".split()
    assert all(link in mail.text for link in reader.links)
    assert reader.tags <= {
        *("html", "head", "meta", "title", "style", "body", "div", "h1", "p", "a", "br")
    }, "nothing is fetched and nothing runs when it is opened"
    assert "url(" not in mail.html
    assert "@import" not in mail.html
    assert "\n\n\n" not in mail.text


@EVERY_LETTER
def test_every_letter_is_another_one_in_the_other_language(
    writer: Writer, event: type[Event]
) -> None:
    chinese, english = (writer.address(claim(event, language=tag)) for tag in LANGUAGES)
    assert chinese.subject != english.subject
    assert english.subject.isascii()
    assert not chinese.subject.isascii()


@EVERY_LETTER
@EVERY_LANGUAGE
def test_a_mail_is_read_as_it_was_written(
    writer: Writer, event: type[Event], language: str
) -> None:
    mail = writer.address(claim(event, language=language))
    message = BytesParser(policy=policy.default).parsebytes(mail.content)
    assert message["Subject"] == mail.subject
    assert message["From"].addresses[0].display_name == "應試堂"
    assert message["To"].addresses[0].display_name == "王大同"
    assert message["To"].addresses[0].addr_spec == "candidate@exam.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == language
    assert message["Date"].datetime == NOW
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == mail.text
    assert html.get_content().replace("\r\n", "\n") == mail.html
    assert not message.defects
    assert max(map(len, mail.content.split(b"\r\n"))) <= 78
    assert mail.content.count(b"\n") == mail.content.count(b"\r\n")
    assert mail.content.isascii()


@pytest.mark.parametrize(
    "person",
    [
        "Eve\r\nBcc: victim@exam.example",
        "Eve\nSubject: You won",
        "Eve\r\n\r\nA body of my own",
        "Eve\u2028Bcc: victim@exam.example",
        'Eve" <eve@evil.example>, "',
        "Eve\\",
        "=?utf-8?Q?Eve=0D=0ABcc=3A_victim=40exam=2Eexample?=",
        "王" * 200,
        "Ann " * 60,
        "😀" * 40,
    ],
)
def test_a_name_cannot_add_a_header_or_a_recipient(writer: Writer, person: str) -> None:
    event = next(iter(owed.LETTERS))
    mail = writer.address(claim(event, person=person))
    message = BytesParser(policy=policy.default).parsebytes(mail.content)
    usual = BytesParser(policy=policy.default).parsebytes(writer.address(claim(event)).content)
    assert message.keys() == usual.keys()
    assert message["Subject"] == usual["Subject"]
    [to] = message["To"].addresses
    assert to.addr_spec == "candidate@exam.example"
    assert max(map(len, mail.content.split(b"\r\n"))) <= 78


@EVERY_LETTER
@EVERY_LANGUAGE
@pytest.mark.parametrize(
    "person", ["王大同", '<i>O\'Neill & "Co"</i> {{ person }} \ue001 \\1 %s', ""]
)
@pytest.mark.parametrize("link", ["https://exam.example/?a=1&b='\"<", None])
def test_a_letter_reads_as_if_it_were_written_for_its_reader_alone(
    writer: Writer, event: type[Event], language: str, person: str, link: str | None
) -> None:
    """It is written once for many, and only their names and links are put in."""
    owes = owed_for(event)
    context, template = kept(owes), owes.template
    if "link" in context:
        context["link"] = link
    for reader in ("another one", person):
        written = writer.write(template, language=language, person=reader, context=context)
    read = {name: mail._read(name, value) for name, value in context.items()}
    alone = writer._render(
        f"letters/{template}", language, read | {"person": rules.one_line(person)}
    )
    assert written == replace(alone, subject=rules.one_line(alone.subject))


def test_seconds_make_no_other_letter_and_minutes_do(writer: Writer) -> None:
    """A deadline at 16:00 is told as 15:59, and one a second later as 16:00."""

    def at(instant: str) -> str:
        context = {"link": "https://exam.example/x", "expires_at": instant}
        event = next(e for e, letter in owed.LETTERS.items() if "expires_at" in letter.tells)
        return writer.address(claim(event, context=context)).text

    writer._forms.clear()
    assert "23:59" in at("2026-03-02T16:00:00Z")
    for second in ("00.000001", "01", "59.999999"):
        assert "00:00" in at(f"2026-03-02T16:00:{second}Z")
    assert "00:00" in at("2026-03-02T16:01:00Z")
    assert len(writer._forms) == 3


def test_not_every_form_is_kept_for_ever(writer: Writer) -> None:
    event = next(event for event, letter in owed.LETTERS.items() if "expires_at" in letter.tells)
    for minute in range(3 * mail.FORMS_KEPT):
        expires_at = (NOW + timedelta(minutes=minute)).isoformat()
        writer.address(claim(event, context={"link": "x", "expires_at": expires_at}))
        assert len(writer._forms) <= mail.FORMS_KEPT


def test_a_name_is_shown_as_it_is(writer: Writer) -> None:
    for person in ("王大同", "Ann O'Neill", 'J. "Joe" Doe', "王" * 60, "Ann " * 20 + "B"):
        mail = writer.address(claim(next(iter(owed.LETTERS)), person=person))
        to = BytesParser(policy=policy.compat32).parsebytes(mail.content)["To"]
        name, address = parseaddr(str(make_header(decode_header(to))))
        assert (name, address) == (person, "candidate@exam.example")


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-Hant-TW", "2026年3月2日（星期一）23:59"), ("en", "Monday 2 March 2026 at 23:59")],
)
def test_a_deadline_has_its_date_its_hour_and_its_weekday(
    writer: Writer, language: str, words: str
) -> None:
    event = next(event for event, letter in owed.LETTERS.items() if "expires_at" in letter.tells)
    context = {"link": "https://exam.example/x", "expires_at": "2026-03-02T16:00:00Z"}
    assert words in writer.address(claim(event, language=language, context=context)).text


def test_answers_go_where_the_setting_says() -> None:
    settings = make_settings(
        "postgresql://nobody/none", channel="mailbox", reply_to="Help <help@exam.example>"
    )
    mail = app.create_writer(settings).address(claim(next(iter(owed.LETTERS))))
    message = BytesParser(policy=policy.default).parsebytes(mail.content)
    assert message["Reply-To"] == "Help <help@exam.example>"


def test_signs_that_nobody_sees_are_left_out_of_a_name(writer: Writer) -> None:
    """They turn text round, ring bells, or end it."""
    mail = writer.address(claim(next(iter(owed.LETTERS)), person="Eve\x00\x1b[31m\u202e Ann"))
    message = BytesParser(policy=policy.default).parsebytes(mail.content)
    assert message["To"].addresses[0].display_name == "Eve [31m Ann"
    assert "Dear Eve [31m Ann" in mail.text or "Eve [31m Ann 您好" in mail.text


def test_a_message_is_named_after_its_letter_and_found_by_its_name() -> None:
    letter_id = UUID("0190a6f0-0000-7000-8000-00000000000a")
    name = rules.message_id(letter_id, 3, domain="exam.example")
    assert rules.letter_named(name) == rules.letter_named(name.strip("<>")) == (letter_id, 3)
    for foreign in ("", "<x@y>", f"<{letter_id}@exam.example>", f"<{letter_id}.x@exam.example>"):
        assert rules.letter_named(foreign) is None


@pytest.mark.parametrize(
    ("address", "mailable"),
    [
        ("a.b+c@exam.example", "a.b+c@exam.example"),
        ("a@例子.台灣", "a@xn--fsqu00a.xn--kpry57d"),
        ("王@exam.example", "王@exam.example"),
        ("a@exam.example\n", None),
        ('"a b"@exam.example', None),
        ("<a@exam.example>", None),
        ("a@b@exam.example", None),
        ("a@" + "x" * 70 + ".example", None),
        ("@exam.example", None),
    ],
)
def test_an_address_is_written_as_mail_servers_want_it_or_not_at_all(
    address: str, mailable: str | None
) -> None:
    assert rules.mailable(address) == mailable


def test_an_address_knows_its_domain() -> None:
    assert Address("x", "a@exam.example").domain == "exam.example"
