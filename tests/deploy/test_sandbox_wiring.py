"""On one machine the site and the sandbox are told the same."""

from pathlib import Path

import pytest

from deploy.one_machine.machine import Machine
from deploy.sandbox import settings as sandbox_settings
from services.identity import app as identity
from services.identity.settings import Settings


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine whose servers were never started, but have their passwords."""
    machine = Machine(tmp_path)
    for server in ("postgres", "rabbitmq"):
        folder = machine.checkout.folder / server
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "password").write_text("secret")
    return machine


def test_on_one_machine_the_site_and_the_issuer_agree(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.checkout.remember_port("services", 8181)
    machine.checkout.remember_port("sandbox", 8191)
    for name, value in machine.environment().items():
        monkeypatch.setenv(name, value)
    site, sandbox = identity.ENTRY.settings(), sandbox_settings.Settings()
    assert isinstance(site, Settings)
    assert str(site.oidc_issuer) == sandbox.issuer_url == "http://localhost:8191/oidc"
    assert site.oidc_client_id == sandbox.client.id
    assert site.oidc_client_secret.get_secret_value() == sandbox.client.secret
    assert sandbox.client.redirect_uri == "http://localhost:8181/identity/google/callback"


def test_on_one_machine_people_pay_at_the_sandbox(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.checkout.remember_port("sandbox", 8191)
    environment = machine.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    told = {name: value for name, value in environment.items() if name.startswith("PAYMENTS_")}
    sandbox = sandbox_settings.Settings()
    assert told["PAYMENTS_ECPAY_URL"] == told["PAYMENTS_ECPAY_CASHIER_URL"]
    assert told["PAYMENTS_ECPAY_URL"] == f"{sandbox.url}/ecpay" == "http://localhost:8191/ecpay"
    assert told["PAYMENTS_LINE_PAY_URL"] == f"{sandbox.url}/line-pay"
    merchant = sandbox.rules.merchants[told["PAYMENTS_ECPAY_MERCHANT_ID"]]
    keys = told["PAYMENTS_ECPAY_HASH_KEY"], told["PAYMENTS_ECPAY_HASH_IV"]
    assert keys == (merchant.key, merchant.iv)
    channel = told["PAYMENTS_LINE_PAY_CHANNEL_ID"], told["PAYMENTS_LINE_PAY_CHANNEL_SECRET"]
    assert channel == (sandbox.rules.channel_id, sandbox.rules.channel_secret)
    assert sandbox.folder == machine.checkout.folder / "sandbox"


def test_an_operators_own_provider_is_left_alone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENTS_ECPAY_URL", "https://payment.ecpay.com.tw")
    environment = machine.environment()
    assert environment["PAYMENTS_ECPAY_URL"] == "https://payment.ecpay.com.tw"
    assert "PAYMENTS_ECPAY_HASH_KEY" not in environment


def test_an_operators_own_issuer_is_left_alone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_OIDC_ISSUER", "https://accounts.google.com")
    monkeypatch.setenv("IDENTITY_OIDC_CLIENT_ID", "theirs")
    environment = machine.environment()
    assert environment["IDENTITY_OIDC_ISSUER"] == "https://accounts.google.com"
    assert environment["IDENTITY_OIDC_CLIENT_ID"] == "theirs"
