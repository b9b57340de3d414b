"""What a checkout remembers, and the secrets it keeps."""

import base64
import json
from pathlib import Path

import pytest

from deploy.one_machine.checkout import Checkout
from deploy.one_machine.secrets import make_secrets


def test_a_port_is_remembered(tmp_path: Path) -> None:
    port = Checkout(tmp_path).server_port("postgres")
    assert Checkout(tmp_path).server_port("postgres") == port


def test_a_broken_state_file_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / ".examhall").mkdir()
    (tmp_path / ".examhall" / "state.json").write_text("{")
    assert Checkout(tmp_path).port("postgres") is None


def test_a_copied_checkout_forgets_what_the_first_one_runs(tmp_path: Path) -> None:
    first = Checkout(tmp_path)
    first.remember_port("services", 8080)
    (first.folder / "services.pid").write_text("1 1")
    state = json.loads((first.folder / "state.json").read_text())
    (first.folder / "state.json").write_text(json.dumps(state | {"checkout": "/another/place"}))
    assert Checkout(tmp_path).port("services") is None
    assert not (first.folder / "services.pid").exists()


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    key = checkout.secret_key()
    assert checkout.secret_key() == key
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert (checkout.folder / "secret_key").stat().st_mode & 0o777 == 0o600


def test_secrets_for_containers_lie_in_a_private_folder_and_stay(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)
    before = {file.name: file.read_text() for file in folder.iterdir()}
    make_secrets(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == before
    assert set(before) >= {"postgres_password", "rabbitmq_account", "examhall_secret_key"}
    _, _, password = before["rabbitmq_account"].strip().rpartition(" ")
    assert f":{password}@" in before["examhall_amqp_url"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o644}


def test_a_second_command_waits_for_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def flock(_file: object, how: int) -> None:
        tried.append(how)
        if len(tried) == 1:
            raise BlockingIOError

    monkeypatch.setattr("deploy.one_machine.checkout.fcntl.flock", flock)
    with Checkout(tmp_path).locked():
        assert len(tried) == 2
    assert "Waiting for another ./examhall" in capsys.readouterr().out
