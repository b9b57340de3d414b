"""A digest over results: every proof leads to it, and any change leads elsewhere."""

import hashlib
from dataclasses import replace

import pytest

from services.scoring.rules import merkle
from services.scoring.rules.merkle import Proof

SIZES = pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 100])


def salt(number: int) -> bytes:
    return bytes([number]) * 32


def make(count: int) -> tuple[bytes, list[Proof]]:
    tree = merkle.grow([merkle.hash_leaf(f"result {n}", salt(n)) for n in range(count)])
    return tree.root, [
        Proof(f"result {n}", salt(n), n, count, tree.find_path(n)) for n in range(count)
    ]


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def test_the_hashes_are_those_that_are_written_down() -> None:
    """By hand, so that somebody with another program can do it too."""
    leaves = [
        sha256(b"\x00", b"examhall result v1", b"\x00", salt(n), f"result {n}".encode())
        for n in range(3)
    ]
    root, proofs = make(3)
    left = sha256(b"\x01", leaves[0], leaves[1])
    assert root == sha256(b"\x01", left, leaves[2])
    assert proofs[0].path == leaves[1] + leaves[2]
    assert proofs[2].path == left


def test_a_root_stays_what_it_is() -> None:
    assert make(5)[0].hex() == "5d1ce4aeae639f5802fa6c0d03a22c21df235d5fb31dfbe2eedb382dbb80166a"


@SIZES
def test_every_result_is_proved(count: int) -> None:
    root, proofs = make(count)
    assert all(proof.proves(root) for proof in proofs)


@SIZES
def test_any_change_breaks_the_proof(count: int) -> None:
    root, proofs = make(count)
    for proof in proofs:
        changed = [
            replace(proof, content=proof.content + " "),
            replace(proof, salt=salt(200)),
            replace(proof, path=proof.path + bytes(32)),
            replace(proof, path=proof.path + b"\x00"),
            replace(proof, position=count),
            replace(proof, position=-1),
            replace(proof, count=0),
        ]
        if count > 1:
            changed += [
                replace(proof, position=proof.position ^ 1),
                replace(proof, path=proof.path[32:]),
                replace(proof, path=bytes(len(proof.path))),
            ]
        assert not any(each.proves(root) for each in changed)


@SIZES
def test_one_result_that_changes_changes_the_root(count: int) -> None:
    root, _ = make(count)
    for changed in range(count):
        leaves = [
            merkle.hash_leaf(f"result {n}" + "!" * (n == changed), salt(n)) for n in range(count)
        ]
        assert merkle.grow(leaves).root != root


def test_a_node_is_no_leaf() -> None:
    """Else two results could be passed off as one with strange content."""
    root, proofs = make(2)
    inside = merkle.hash_leaf("result 0", salt(0)) + merkle.hash_leaf("result 1", salt(1))
    forged = Proof(inside.decode("latin-1"), b"", 0, 1, b"")
    assert proofs[0].proves(root)
    assert not forged.proves(root)


def test_salts_are_never_the_same() -> None:
    assert len({merkle.make_salt() for _ in range(100)}) == 100
