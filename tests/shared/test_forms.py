"""What was typed is kept, what is wrong is said once and in order, and strangers cannot send."""

from datetime import date
from typing import Annotated, Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from aiohttp.web_request import FileField
from multidict import MultiDict
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from shared.forms import Form, Says, is_cross_site
from shared.i18n import mark


class Details(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: Annotated[str, Says(mark("Enter your name"))]
    age: Annotated[int, Field(ge=1), Says(mark("Enter your age"), mark("Enter a whole number"))]
    mobile: Annotated[str, Says(mark("Enter a mobile number"))] = ""
    days: Annotated[list[str], Says(mark("Choose a day"))]
    password: Annotated[SecretStr | None, Says(mark("Enter a password"))] = None
    photo: FileField | None = None

    @field_validator("mobile")
    @classmethod
    def begin_with_09(cls, mobile: str) -> str:
        if not mobile.startswith("09"):
            raise ValueError(mark("A mobile number begins with 09"))
        return mobile

    @model_validator(mode="after")
    def belong_together(self) -> "Details":
        if self.name == self.mobile:
            raise ValueError(mark("Name and number are the same"))
        return self


GOOD = [("name", "王大同"), ("age", "20"), ("mobile", "0912345678"), ("days", "mon")]


def read(*pairs: tuple[str, Any]) -> Form[Details]:
    return Form.read(Details, MultiDict(pairs))


def test_a_good_form_becomes_a_value() -> None:
    form = read(*GOOD, ("days", "tue"), ("unasked", "x"))
    assert form.errors == {}
    assert form.value is not None
    assert form.value.age == 20
    assert form.value.days == ["mon", "tue"]


def test_spaces_around_an_answer_are_not_part_of_it() -> None:
    form = read(("name", "  王大同 "), *GOOD[1:])
    assert form.value is not None
    assert form.value.name == "王大同"


def test_an_empty_answer_is_a_missing_answer() -> None:
    form = read(("name", "   "), ("age", ""), ("mobile", ""))
    assert form.value is None
    assert form.errors == {
        "name": "Enter your name",
        "age": "Enter your age",
        "days": "Choose a day",
    }


def test_a_wrong_answer_has_its_own_words() -> None:
    form = read(("name", "王"), ("age", "old"), ("mobile", "02"), ("days", "mon"))
    assert form.errors == {
        "age": "Enter a whole number",
        "mobile": "A mobile number begins with 09",
    }


def test_what_was_typed_is_kept() -> None:
    form = read(("name", "王"), ("age", "old"), ("days", "mon"), ("days", "tue"))
    assert form.typed["age"] == "old"
    assert form.typed["days"] == ["mon", "tue"]
    assert form.typed["mobile"] == ""


def test_a_password_is_never_shown_again_and_never_trimmed() -> None:
    form = read(*GOOD, ("password", " secret "))
    assert form.typed["password"] == ""
    assert form.value is not None
    assert form.value.password is not None
    assert form.value.password.get_secret_value() == " secret "


def test_errors_stand_in_the_order_of_the_fields_and_the_first_of_a_field_wins() -> None:
    form = read(*GOOD)
    form.add_error("days", "Full")
    form.add_error("name", "Unknown")
    form.add_error("days", "Late")
    assert list(form.errors.items()) == [("name", "Unknown"), ("days", "Full")]
    assert form.value is None


def test_an_error_of_the_whole_form_stands_last() -> None:
    form = read(("name", "0912"), ("age", "3"), ("mobile", "0912"), ("days", "mon"))
    assert form.errors == {"": "Name and number are the same"}


def test_a_blank_form_shows_what_we_know_already() -> None:
    form = Form.blank(Details, name="王大同")
    assert form.typed["name"] == "王大同"
    assert form.typed["days"] == []
    assert form.errors == {}


class Birth(BaseModel):
    born: Annotated[date, Says(mark("Enter your birth date"), mark("Enter a real date"))]


@pytest.mark.parametrize(
    ("day", "month", "year", "error"),
    [
        ("12", "9", "2007", None),
        ("", "", "", "Enter your birth date"),
        ("30", "2", "2007", "Enter a real date"),
        ("1", "", "2007", "Enter a real date"),
        ("one", "9", "2007", "Enter a real date"),
        ("1", "9", "96", "Enter a real date"),
    ],
)
def test_a_date_comes_in_three_parts(day: str, month: str, year: str, error: str | None) -> None:
    parts = MultiDict({"born-day": day, "born-month": month, "born-year": year})
    form = Form.read(Birth, parts)
    assert form.errors.get("born") == error
    assert form.typed["born"] == {"day": day, "month": month, "year": year}
    if error is None:
        assert form.value == Birth(born=date(2007, 9, 12))


async def test_a_file_passes_through_and_an_unused_file_field_is_empty() -> None:
    seen: list[Form[Details]] = []

    async def receive(request: web.Request) -> web.Response:
        seen.append(Form.read(Details, await request.post()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", receive)
    async with TestClient(TestServer(app)) as client:
        for filename in ("me.jpg", ""):
            data = FormData(GOOD, default_to_multipart=True)
            data.add_field("photo", b"\xff\xd8" if filename else b"", filename=filename)
            await client.post("/", data=data)
    used, unused = seen
    assert used.value is not None
    assert used.value.photo is not None
    assert used.value.photo.filename == "me.jpg"
    assert used.typed["photo"] == ""
    assert unused.value is not None
    assert unused.value.photo is None


PUBLIC_URL = "https://exam.example/"


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://exam.example"}, True),
        ({"Origin": "https://exam.example"}, False),
        ({"Origin": "https://exam.example:443"}, False),
        ({"Origin": "http://exam.example"}, True),
        ({"Origin": "https://exam.example.evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "null", "Referer": "https://exam.example/"}, True),
        ({"Referer": "https://exam.example/enrollment/?a=b"}, False),
        ({"Referer": "https://evil.example/?https://exam.example/"}, True),
        ({"Referer": "https://[nonsense"}, True),
        ({}, True),
    ],
)
def test_only_our_own_pages_may_send_forms(headers: dict[str, str], refused: bool) -> None:
    request = make_mocked_request("POST", "/", headers=headers)
    assert is_cross_site(request, public_url=PUBLIC_URL) is refused


def test_looking_is_allowed_from_anywhere() -> None:
    request = make_mocked_request("GET", "/", headers={"Sec-Fetch-Site": "cross-site"})
    assert not is_cross_site(request, public_url=PUBLIC_URL)


class Life(BaseModel):
    born: Annotated[date | None, Says(mark("Enter a date"))] = None
    name: Annotated[str, Says(mark("Enter a name"))]
    limit: Annotated[int | None, Says(mark("Enter less"))] = None

    @field_validator("limit")
    @classmethod
    def _is_within(cls, limit: int | None, info: ValidationInfo) -> int | None:
        if limit is not None and info.context is not None and limit > info.context:
            raise ValueError(mark("This is too much"))
        return limit


def test_a_form_is_made_from_answers_that_were_kept() -> None:
    form = Form.of(Life, {"born": "2007-09-12", "name": "王大同", "strange": 1})
    assert form.errors == {}
    assert form.value == Life(born=date(2007, 9, 12), name="王大同")
    assert form.typed["born"] == {"year": "2007", "month": "09", "day": "12"}
    assert form.typed["name"] == "王大同"


def test_kept_answers_that_do_not_suffice_say_so() -> None:
    form = Form.of(Life, {"born": "soon", "name": None})
    assert form.errors == {"born": "Enter a date", "name": "Enter a name"}
    assert form.typed["born"] == {"year": "soon", "month": "", "day": ""}


def test_what_a_validator_has_to_know_is_handed_to_it() -> None:
    posted = MultiDict({"name": "王", "limit": "5"})
    assert Form.read(Life, posted, context=5).errors == {}
    assert Form.read(Life, posted, context=4).errors == {"limit": "This is too much"}
    assert Form.of(Life, {"name": "王", "limit": 5}, context=4).errors.keys() == {"limit"}
