"""Folders that a server's own user can reach, and data that are never lost on the way."""

import os
from pathlib import Path

import pytest

from deploy.one_machine import owners
from deploy.one_machine.owners import make_folder, owner_of, remove_folder
from deploy.one_machine.problems import Problem

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to give away")


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(owners, "ELSEWHERE", tmp_path / "elsewhere")
    monkeypatch.setattr(owners, "can_enter", lambda _owner, folder: "closed" not in folder.parts)
    return tmp_path / "closed" / "postgres"


@only_root
def test_what_the_owner_cannot_reach_lies_elsewhere_and_stays_there(closed: Path) -> None:
    make_folder(closed, owner_of(closed, "postgres"))
    assert closed.is_symlink()
    (closed / "data").touch()
    make_folder(closed, owner_of(closed, "postgres"))
    assert (closed / "data").exists()


@only_root
def test_removing_a_folder_removes_it_wherever_it_lies(closed: Path) -> None:
    make_folder(closed, owner_of(closed, "postgres"))
    place = closed.readlink()
    remove_folder(closed)
    assert not place.exists()
    assert not closed.is_symlink()


@only_root
def test_data_that_became_unreachable_are_named_and_not_deleted(closed: Path) -> None:
    closed.mkdir(parents=True)
    (closed / "data").touch()
    with pytest.raises(Problem, match="holds data"):
        make_folder(closed, owner_of(closed, "postgres"))
    assert (closed / "data").exists()


@only_root
def test_a_copied_checkout_does_not_share_data_with_the_first(closed: Path) -> None:
    make_folder(closed, owner_of(closed, "postgres"))
    copy = closed.parent / "copy" / "postgres"
    copy.parent.mkdir()
    copy.symlink_to(closed.readlink())
    make_folder(copy, owner_of(copy, "postgres"))
    assert copy.resolve() != closed.resolve()
    remove_folder(copy)
    assert closed.resolve().exists()


@only_root
def test_a_folder_keeps_the_owner_it_has(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    owner = owner_of(tmp_path, "postgres")
    assert owner
    assert owner.uid == 1234


def test_a_private_folder_lets_nobody_else_in(tmp_path: Path) -> None:
    make_folder(tmp_path / "mine", None)
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700
