"""Pages from templates: one strict, escaping Jinja environment per language."""

import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jinja2
from aiohttp import hdrs, web
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.utils import missing
from markupsafe import escape
from yarl import URL

from shared import i18n
from shared.auth import PRINCIPAL, Principal
from shared.forms import Form
from shared.i18n import LANGUAGES, PARAMETER, Catalogues, language_of, on_this_site
from shared.static import StaticFiles

SHARED_TEMPLATES = Path(__file__).parent / "templates"

# Stands where a candidate's name goes; a sign that no text has.
GAP = "\ue000"
NEVER = datetime.min.replace(tzinfo=UTC)
ANY_CANDIDATE = Principal(
    UUID(int=0), UUID(int=0), GAP, roles=frozenset(), issued_at=NEVER, expires_at=NEVER
)


class Unknown(jinja2.Undefined):
    """An unknown name or attribute is an error; an option left out of a mapping is empty.

    The govuk macros take one mapping of options and ask for those that were left out.
    """

    def __new__(
        cls,
        hint: str | None = None,
        obj: Any = missing,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = jinja2.UndefinedError,
    ) -> Any:
        # A hint is Jinja's word for "no caller" and for an `if` without its `else`.
        is_left_out = isinstance(obj, dict) or hint or name in {"params", "undefined", "null"}
        kind = jinja2.ChainableUndefined if is_left_out else jinja2.StrictUndefined
        return kind(hint, obj, name, exc)


class KnownWhenCompiled(Extension):
    """Answers `_("…")`, `asset("…")` and `language` once, not on every page: most of a page is
    sentences."""

    CALLS = ("_", "asset")

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        tokens = list(stream)
        position = 0
        while position < len(tokens):
            token = tokens[position]
            kinds = [following.type for following in tokens[position + 1 : position + 4]]
            known: Any = self.environment.globals.get(token.value) if token.type == "name" else None
            if token.value in self.CALLS and kinds == ["lparen", "string", "rparen"]:
                token = Token(token.lineno, "string", known(tokens[position + 2].value))
                position += 3
            elif token.value == "language" and known and not _is_elses(tokens, position):
                token = Token(token.lineno, "string", known)
            yield token
            position += 1


def _is_elses(tokens: Sequence[Token], position: int) -> bool:
    """Tell whether a name is an attribute of something, or an argument that is given a value."""
    is_attribute = position > 0 and tokens[position - 1].type == "dot"
    return is_attribute or tokens[position + 1].type == "assign"


# Signs that mean something in a page.
_has_special = re.compile("[&<>\"']").search


def _written(value: object) -> str:
    """Write a value into a page. Most are text without such a sign and stay as they are."""
    if type(value) is str and not _has_special(value):
        return value
    return escape(value)


class _Writer(CodeGenerator):
    """Escapes what is put out as `_written` does: the library's own makes an object of each."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not frame.eval_ctx.autoescape or frame.eval_ctx.volatile or finalize.src:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.written(")


class _Environment(jinja2.Environment):
    """Every page copies what all templates share: a plain mapping is copied at once."""

    code_generator_class = _Writer
    written = staticmethod(_written)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


class Templates:
    """A service's own templates, then the shared ones, then the govuk components."""

    def __init__(
        self, folders: Iterable[Path], *, static: StaticFiles, catalogues: Catalogues
    ) -> None:
        loader = jinja2.ChoiceLoader(
            [
                jinja2.FileSystemLoader([*folders, SHARED_TEMPLATES]),
                jinja2.PrefixLoader(
                    {"govuk_frontend_jinja": jinja2.PackageLoader("govuk_frontend_jinja")}
                ),
            ]
        )
        self.catalogues = catalogues
        self._environments = {
            language: _environment(loader, language, static, catalogues) for language in LANGUAGES
        }

    def render(self, template: str, /, *, language: str, **context: Any) -> str:
        return self._environments[language].get_template(template).render(context)


TEMPLATES = web.AppKey("templates", Templates)


def render(
    request: web.Request, template: str, /, *, status: int = 200, **context: Any
) -> web.Response:
    """Answer with a page in the language of the request."""
    language = language_of(request)
    page = request.app[TEMPLATES].render(
        template,
        language=language,
        principal=request.get(PRINCIPAL),
        path=request.path,
        switches=_switches(_page_of(request), language),
        status=status,
        **context,
    )
    return _answer(page.encode(), language, status)


