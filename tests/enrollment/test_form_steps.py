"""The form: every field, with answers it takes and answers it explains."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enrollment import form_fields, form_steps
from services.enrollment.form_steps import STEP_OF, find_open_steps, read_whole
from tests.enrollment.whole_form import GOOD, QUESTIONS, TODAY, read


def test_a_complete_form_is_complete() -> None:
    form = read()
    assert form.errors == {}
    assert form.value is not None
    assert find_open_steps(form) == set()
    assert form.value.birth_date == date(1991, 5, 17)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_required_answer_is_missed(name: str) -> None:
    for empty in (None, "", "   "):
        form = read(**{name: empty})
        assert name in form.errors
        assert STEP_OF[name] in find_open_steps(form)


@pytest.mark.parametrize("name", ["latin_name", "home_phone", "office_phone"])
def test_an_optional_answer_may_be_left_out(name: str) -> None:
    form = read(**{name: ""})
    assert form.value is not None
    assert getattr(form.value, name) is None


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("person_name", " 王　大同 ", "王 大同"),  # wide spaces, as input methods make them
        ("person_name", "歐陽·娜娜", "歐陽·娜娜"),
        ("person_name", "𠮷田𤭢", "𠮷田𤭢"),
        ("person_name", "葛\U000e0100城", "葛\U000e0100城"),  # with a mark that chooses its shape
        ("person_name", "Yohani Isqaqavut", "Yohani Isqaqavut"),  # an indigenous name
        ("latin_name", "WANG, TA-TUNG", "WANG, TA-TUNG"),
        ("latin_name", "José O'Brien", "José O'Brien"),
        ("birth_date", "80-05-17", "1991-05-17"),
        ("birth_date", "民國80年5月17日", "1991-05-17"),
        ("birth_date", "1991/5/17", "1991-05-17"),
        ("identity_number", "ａ１２３４５６７８９", "A123456789"),
        ("identity_number", "a 123-456-789", "A123456789"),
        ("mobile_phone", "+886 912 345 678", "0912345678"),
        ("mobile_phone", "０９１２－３４５－６７８", "0912345678"),
        ("home_phone", "(02) 7749-8207", "0277498207"),
        ("home_phone", "0912-345-678", "0912345678"),
        ("office_phone", "02-7749-8207 分機 123", "0277498207#123"),
        ("emergency_phone", "0912-345-678", "0912345678"),
        ("emergency_phone", "037-123456", "037123456"),
        ("email", "  wang@exam.example ", "wang@exam.example"),
        ("postal_code", "106", "106"),
        ("postal_code", "10644", "10644"),
        ("postal_code", "１０６－２０９", "106209"),
        ("address", "臺北市大安區  和平東路一段162號", "臺北市大安區 和平東路一段162號"),
    ],
)
def test_an_answer_is_kept_as_it_is_written_down(name: str, typed: str, kept: str) -> None:
    form = read(**{name: typed})
    assert form.errors == {}
    assert form.value is not None
    assert form.value.model_dump(mode="json")[name] == kept


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("nationality", "mars", "Choose the nationality"),
        ("person_name", "王", form_fields.NO_NAME),
        ("person_name", "王大同123", form_fields.NO_NAME),
        ("person_name", "王大同!", form_fields.NO_NAME),
        ("person_name", "王" * 51, form_fields.NO_NAME),
        ("person_name", "王\x00大同", form_fields.UNPRINTABLE),
        ("person_name", "王\ud800同", form_fields.UNPRINTABLE),
        ("latin_name", "王大同", form_fields.NO_LATIN_NAME),
        ("latin_name", "Иван Иванов", form_fields.NO_LATIN_NAME),
        ("latin_name", "W" * 61, form_fields.NO_LATIN_NAME),
        (
            "birth_date",
            "2025-02-30",
            "Enter a date that exists, with the year in either calendar: 2007 or 96",
        ),
        (
            "birth_date",
            5,
            "Enter a date that exists, with the year in either calendar: 2007 or 96",
        ),
        ("birth_date", "2026-05-01", form_fields.BORN_LATER),
        ("birth_date", "115-05-02", form_fields.BORN_LATER),
        ("birth_date", "1905-05-02", form_fields.BORN_LONG_AGO),
        ("identity_kind", "library card", "Choose the document that shows who you are"),
        ("identity_kind", "passport", form_steps.CITIZENS_HAVE_A_CARD),
        ("identity_number", "A123456788", form_steps.NO_NATIONAL_ID),
        ("identity_number", "A12345678", form_steps.NO_NATIONAL_ID),
        ("identity_number", "AB12345677", form_steps.NO_NATIONAL_ID),
        ("mobile_phone", "02-7749-8207", form_fields.NO_MOBILE),
        ("mobile_phone", "0912-345-67", form_fields.NO_MOBILE),
        ("mobile_phone", "0912-345-6789", form_fields.NO_MOBILE),
        ("home_phone", "7749-8207", form_fields.NO_LANDLINE),
        ("office_phone", "call me", form_fields.NO_LANDLINE),
        ("emergency_phone", "110", form_fields.NO_PHONE),
        ("email", "wang", form_fields.NO_EMAIL),
        ("email", "wang@exam", form_fields.NO_EMAIL),
        ("email", "wang@exam.example, li@exam.example", form_fields.NO_EMAIL),
        ("email", "wang@exam..example", form_fields.NO_EMAIL),
        ("email", f"{'w' * 250}@exam.example", form_fields.NO_EMAIL),
        ("postal_code", "1062", form_fields.NO_POSTAL_CODE),
        ("postal_code", "台北", form_fields.NO_POSTAL_CODE),
        ("address", "台北", form_fields.NO_ADDRESS),
        ("address", "台" * 121, form_fields.NO_ADDRESS),
        ("address", "台北市\x07大安區和平東路", form_fields.UNPRINTABLE),
        ("emergency_name", "911", form_fields.NO_NAME),
        ("emergency_relation", "spouse", "Choose who this person is to the candidate"),
        ("dialect", "dapu", "Choose the dialect"),  # there is one, but not in this sitting
        ("special_needs", "perhaps", "Choose whether special arrangements are needed"),
        ("heritage", "x", "Choose the family background"),
        ("occupation", "x", "Choose the occupation"),
        ("education", "x", "Choose the education"),
        ("paper_ticket", "x", "Choose whether to get the admission ticket by post"),
        ("materials", True, "Choose whether to get the learning materials by post"),
        ("person_name", ["王大同"], "Enter the name"),
        ("mobile_phone", 912345678, "Enter a mobile number"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_explained(name: str, typed: Any, sentence: str) -> None:
    form = read(**{name: typed})
    assert form.errors == {name: sentence}


ANYTHING = st.one_of(
    st.none(), st.text(), st.integers(), st.booleans(), st.lists(st.text()), st.dates()
)


@given(name=st.sampled_from(sorted(STEP_OF)), answer=ANYTHING)
def test_whatever_is_sent_is_taken_or_explained(name: str, answer: Any) -> None:
    form = read(**{name: answer})
    if form.value is None:
        assert all(form.errors.values())
    else:
        # What was taken can be stored, and is taken again as it was stored.
        stored = form.value.model_dump(mode="json", exclude_none=True)
        again = read_whole(stored, QUESTIONS)
        assert again.errors == {}
        assert again.value == form.value
        for text in stored.values():
            assert isinstance(text, str)
            assert text.isprintable()
            text.encode()


@given(days=st.integers(min_value=1, max_value=119 * 365))
def test_a_date_of_birth_is_the_same_in_either_calendar(days: int) -> None:
    born = TODAY - timedelta(days=days)
    written = [born.isoformat()]
    if born.year > 1911:
        written.append(f"{born.year - 1911}-{born.month}-{born.day}")
    for text in written:
        form = read(birth_date=text)
        assert form.value is not None
        assert form.value.birth_date == born
