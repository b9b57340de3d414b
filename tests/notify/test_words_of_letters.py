"""What letters about registrations and payments say, in both languages."""

from typing import Any

import pytest

from services.notify import app, owed
from services.notify.mail import Writer, Written
from shared.events import Event
from shared.events.enrollment import (
    DocumentsReturned,
    PlaceClaimed,
    RegistrationConfirmed,
    RegistrationLapsed,
    RegistrationSubmitted,
    RegistrationVoided,
    SubmissionDue,
)
from shared.events.payments import (
    ApplicationRefused,
    InstructionsIssued,
    OrderPaid,
    RefundCompleted,
    RefundDue,
)
from shared.i18n import LANGUAGES
from tests.notify.conftest import make_settings
from tests.notify.samples import kept, owed_for, reference_of

EVERY_LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)
ENROLLMENT_PAGE = "http://127.0.0.1/enrollment/registrations/0197b1c2-3d4e-7f50-8a61-9b2c3d4e5f60"
PAYMENT_PAGE = "http://127.0.0.1/payments/registrations/0197b1c2-3d4e-7f50-8a61-9b2c3d4e5f60"

ABOUT_REGISTRATIONS = [fact for fact in owed.TO_ACCOUNTS if reference_of(fact)]
EVERY_TITLE = pytest.mark.parametrize(
    ("language", "title"),
    [
        ("zh-Hant-TW", "基礎級暨初級 多梯次（三） 3月28日 桃園"),
        ("en", "Basic, sitting 3 of 11, 28 March 2026, Taoyuan"),
    ],
)


@pytest.fixture(scope="module")
def writer() -> Writer:
    return app.create_writer(make_settings("postgresql://nobody/none", channel="mailbox"))


def write(writer: Writer, fact: type[Event], language: str, **changed: Any) -> Written:
    letter = owed_for(fact, **changed)
    return writer.write(
        letter.template, language=language, person=letter.person, context=kept(letter)
    )


@pytest.mark.parametrize("fact", ABOUT_REGISTRATIONS, ids=lambda event: event.name)
@EVERY_TITLE
def test_every_letter_about_a_registration_names_it(
    writer: Writer, fact: type[Event], language: str, title: str
) -> None:
    letter, reference = write(writer, fact, language), reference_of(fact)
    assert reference
    assert reference in letter.subject
    assert reference in letter.text
    assert title in letter.text
    assert {"en": "Dear 王大同", "zh-Hant-TW": "王大同 您好"}[language] in letter.text


@EVERY_LANGUAGE
def test_a_title_in_another_language_is_better_than_none(writer: Writer, language: str) -> None:
    letter = write(writer, PlaceClaimed, language, sitting_titles={"hak": "客語認證"})
    assert "客語認證" in letter.text


DEADLINES = {
    PlaceClaimed: "submit_by",
    SubmissionDue: "submit_by",
    RegistrationSubmitted: "pay_by",
    DocumentsReturned: "fix_by",
    InstructionsIssued: "pay_by",
}


@pytest.mark.parametrize("fact", DEADLINES, ids=lambda event: event.name)
@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-Hant-TW", "2026年3月2日（星期一）23:59"), ("en", "Monday 2 March 2026 at 23:59")],
)
def test_a_deadline_is_its_last_minute_with_date_hour_and_weekday_in_taipei(
    writer: Writer, fact: type[Event], language: str, words: str
) -> None:
    letter = write(writer, fact, language, **{DEADLINES[fact]: "2026-03-02T16:00:00Z"})
    assert words in letter.text
    if fact is not PlaceClaimed:
        assert words in letter.subject


