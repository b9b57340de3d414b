"""The sandbox's issuer: what it grants, and everything it refuses."""

import base64
import hashlib
from collections.abc import AsyncIterator
from urllib.parse import quote_plus

import jwt
import pytest
from multidict import MultiDict
from yarl import URL

from deploy.sandbox.issuer import CODE_LASTS_SECONDS, Denied, Issuer, Person
from deploy.sandbox.issuer_keys import Algorithm, Fault
from tests.issuer import CLIENT, Running, run_issuer
from tests.site import FROM_OUR_PAGE

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
ASKED = {
    "response_type": "code",
    "client_id": CLIENT.id,
    "redirect_uri": CLIENT.redirect_uri,
    "scope": "openid email profile",
    "state": "a state",
    "nonce": "a nonce",
    "code_challenge": CHALLENGE.decode(),
    "code_challenge_method": "S256",
}
PERSON = Person("wu@exam.example", "吳美玲", is_verified=True)


@pytest.fixture
async def google() -> AsyncIterator[Running]:
    async with run_issuer() as running:
        yield running


def address(google: Running, **changed: str) -> URL:
    return URL(f"{google.issuer.url}/authorization").with_query({**ASKED, **changed})


def redemption(granted: str, **changed: str) -> dict[str, str]:
    form = {
        "grant_type": "authorization_code",
        "code": granted,
        "redirect_uri": CLIENT.redirect_uri,
        "code_verifier": VERIFIER,
        "client_id": CLIENT.id,
        "client_secret": CLIENT.secret,
    }
    return {name: value for name, value in {**form, **changed}.items() if value}


async def new_code(google: Running) -> str:
    return (await google.be(address(google), PERSON.email)).query["code"]


async def test_it_describes_itself(google: Running) -> None:
    url = f"{google.issuer.url}/.well-known/openid-configuration"
    document = await (await google.session.get(url)).json()
    assert document["issuer"] == google.issuer.url
    assert document["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        assert document[name].startswith(google.issuer.url)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_code_becomes_a_token_that_says_who_it_is(algorithm: Algorithm) -> None:
    async with run_issuer(algorithm=algorithm) as google:
        back = await google.be(address(google), " wu@exam.example ", verified="no")
        assert str(back).startswith(CLIENT.redirect_uri)
        assert back.query["state"] == "a state"
        status, told, headers = await google.redeem(redemption(back.query["code"]))
        assert (status, told["token_type"], headers["Cache-Control"]) == (200, "Bearer", "no-store")
        keys = await (await google.session.get(f"{google.issuer.url}/keys")).json()
    [key] = jwt.PyJWKSet.from_dict(keys).keys
    token = told["id_token"]
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == (algorithm, key.key_id)
    assert "d" not in keys["keys"][0], "the private half stays"
    claims = jwt.decode(token, key, audience=CLIENT.id, issuer=google.issuer.url)
    assert claims["sub"] == Person("WU@exam.example", "", is_verified=True).subject
    assert claims["exp"] > claims["iat"]
    told_about = {name: claims[name] for name in ("nonce", "email", "email_verified", "name")}
    assert told_about == {
        "nonce": "a nonce",
        "email": "wu@exam.example",
        "email_verified": False,
        "name": "吳美玲",
    }


async def test_only_what_was_asked_for_is_told(google: Running) -> None:
    back = await google.be(address(google, scope="openid", nonce=""), PERSON.email)
    _, told, _ = await google.redeem(redemption(back.query["code"]))
    claims = jwt.decode(told["id_token"], options={"verify_signature": False})
    assert set(claims) == {"iss", "aud", "sub", "iat", "exp"}


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "somebody else"},
        {"redirect_uri": CLIENT.redirect_uri + "/"},
        {"redirect_uri": CLIENT.redirect_uri + "?next=x"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": ""},
    ],
)
async def test_a_stranger_is_never_sent_back_to(google: Running, changed: dict[str, str]) -> None:
    for method in ("GET", "POST"):
        answer = await google.session.request(
            method,
            address(google, **changed),
            data={"choice": "refuse"} if method == "POST" else None,
            headers=FROM_OUR_PAGE,
            allow_redirects=False,
        )
        assert (answer.status, "Location" in answer.headers) == (400, False)
        assert "evil" not in await answer.text()
        assert "style-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_a_wrong_request_is_sent_back_with_the_reason(
    google: Running, changed: dict[str, str], error: str
) -> None:
    answer = await google.session.get(address(google, **changed), allow_redirects=False)
    back = URL(answer.headers["Location"])
    assert (answer.status, back.query["error"], back.query["state"]) == (303, error, "a state")
    assert "code" not in back.query


async def test_nothing_may_be_said_twice(google: Running) -> None:
    twice = URL(f"{google.issuer.url}/authorization").with_query([*ASKED.items(), ("nonce", "2")])
    answer = await google.session.get(twice, allow_redirects=False)
    assert URL(answer.headers["Location"]).query["error"] == "invalid_request"
    form = MultiDict([*redemption(await new_code(google)).items(), ("code", "another")])
    status, told, _ = await google.redeem(form)
    assert (status, told["error"]) == (400, "invalid_request")


async def test_somebody_who_refuses_is_sent_back_without_a_code(google: Running) -> None:
    back = await google.choose(address(google), "refuse")
    assert dict(back.query) == {"error": "access_denied", "state": "a state"}


