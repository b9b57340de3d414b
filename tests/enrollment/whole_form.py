"""A complete form, for tests that change one answer of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.enrollment import form_steps
from services.enrollment.form_steps import STEP_OF, Questions, read_whole
from services.enrollment.programmes import Choice
from shared.forms import Form
from shared.i18n import LANGUAGES

TODAY = date(2026, 5, 1)


def choices(*codes: str) -> list[Choice]:
    return [Choice(code, dict.fromkeys(LANGUAGES, code)) for code in codes]


QUESTIONS = Questions(
    required=frozenset(STEP_OF)
    - {"latin_name", "home_phone", "office_phone"}
    - set(form_steps.FOLLOWING),
    optional=frozenset({"latin_name", "home_phone", "office_phone"}),
    choices={
        "dialect": choices("sixian", "hailu"),
        "emergency_relation": choices("parent", "friend"),
        "heritage": choices("hakka-both", "other"),
        "occupation": choices("public-servant", "student", "farmer", "other"),
        "education": choices("college"),
    },
    today=TODAY,
)
GOOD: Mapping[str, Any] = {
    "nationality": "taiwan",
    "person_name": "王大同",
    "birth_date": "1991-05-17",
    "identity_kind": "national_id",
    "identity_number": "A123456789",
    "mobile_phone": "0912345678",
    "email": "wang@exam.example",
    "postal_code": "106209",
    "address": "臺北市大安區和平東路一段162號",
    "emergency_name": "王小美",
    "emergency_phone": "0277498207",
    "emergency_relation": "parent",
    "dialect": "sixian",
    "special_needs": "no",
    "heritage": "hakka-both",
    "occupation": "farmer",
    "education": "college",
    "paper_ticket": "no",
    "materials": "yes",
}
FOREIGN = {"nationality": "foreign", "identity_kind": "passport", "identity_number": "X12345678"}


def read(**changed: Any) -> Form[form_steps.WholeForm]:
    return read_whole({**GOOD, **changed}, QUESTIONS)