@pytest.mark.parametrize(
    ("fact", "changed", "page"),
    [
        (PlaceClaimed, {}, ENROLLMENT_PAGE),
        (SubmissionDue, {}, ENROLLMENT_PAGE),
        (RegistrationSubmitted, {}, PAYMENT_PAGE),
        (RegistrationSubmitted, {"amount_twd": 0, "pay_by": None}, ENROLLMENT_PAGE),
        (DocumentsReturned, {}, ENROLLMENT_PAGE),
        (RegistrationConfirmed, {}, ENROLLMENT_PAGE),
        (RegistrationVoided, {}, ENROLLMENT_PAGE),
        (InstructionsIssued, {}, PAYMENT_PAGE),
        (OrderPaid, {}, PAYMENT_PAGE),
        (RefundDue, {}, PAYMENT_PAGE),
        (RefundCompleted, {}, PAYMENT_PAGE),
        (ApplicationRefused, {}, PAYMENT_PAGE),
    ],
)
def test_a_letter_leads_to_where_it_goes_on(
    writer: Writer, fact: type[Event], changed: dict[str, Any], page: str
) -> None:
    letter = write(writer, fact, "en", **changed)
    assert page in letter.text.splitlines()
    assert f'href="{page}"' in letter.html


@EVERY_LANGUAGE
def test_who_owes_nothing_is_not_asked_to_pay(writer: Writer, language: str) -> None:
    letter = write(writer, RegistrationSubmitted, language, amount_twd=0, pay_by=None, methods=[])
    for word in ("NT$", "Pay", "繳費期限", "前往繳費"):
        assert word not in letter.subject + letter.text


def test_who_owes_is_told_how_much_and_in_which_ways(writer: Writer) -> None:
    chinese, english = (write(writer, RegistrationSubmitted, language) for language in LANGUAGES)
    assert "應繳金額：NT$250" in chinese.text
    assert "ATM 轉帳、信用卡、LINE Pay" in chinese.text
    assert "To pay: NT$250" in english.text
    assert "ATM transfer, credit card, LINE Pay" in english.text


@EVERY_LANGUAGE
def test_the_last_reminder_says_so(writer: Writer, language: str) -> None:
    word = {"zh-Hant-TW": "最後提醒", "en": "Last reminder"}[language]
    assert word in write(writer, SubmissionDue, language, days_left=1).subject
    assert word not in write(writer, SubmissionDue, language, days_left=2).subject


@pytest.mark.parametrize(
    ("fact", "name", "values"),
    [
        (RegistrationLapsed, "why", ["not_submitted", "not_paid"]),
        (
            RegistrationVoided,
            "why",
            ["documents_not_fixed", "refused", "absent_before", "ended_by_staff"],
        ),
        (
            RefundDue,
            "reason",
            [
                *("overpaid", "review_failed", "place_gone", "postponed"),
                *("disaster", "personal", "late", "wrong_amount"),
            ],
        ),
        (InstructionsIssued, "method", ["atm", "convenience_store", "card", "line_pay"]),
        (OrderPaid, "method", ["atm", "convenience_store", "card", "line_pay"]),
        (RefundCompleted, "method", ["money_order", "card", "line_pay"]),
    ],
)
@EVERY_LANGUAGE
def test_each_reason_and_each_way_has_words_of_its_own(
    writer: Writer, fact: type[Event], name: str, values: list[str], language: str
) -> None:
    texts = {write(writer, fact, language, **{name: value}).text for value in values}
    assert len(texts) == len(values)
    assert not any(value in text for text in texts for value in values if "_" in value)


def test_the_samples_above_are_all_reasons_there_are() -> None:
    """A reason that is added to the contract needs a sentence."""
    for fact, name, count in (
        (RegistrationLapsed, "why", 2),
        (RegistrationVoided, "why", 4),
        (RefundDue, "reason", 8),
    ):
        schema = fact.model_json_schema()["properties"][name]
        assert len(schema["enum"]) == count


