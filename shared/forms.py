"""Plain HTML forms, read into pydantic models, and the words a person gets back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from functools import cache
from typing import Any, Generic, TypeVar, get_args, get_origin

from aiohttp import hdrs, web
from aiohttp.web_request import FileField
from multidict import MultiDict, MultiMapping
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from yarl import URL

from shared.i18n import mark

M = TypeVar("M", bound=BaseModel)

SAFE_METHODS = {hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS}

SECRETS = (SecretStr, SecretBytes)

# People type a date more reliably into three fields than they pick one from a calendar.
# The order is the one Taiwan writes dates in.
DATE_PARTS = ("year", "month", "day")

NOTHING: MultiMapping[Any] = MultiDict()

# An error of the form as a whole, of no single field.
WHOLE_FORM = ""


@dataclass(frozen=True)
class Says:
    """What a field says when it is left empty, and when its answer cannot be accepted.

    `email: Annotated[str, Says("Enter your e-mail address")]`. A validator that knows better
    raises ValueError(mark("…")), and the person reads that.
    """

    missing: str
    wrong: str | None = None


ANYTHING = Says(mark("Answer this question"), mark("Check this answer"))


@dataclass
class Form(Generic[M]):
    """What was typed, what it means, and what is wrong with it, in the order of the fields."""

    model: type[M]
    typed: dict[str, Any]
    value: M | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def blank(cls, model: type[M], **typed: Any) -> "Form[M]":
        """Make the form as it is first shown, filled in with what we know already."""
        empty = {name: _typed(name, kind, NOTHING) for name, kind in _kinds(model)}
        return cls(model, empty | typed)

    @classmethod
    def read(
        cls, model: type[M], posted: MultiMapping[Any], *, context: object = None
    ) -> "Form[M]":
        form = cls(model, {})
        answers: dict[str, Any] = {}
        for name, kind in _kinds(model):
            form.typed[name] = _typed(name, kind, posted)
            answer = _answer(name, kind, posted)
            if not _is_blank(answer):
                answers[name] = answer
        _validate(form, answers, context)
        return form

    @classmethod
    def of(cls, model: type[M], answers: Mapping[str, Any], *, context: object = None) -> "Form[M]":
        """Make the form from answers that were kept before, or that a program sent."""
        shown = {
            name: _shown(kind, answers[name])
            for name, kind in _kinds(model)
            if answers.get(name) is not None
        }
        form = cls.blank(model, **shown)
        _validate(form, answers, context)
        return form

    def add_error(self, name: str, sentence: str) -> None:
        """Refuse a field, or the whole form; of several errors of one field the first is shown."""
        self.value = None
        self.errors.setdefault(name, sentence)
        order = [*self.model.model_fields, WHOLE_FORM]
        self.errors = {name: self.errors[name] for name in order if name in self.errors}

    def first_input(self, name: str) -> str:
        """Give the id that the error summary leads to."""
        is_date = (name, _Kind.DATE) in _kinds(self.model)
        return f"{name}-{DATE_PARTS[0]}" if is_date else name


def _validate(form: Form[Any], answers: Mapping[str, Any], context: object) -> None:
    try:
        form.value = form.model.model_validate(answers, context=context)
    except ValidationError as invalid:
        for problem in invalid.errors(include_url=False, include_input=False):
            name = str(problem["loc"][0]) if problem["loc"] else WHOLE_FORM
            form.add_error(name, _sentence(form.model, name, problem))


class _Kind(Enum):
    """What sort of input a field is."""

    TEXT = auto()
    SECRET = auto()
    FILE = auto()
    FILES = auto()
    SEVERAL = auto()
    DATE = auto()


@cache  # asked again for every form that is sent
def _kinds(model: type[BaseModel]) -> Sequence[tuple[str, _Kind]]:
    return [(name, _kind(info)) for name, info in model.model_fields.items()]


def _kind(info: FieldInfo) -> _Kind:
    parts = set(_parts(info.annotation))
    if not parts.isdisjoint(SECRETS):
        return _Kind.SECRET
    is_several = get_origin(info.annotation) in {list, tuple, set, frozenset}
    if FileField in parts:
        return _Kind.FILES if is_several else _Kind.FILE
    if is_several:
        return _Kind.SEVERAL
    return _Kind.DATE if date in parts else _Kind.TEXT


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


def _answer(name: str, kind: _Kind, posted: MultiMapping[Any]) -> Any:
    match kind:
        case _Kind.SEVERAL | _Kind.FILES:
            return [answer for answer in posted.getall(name, []) if not _is_blank(answer)]
        case _Kind.DATE:
            year, month, day = (part.strip() for part in _typed(name, kind, posted).values())
            return f"{year}-{month:0>2}-{day:0>2}" if day or month or year else ""
        case _Kind.TEXT:
            answer = posted.get(name)
            return answer.strip() if isinstance(answer, str) else answer
        case _:  # a space at either end of a password may be meant
            return posted.get(name)


def _typed(name: str, kind: _Kind, posted: MultiMapping[Any]) -> Any:
    match kind:
        case _Kind.TEXT:
            return posted.get(name, "")
        case _Kind.SEVERAL:
            return posted.getall(name, [])
        case _Kind.DATE:
            return {part: str(posted.get(f"{name}-{part}", "")) for part in DATE_PARTS}
        case _:  # files cannot be shown again, and secrets must not be
            return ""


def _shown(kind: _Kind, answer: Any) -> Any:
    """Turn a kept answer back into what is typed for it."""
    match kind:
        case _Kind.SECRET | _Kind.FILE | _Kind.FILES:
            return ""
        case _Kind.DATE:
            return dict(zip(DATE_PARTS, f"{answer}--".split("-"), strict=False))
        case _:
            return answer


def _is_blank(answer: Any) -> bool:
    # A file input nobody used arrives as empty bytes.
    return answer is None or (isinstance(answer, str | bytes | bytearray | list) and not answer)


def _sentence(model: type[BaseModel], name: str, problem: Any) -> str:
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    info = model.model_fields.get(name)
    said = (says for says in (info.metadata if info else []) if isinstance(says, Says))
    says = next(said, ANYTHING)
    return says.missing if problem["type"] == "missing" else says.wrong or says.missing


def is_cross_site(request: web.BaseRequest, *, public_url: object) -> bool:
    """Test whether another site's page sent this form. Unknown senders count as other sites."""
    if request.method in SAFE_METHODS:
        return False
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        # same-site is a neighbouring sub-domain, which somebody else may own.
        return site not in {"same-origin", "none"}
    sender: str = request.headers.get(hdrs.ORIGIN) or request.headers.get(hdrs.REFERER) or ""
    origin = _origin(sender)
    return origin is None or origin != _origin(str(public_url))


def _origin(address: str) -> tuple[str, str, int | None] | None:
    try:
        origin = URL(address).origin()
    except ValueError:
        return None
    return origin.scheme, origin.host or "", origin.port
