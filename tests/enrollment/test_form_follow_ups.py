"""What depends on another answer: the number of a document, and what an occupation leads to."""

import pytest

from services.enrollment import form_fields, form_steps
from services.enrollment.form_steps import STEPS, Questions, read_whole
from tests.enrollment.whole_form import FOREIGN, GOOD, TODAY, read


@pytest.mark.parametrize(
    ("kind", "number"),
    [("resident", "A800000014"), ("resident", "AC01234567"), ("passport", "x1234 5678")],
)
def test_foreigners_give_the_number_they_have(kind: str, number: str) -> None:
    form = read(
        **{**FOREIGN, "identity_kind": kind, "identity_number": number}, person_name="John Smith"
    )
    assert form.errors == {}


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"identity_kind": "national_id"}, "identity_kind", form_steps.FOREIGNERS_HAVE_NONE),
        ({"person_name": "王大同"}, "person_name", form_fields.NO_LATIN_NAME),
        ({"identity_number": "12"}, "identity_number", form_steps.NO_PASSPORT),
        (
            {"identity_kind": "resident", "identity_number": "A800000015"},
            "identity_number",
            form_steps.NO_RESIDENT_NUMBER,
        ),
        (
            {"identity_kind": "resident", "identity_number": "A123456789"},
            "identity_number",
            form_steps.NO_RESIDENT_NUMBER,
        ),
    ],
)
def test_what_foreigners_get_wrong_is_explained(
    changed: dict[str, str], field: str, sentence: str
) -> None:
    form = read(**{**FOREIGN, "person_name": "John Smith", **changed})
    assert form.errors[field] == sentence


def test_a_citizen_without_a_card_gives_the_number_of_the_resident_certificate() -> None:
    assert read(identity_kind="resident", identity_number="A800000014").errors == {}


FOLLOWED = {
    "public-servant": {
        "agency_code": "a15000000h",
        "agency_unit": "人事室",
        "job_title": "專員",
    },
    "student": {"school": "臺北市立大安國民中學", "school_year": "二年級"},
    "other": {"occupation_text": "街頭藝人"},
}


@pytest.mark.parametrize("occupation", sorted(FOLLOWED))
def test_some_occupations_lead_to_more_questions(occupation: str) -> None:
    more = FOLLOWED[occupation]
    assert set(read(occupation=occupation).errors) == set(more)
    form = read(occupation=occupation, **more)
    assert form.errors == {}
    assert form.value is not None
    for name in more:
        assert getattr(form.value, name)


def test_what_does_not_follow_is_not_kept() -> None:
    everything = {name: text for more in FOLLOWED.values() for name, text in more.items()}
    form = read(occupation="student", **everything)
    assert form.value is not None
    kept = form.value.model_dump(exclude_none=True)
    assert set(kept) & set(everything) == set(FOLLOWED["student"])


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("agency_code", "!", form_fields.NO_AGENCY_CODE),
        ("agency_code", "A1500000000H", form_fields.NO_AGENCY_CODE),
        ("agency_unit", "室" * 61, form_fields.TOO_LONG),
        ("job_title", "x\x1b[2J", form_fields.UNPRINTABLE),
    ],
)
def test_what_follows_is_looked_at_too(name: str, typed: str, sentence: str) -> None:
    form = read(occupation="public-servant", **{**FOLLOWED["public-servant"], name: typed})
    assert form.errors == {name: sentence}


def test_a_programme_that_does_not_ask_gets_no_answer() -> None:
    few = Questions(required=form_steps.ALWAYS, optional=frozenset(), choices={}, today=TODAY)
    form = read_whole({**GOOD, "dialect": "klingon"}, few)
    assert form.errors == {}
    assert form.value is not None
    assert set(form.value.model_dump(exclude_none=True)) == {*form_steps.ALWAYS, "identity_kind"}
    assert form_steps.list_steps(few) == ["person"]


def test_every_field_belongs_to_one_step() -> None:
    fields = [name for model in STEPS.values() for name in model.model_fields]
    assert sorted(fields) == sorted(form_steps.WholeForm.model_fields)
    assert list(form_steps.WholeForm.model_fields) == fields, "errors come in the form's order"