def render_for_crowd(
    request: web.Request, template: str, /, *, status: int = 200, **context: str
) -> web.Response:
    """Answer candidates with a page that tells all the same, but for the name at its top.

    It is written once and completed for each: a crowd is told no as fast as it asks.
    """
    language = language_of(request)
    page = _render_once(
        request.app[TEMPLATES],
        template,
        language=language,
        path=request.path,
        page=_page_of(request),
        status=status,
        **context,
    )
    name = escape(request[PRINCIPAL].name).encode()
    return _answer(page.replace(GAP.encode(), name), language, status)


@lru_cache(maxsize=1_000)  # few pages, from as many addresses as a form was sent from
def _render_once(
    templates: Templates, template: str, /, *, language: str, page: URL, **context: Any
) -> bytes:
    switches = _switches(page, language)
    return templates.render(
        template, language=language, principal=ANY_CANDIDATE, switches=switches, **context
    ).encode()


def _answer(page: bytes, language: str, status: int) -> web.Response:
    headers = {
        hdrs.CONTENT_TYPE: "text/html; charset=utf-8",
        hdrs.CONTENT_LANGUAGE: language,
        # Whoever keeps a copy must not show it to somebody who reads another language.
        hdrs.VARY: "Accept-Language, Cookie",
    }
    return web.Response(body=page, status=status, headers=headers)


def translate(request: web.Request, sentence: str) -> str:
    catalogues = request.app[TEMPLATES].catalogues
    return catalogues.gettext(language_of(request), sentence)


def _switches(page: URL, language: str) -> list[tuple[str, str, str]]:
    """List the other languages: tag, own name, and where this page is shown in it."""
    if not page.raw_query_string:
        # Most pages have none, and then there is nothing to be read and written anew.
        here = on_this_site(page)
        addresses = {tag: f"{here}?{PARAMETER}={tag}" for tag in LANGUAGES}
    else:
        addresses = {tag: on_this_site(page.update_query({PARAMETER: tag})) for tag in LANGUAGES}
    return [
        (tag, other.name, addresses[tag]) for tag, other in LANGUAGES.items() if tag != language
    ]


def _page_of(request: web.Request) -> URL:
    if request.method in {hdrs.METH_GET, hdrs.METH_HEAD}:
        return request.rel_url
    # The answer to a form may have no address of its own; the form's page has one.
    return _page_of_form(request.headers.get(hdrs.REFERER, "/"), request.host)


@lru_cache(maxsize=1_000)
def _page_of_form(referer: str, host: str) -> URL:
    try:
        form = URL(referer)
        return form if form.host == URL(f"//{host}").host else URL("/")
    except ValueError:
        return URL("/")


def _environment(
    loader: jinja2.BaseLoader, language: str, static: StaticFiles, catalogues: Catalogues
) -> jinja2.Environment:
    environment = _Environment(
        loader=loader,
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=Unknown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", KnownWhenCompiled],
    )
    environment.policies["ext.i18n.trimmed"] = True

    def gettext(sentence: str) -> str:
        return catalogues.gettext(language, sentence)

    def ngettext(one: str, many: str, count: int) -> str:
        return catalogues.ngettext(language, one, many, count)

    def error(form: Form[Any], field: str) -> dict[str, str] | None:
        """Give the field's error in the shape every govuk form component takes."""
        if field not in form.errors:
            return None
        return {"text": gettext(form.errors[field]), "visuallyHiddenText": gettext("Error")}

    def written(write: Any) -> Any:
        return lambda instant, zone: write(instant, zone, language)

    environment.install_gettext_callables(gettext, ngettext)  # type: ignore[attr-defined]
    environment.globals.update(_=gettext, language=language, asset=static.url, error=error)
    environment.filters.update(
        day=written(i18n.day),
        deadline=written(i18n.deadline),
        moment=written(i18n.moment),
        last_minute=i18n.last_minute,
        money=i18n.money,
        translated=lambda sentence: gettext(str(sentence)),
    )
    return environment