async def test_the_page_offers_people_and_remembers_who_was_typed(google: Running) -> None:
    await google.be(address(google), "wu@exam.example", name="<b>吳</b>")
    answer = await google.session.get(address(google))
    page = await answer.text()
    assert "&lt;b&gt;吳&lt;/b&gt;" in page
    assert "candidate@examhall.example" in page
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://127.0.0.1;" in policy + ";"
    back = await google.choose(address(google), "wu@exam.example")
    assert "code" in back.query


@pytest.mark.parametrize("form", [{"choice": "typed", "status": "1"}, {"choice": "x@y"}, {}])
async def test_a_form_that_names_nobody_is_shown_again(
    google: Running, form: dict[str, str]
) -> None:
    answer = await google.session.post(address(google), data=form, headers=FROM_OUR_PAGE)
    assert (answer.status, "錯誤" in await answer.text()) == (422, True)


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
@pytest.mark.parametrize("path", ["authorization", "fault", "rotation"])
async def test_no_form_of_another_site_is_accepted(
    google: Running, headers: dict[str, str], path: str
) -> None:
    target = address(google).with_path(f"/oidc/{path}")
    answer = await google.session.post(target, data={"choice": PERSON.email}, headers=headers)
    assert answer.status == 403


async def test_a_code_works_once(google: Running) -> None:
    code = await new_code(google)
    assert (await google.redeem(redemption(code)))[0] == 200
    status, told, _ = await google.redeem(redemption(code))
    assert (status, told["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code": "made up"}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_grant"),
        ({"redirect_uri": CLIENT.redirect_uri + "/"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
async def test_a_code_is_bound_to_how_it_was_asked_for(
    google: Running, changed: dict[str, str], error: str
) -> None:
    status, told, _ = await google.redeem(redemption(await new_code(google), **changed))
    assert (status, told["error"]) == (400, error)
    assert "id_token" not in told


def test_a_code_that_was_tried_wrongly_or_came_late_is_worthless() -> None:
    now = [1_000_000.0]
    issuer = Issuer(url="http://x/oidc", client=CLIENT, algorithm="ES256", clock=lambda: now[0])
    asked = issuer.check(MultiDict(ASKED))
    tried, late, last = (issuer.grant(asked, PERSON).query["code"] for _ in range(3))
    for form in (redemption(tried, code_verifier="w" * 43), redemption(tried)):
        with pytest.raises(Denied, match="invalid_grant"):
            issuer.redeem(MultiDict(form), None)
    now[0] += CODE_LASTS_SECONDS - 1
    assert issuer.redeem(MultiDict(redemption(last)), None)
    now[0] += 1
    with pytest.raises(Denied, match="invalid_grant"):
        issuer.redeem(MultiDict(redemption(late)), None)


def basic(client_id: str, secret: str) -> str:
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


ANONYMOUS = {"client_id": "", "client_secret": ""}


async def test_a_client_may_say_who_it_is_in_the_header(google: Running) -> None:
    form = redemption(await new_code(google), **ANONYMOUS)
    status, _, _ = await google.redeem(form, Authorization=basic(CLIENT.id, CLIENT.secret))
    assert status == 200


@pytest.mark.parametrize(
    ("changed", "header", "expected"),
    [
        ({"client_secret": "wrong"}, None, (401, "invalid_client")),
        ({"client_id": "wrong"}, None, (401, "invalid_client")),
        (ANONYMOUS, None, (401, "invalid_client")),
        (ANONYMOUS, basic(CLIENT.id, "wrong"), (401, "invalid_client")),
        (ANONYMOUS, "Basic nonsense", (401, "invalid_client")),
        (ANONYMOUS, "Bearer x", (401, "invalid_client")),
        (
            {"client_id": "other", "client_secret": ""},
            basic(CLIENT.id, CLIENT.secret),
            (401, "invalid_client"),
        ),
        ({}, basic(CLIENT.id, CLIENT.secret), (400, "invalid_request")),
    ],
)
async def test_a_client_must_prove_who_it_is_and_a_stranger_uses_up_no_code(
    google: Running, changed: dict[str, str], header: str | None, expected: tuple[int, str]
) -> None:
    code = await new_code(google)
    headers = {"Authorization": header} if header else {}
    status, told, answered = await google.redeem(redemption(code, **changed), **headers)
    assert (status, told["error"]) == expected
    assert ("WWW-Authenticate" in answered) == (header is not None and status == 401)
    assert (await google.redeem(redemption(code)))[0] == 200


async def test_keys_and_faults_are_chosen_on_its_page(google: Running) -> None:
    [before] = google.issuer.key_set()["keys"]
    for path, form in (("rotation", {}), ("fault", {"fault": "expired"})):
        url = f"{google.issuer.url}/{path}"
        answer = await google.session.post(url, data=form, headers=FROM_OUR_PAGE)
        page = await answer.text()
    assert "<option selected>expired</option>" in page
    assert google.issuer.fault is Fault.EXPIRED
    after = google.issuer.key_set()["keys"]
    assert after[0] != before
    assert after[1] == before, "what was signed a moment ago can still be checked"
    url = f"{google.issuer.url}/fault"
    answer = await google.session.post(url, data={"fault": "made up"}, headers=FROM_OUR_PAGE)
    assert answer.status == 400