@EVERY_LANGUAGE
def test_a_code_unknown_here_is_readable(writer: Writer, language: str) -> None:
    """Another service may learn a new way to pay before this one has a word for it."""
    for letter in (
        write(writer, InstructionsIssued, language, method="town_hall", instructions={"a_b": "1"}),
        write(writer, OrderPaid, language, method="town_hall"),
        write(writer, RegistrationSubmitted, language, methods=["town_hall"]),
    ):
        assert "town hall" in letter.text
        assert "town_hall" not in letter.text + letter.html
    returned = [{"document": "school_letter", "reason": "太暗"}]
    assert "school letter" in write(writer, DocumentsReturned, language, documents=returned).text


@EVERY_LANGUAGE
def test_new_documents_are_to_be_handed_in(writer: Writer, language: str) -> None:
    button = {"zh-Hant-TW": "「送出補件」", "en": "“Hand in the new documents”"}[language]
    assert button in write(writer, DocumentsReturned, language).text


@EVERY_LANGUAGE
def test_whoever_loses_a_registration_to_staff_reads_why(writer: Writer, language: str) -> None:
    letter = write(writer, RegistrationVoided, language, why="ended_by_staff", reason="重複報名")
    assert "重複報名" in letter.text


def test_an_account_to_pay_into_is_spelt_out(writer: Writer) -> None:
    chinese, english = (write(writer, InstructionsIssued, language) for language in LANGUAGES)
    assert "銀行代碼：118\n轉入帳號：7150032984129385" in chinese.text
    assert "Bank code: 118\nAccount number: 7150032984129385" in english.text
    assert "NT$250" in english.subject


@pytest.mark.parametrize(
    ("instructions", "words"),
    [
        ({"code": "LLL17355880822"}, "Payment code: LLL17355880822"),
        ({"barcode1": "1105036EA", "barcode2": "3453011539919569"}, "Please print the slip"),
    ],
)
def test_at_a_store_one_pays_with_a_code_or_a_slip(
    writer: Writer, instructions: dict[str, str], words: str
) -> None:
    letter = write(
        writer, InstructionsIssued, "en", method="convenience_store", instructions=instructions
    )
    assert words in letter.text
    assert "1105036EA" not in letter.text, "nobody can pay with bars that are written as letters"


def test_each_document_has_its_reason_and_a_reason_is_no_markup(writer: Writer) -> None:
    documents = [
        {"document": "photo", "reason": "太暗 <script>alert(1)</script>"},
        {"document": "id_front", "reason": "看不清楚"},
    ]
    letter = write(writer, DocumentsReturned, "zh-Hant-TW", documents=documents)
    assert "照片：太暗 <script>alert(1)</script>\n身分證件正面：看不清楚" in letter.text
    assert "&lt;script&gt;" in letter.html
    assert "<script>" not in letter.html


@EVERY_LANGUAGE
def test_whoever_is_refused_a_refund_reads_why(writer: Writer, language: str) -> None:
    letter = write(writer, ApplicationRefused, language)
    again = {"en": "you can apply again", "zh-Hant-TW": "可再次提出申請"}
    for words in ("診斷書日期並非考試當日", again[language]):
        assert words in letter.text
        assert words in letter.html


def test_a_draft_that_lapsed_is_told_until_when_it_could_be_sent(writer: Writer) -> None:
    letter = write(writer, RegistrationLapsed, "en", why="not_submitted")
    assert "until Sunday 28 December 2025 at 23:59." in letter.text


@pytest.mark.parametrize(
    ("language", "exam", "ticket"),
    [
        (
            "zh-Hant-TW",
            "考試日期：2026年3月28日（星期六）",
            "准考證：2026年3月18日（星期三）09:00 起",
        ),
        ("en", "Exam: Saturday 28 March 2026", "Admission ticket: from Wednesday 18 March 2026 at"),
    ],
)
def test_who_is_confirmed_is_told_the_day_of_the_exam_and_of_the_ticket(
    writer: Writer, language: str, exam: str, ticket: str
) -> None:
    letter = write(writer, RegistrationConfirmed, language)
    assert exam in letter.text
    assert ticket in letter.text
