"""Handing mails to a server: encrypted, signed in, and told apart by what it answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.notify.channels import Fate, Mail, Outcome
from services.notify.channels import smtp as smtp_channel
from services.notify.channels.smtp import Server, SmtpChannel
from tests.smtp_sink import Mischief, Sink, running


def mail(recipient: str = "a@exam.example") -> Mail:
    content = b"Subject: x\r\n\r\n.a line that begins with a dot\r\n"
    return Mail("<1@x>", "letters@exam.example", recipient, "x", "x", "x", content)


async def at_once() -> bool:
    return True


@asynccontextmanager
async def channel(
    sink: Sink,
    *,
    scheme: str = "smtp+plain",
    login: str = "",
    ca_file: Path | None = None,
    connections: int = 2,
) -> AsyncIterator[SmtpChannel]:
    url = f"{scheme}://{login}localhost:{sink.port}"
    server = Server.from_url(url, ca_file=str(ca_file) if ca_file else None)
    made = SmtpChannel(
        server, local_name="exam.example", connections=connections, timeout_seconds=2
    )
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path: Path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        signed.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_mail_is_handed_over_byte_by_byte(sink: Sink) -> None:
    async with channel(sink) as made:
        assert await made.send(mail(), at_once) == Outcome(Fate.SENT, "250 taken")
    [taken] = sink.mails
    assert taken.content == mail().content
    assert (taken.sender, taken.recipient) == ("letters@exam.example", "a@exam.example")


async def test_starttls_is_used_and_then_the_login(tls: ssl.SSLContext, certificate: Path) -> None:
    sink = Sink(tls=tls, must_start_tls=True, login=("examhall", "p@ss word"))
    async with (
        running(sink),
        channel(sink, scheme="smtp", login="examhall:p%40ss%20word@", ca_file=certificate) as made,
    ):
        assert (await made.send(mail(), at_once)).fate is Fate.SENT


async def test_tls_from_the_first_byte(tls: ssl.SSLContext, certificate: Path) -> None:
    sink = Sink(tls=tls)
    async with (
        running(sink, tls_at_once=True),
        channel(sink, scheme="smtps", ca_file=certificate) as made,
    ):
        assert (await made.send(mail(), at_once)).fate is Fate.SENT


@pytest.mark.parametrize("login", ["", "examhall:secret@"])
async def test_without_encryption_nothing_is_said_where_encryption_is_asked_for(
    sink: Sink, login: str
) -> None:
    async with channel(sink, scheme="smtp", login=login) as made:
        outcome = await made.send(mail(), at_once)
    assert outcome.fate is Fate.UNREACHABLE
    assert sink.mails == []


async def test_a_server_nobody_vouches_for_gets_no_mail(tls: ssl.SSLContext) -> None:
    sink = Sink(tls=tls)
    async with running(sink), channel(sink, scheme="smtp") as made:
        outcome = await made.send(mail(), at_once)
    assert outcome.fate is Fate.UNREACHABLE
    assert "certificate" in outcome.reply.lower()


async def test_a_wrong_password_is_no_fault_of_the_letter(
    tls: ssl.SSLContext, certificate: Path
) -> None:
    sink = Sink(tls=tls, login=("examhall", "right"))
    async with (
        running(sink),
        channel(sink, scheme="smtp", login="examhall:wr0ng@", ca_file=certificate) as made,
    ):
        outcome = await made.send(mail(), at_once)
    assert outcome == Outcome(Fate.UNREACHABLE, "535 wrong password")


@pytest.mark.parametrize(
    ("step", "answer", "fate"),
    [
        ("at_mail", "550 no", Fate.UNREACHABLE),
        ("at_mail", "451 slow down", Fate.UNREACHABLE),
        ("at_mail", Mischief.CUT, Fate.UNREACHABLE),
        ("at_rcpt", "550 nobody", Fate.REFUSED),
        ("at_rcpt", "450 full", Fate.DELAYED),
        ("at_rcpt", "421 going down", Fate.DELAYED),
        ("at_rcpt", Mischief.CUT, Fate.DELAYED),
        ("at_rcpt", Mischief.HANG, Fate.DELAYED),
        ("at_data", "554 no", Fate.REFUSED),
        ("at_data", "451 not now", Fate.DELAYED),
        ("at_data", "250 what?", Fate.DELAYED),
        ("at_data", Mischief.CUT, Fate.DELAYED),
        ("at_data", Mischief.HANG, Fate.DELAYED),
        ("at_end", "554 spam", Fate.REFUSED),
        ("at_end", "452 disk full", Fate.DELAYED),
        ("at_end", "nonsense", Fate.UNKNOWN),
        ("at_end", Mischief.CUT, Fate.UNKNOWN),
        ("at_end", Mischief.HANG, Fate.UNKNOWN),
        ("at_end", Mischief.CUT_AFTER, Fate.SENT),
    ],
)
async def test_an_answer_means_what_it_means_where_it_is_given(
    sink: Sink, step: str, answer: object, fate: Fate
) -> None:
    setattr(sink, step, lambda said: answer)
    async with channel(sink) as made:
        assert (await made.send(mail(), at_once)).fate is fate
        setattr(sink, step, getattr(Sink(), step))
        assert (await made.send(mail(), at_once)).fate is Fate.SENT, "and the next one goes through"


async def test_a_connection_is_not_used_for_ever(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp_channel, "MAILS_PER_CONNECTION", 3)
    async with channel(sink) as made:
        for _ in range(7):
            await made.send(mail(), at_once)
        assert sink.sessions == 3
        monkeypatch.setattr(smtp_channel, "LONGEST_IDLE_SECONDS", -1)
        await made.close_idle()
        await made.send(mail(), at_once)
        assert sink.sessions == 4


async def test_an_address_in_chinese_goes_where_it_is_understood(sink: Sink) -> None:
    async with channel(sink) as made:
        assert (await made.send(mail("王@exam.example"), at_once)).fate is Fate.REFUSED
    sink.takes_utf8 = True
    async with channel(sink) as made:
        assert (await made.send(mail("王@exam.example"), at_once)).fate is Fate.SENT
    assert sink.mails[0].recipient == "王@exam.example"


async def test_a_mail_that_may_not_go_any_more_is_not_handed_over(sink: Sink) -> None:
    async def never() -> bool:
        return False

    async with channel(sink) as made:
        assert (await made.send(mail(), never)).fate is Fate.UNTRIED
        assert sink.mails == []
        assert (await made.send(mail(), at_once)).fate is Fate.SENT
    assert len(sink.mails) == 1


async def test_a_server_that_does_not_wait_until_a_mail_may_go_has_not_got_it(sink: Sink) -> None:
    async def at_last() -> bool:
        # By the time somebody else is greeted, we know that the server has left us.
        reader, writer = await asyncio.open_connection("127.0.0.1", sink.port)
        assert await reader.readline() == b"220 sink\r\n"
        writer.close()
        return True

    sink.at_data = lambda recipient: Mischief.CUT_AFTER
    async with channel(sink) as made:
        assert (await made.send(mail(), at_last)).fate is Fate.DELAYED


async def test_a_server_that_takes_fewer_connections_gets_every_mail_over_those() -> None:
    async with running(Sink(takes_sessions=3)) as sink, channel(sink, connections=8) as made:
        outcomes = await asyncio.gather(*(made.send(mail(), at_once) for _ in range(50)))
    assert {outcome.fate for outcome in outcomes} == {Fate.SENT}
    assert len(sink.mails) == 50
    assert sink.sessions == 3 + 5, "each of the others was tried once, and then left for a while"


async def test_a_server_that_takes_no_connection_is_away_for_every_mail() -> None:
    async with running(Sink(takes_sessions=0)) as sink, channel(sink, connections=8) as made:
        outcomes = await asyncio.gather(*(made.send(mail(), at_once) for _ in range(20)))
    assert set(outcomes) == {Outcome(Fate.UNREACHABLE, "421 too many connections")}
