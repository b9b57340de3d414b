"""What letters about results and their accounts say, and those to organisations."""

import pytest

from services.notify import app
from services.notify.mail import Writer
from shared.events import Event
from shared.events.identity import PasswordChanged
from shared.events.scoring import OrganisationDecided, ResultCorrected, ResultsReleased
from tests.notify.conftest import make_settings
from tests.notify.samples import sample
from tests.notify.test_words_of_letters import EVERY_LANGUAGE, EVERY_TITLE, write

ABOUT_RESULTS: list[type[Event]] = [ResultsReleased, ResultCorrected]


@pytest.fixture(scope="module")
def writer() -> Writer:
    return app.create_writer(make_settings("postgresql://nobody/none", channel="mailbox"))


@pytest.mark.parametrize("fact", ABOUT_RESULTS, ids=lambda event: event.name)
@EVERY_TITLE
def test_a_letter_about_a_result_names_who_and_which_exam_but_never_the_id_number(
    writer: Writer, fact: type[Event], language: str, title: str
) -> None:
    """Nobody has proved the address of a results account: with the ID number, whoever gets the
    letter by mistake could ask for a new password, and that letter would come to them as well."""
    letter = write(writer, fact, language)
    for said in (letter.text, letter.html):
        assert title in said
        assert "王大同" in said
    number = sample(fact)["id_number"]
    assert number
    assert number[-3:] not in letter.subject + letter.text + letter.html
    assert "報名編號" not in letter.text


@EVERY_LANGUAGE
def test_letters_about_results_do_not_say_what_they_are_and_lead_to_them(
    writer: Writer, language: str
) -> None:
    for fact in ABOUT_RESULTS:
        letter = write(writer, fact, language)
        assert "http://127.0.0.1/scoring/" in letter.text.splitlines()
        assert ("第二大題" in letter.text) == (fact is ResultCorrected)


@EVERY_LANGUAGE
@pytest.mark.parametrize(
    ("of_results_account", "page", "named"),
    [
        (False, "http://127.0.0.1/identity/sign-in", False),
        (True, "http://127.0.0.1/identity/results/", True),
    ],
)
def test_whose_password_was_changed_is_led_to_where_it_is_typed_and_can_be_forgotten(
    writer: Writer, language: str, *, of_results_account: bool, page: str, named: bool
) -> None:
    letter = write(writer, PasswordChanged, language, of_results_account=of_results_account)
    assert page in letter.text.splitlines()
    assert f'href="{page}"' in letter.html
    service = {"en": "results service", "zh-Hant-TW": "成績查詢服務"}[language]
    assert (service in letter.text) == named


@EVERY_LANGUAGE
@pytest.mark.parametrize("is_approved", [True, False])
def test_an_organisation_reads_what_was_decided_why_and_what_it_can_do(
    writer: Writer, language: str, *, is_approved: bool
) -> None:
    letter = write(writer, OrganisationDecided, language, is_approved=is_approved)
    for told in ("國立客家大學", "已以電話向教務處確認", "http://127.0.0.1/scoring/verification/"):
        assert told in letter.text
        assert told in letter.html
    words = {
        ("en", True): "Accept the terms",
        ("en", False): "may not check",
        ("zh-Hant-TW", True): "接受使用條款",
        ("zh-Hant-TW", False): "不得查驗",
    }
    assert words[language, is_approved] in letter.text


def test_letters_about_the_results_of_a_sitting_are_written_out_once(writer: Writer) -> None:
    write(writer, ResultsReleased, "en")
    forms = len(writer._forms)
    write(writer, ResultsReleased, "en", id_number="SMR123456")
    assert len(writer._forms) == forms
