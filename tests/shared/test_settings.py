"""Settings: validated at start, a missing or wrong one names itself, a secret is never shown."""

import os
from pathlib import Path

import pytest

from services.identity.settings import Settings
from shared.settings import EX_CONFIG, load

GOOD = {
    "IDENTITY_DATABASE_URL": "postgresql://user:pw@localhost/identity",
    "EXAMHALL_AMQP_URL": "amqp://localhost/",
    "EXAMHALL_PUBLIC_URL": "https://exam.example",
    "EXAMHALL_SECRET_KEY": "c" * 43,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in os.environ:
        if name.startswith(("EXAMHALL_", "IDENTITY_")):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert ended.value.code == EX_CONFIG
    return capsys.readouterr().err


def test_what_is_given_is_read(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("EXAMHALL_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128")
    settings = load(Settings)
    assert settings.is_https
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.port == 8080


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_names_itself(
    name: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv(name)
    assert complaint(capsys) == f"setting {name}: Field required\n"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("IDENTITY_DATABASE_URL", "mysql://user:hunter2@localhost/identity"),
        ("EXAMHALL_AMQP_URL", "hunter2"),
        ("EXAMHALL_SECRET_KEY", "hunter2"),
        ("EXAMHALL_PORT", "hunter2"),
        ("EXAMHALL_TRUSTED_PROXIES", "hunter2"),
    ],
)
def test_a_wrong_setting_names_itself_without_showing_its_value(
    name: str, wrong: str, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv(name, wrong)
    said = complaint(capsys)
    assert said.startswith(f"setting {name}")
    assert "hunter2" not in said


def test_all_that_is_wrong_is_said_at_once(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("EXAMHALL_AMQP_URL")
    environment.setenv("EXAMHALL_PORT", "0")
    assert len(complaint(capsys).splitlines()) == 2


def test_a_secret_is_not_printed(environment: pytest.MonkeyPatch) -> None:
    shown = repr(load(Settings))
    assert GOOD["EXAMHALL_SECRET_KEY"] not in shown
    assert ":pw@" not in shown


def test_secrets_may_come_from_files(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in GOOD:
        environment.delenv(name)
        (tmp_path / name.lower()).write_text(f"{GOOD[name]}\n")
    environment.setitem(Settings.model_config, "secrets_dir", tmp_path)
    assert str(load(Settings).database_url) == GOOD["IDENTITY_DATABASE_URL"]
