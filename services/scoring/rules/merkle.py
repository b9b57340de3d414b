"""One hash over many results, and for each a proof that it is among them (RFC 6962, section 2.1).

The hash is published before anybody sees a result. Whoever holds a result and its proof can work
it out again; had any result been changed in between, it would come out different. A leaf is salted,
since otherwise all possible results of somebody could be tried until one fits the published hashes.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

# What a leaf is of, so that it can be the hash of nothing else.
DOMAIN = b"examhall result v1"
HASH_BYTES = 32
SALT_BYTES = 32
# More than there are people; a proof of more is none.
MOST_RESULTS = 2**40


def make_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def hash_leaf(content: str, salt: bytes) -> bytes:
    """Hash a result. A leaf begins with 0 and a node with 1, so neither passes for the other."""
    return hashlib.sha256(b"\x00" + DOMAIN + b"\x00" + salt + content.encode()).digest()


def _hash_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Tree:
    """All levels of hashes, the leaves first and the root last."""

    levels: Sequence[Sequence[bytes]]

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def find_path(self, position: int) -> bytes:
        """Give the hashes beside the way from a leaf up to the root, one after the other."""
        path = []
        for level in self.levels[:-1]:
            beside = position ^ 1
            if beside < len(level):
                path.append(level[beside])
            position //= 2
        return b"".join(path)


def grow(leaves: Sequence[bytes]) -> Tree:
    """Grow the tree of at least one leaf; a hash with none beside it goes up as it is."""
    levels = [list(leaves)]
    while len(level := levels[-1]) > 1:
        above = [_hash_node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        levels.append(above + level[len(level) - len(level) % 2 :])
    return Tree(levels)


@dataclass(frozen=True, slots=True)
class Proof:
    """What proves that a result is among those of a digest."""

    content: str
    salt: bytes
    position: int
    count: int
    path: bytes

    def find_root(self) -> bytes | None:
        """Work out the root that this proof leads to; None when it cannot be a proof."""
        if not 0 <= self.position < self.count or len(self.path) % HASH_BYTES:
            return None
        beside = [self.path[at : at + HASH_BYTES] for at in range(0, len(self.path), HASH_BYTES)]
        position, width, found = self.position, self.count, hash_leaf(self.content, self.salt)
        while width > 1:
            if position ^ 1 < width:
                if not beside:
                    return None
                other = beside.pop(0)
                pair = (other, found) if position % 2 else (found, other)
                found = _hash_node(*pair)
            position, width = position // 2, (width + 1) // 2
        return None if beside else found

    def proves(self, root: bytes) -> bool:
        return self.find_root() == root


def write_proof(proof: Proof) -> str:
    """Write a proof as a text that people keep, send, and check anywhere."""
    return json.dumps(
        {
            "content": proof.content,
            "salt": proof.salt.hex(),
            "position": proof.position,
            "count": proof.count,
            "path": proof.path.hex(),
        },
        ensure_ascii=False,
        indent=1,
    )


def read_proof(text: str) -> Proof | None:
    """Read a proof; None when it is none."""
    try:
        told = json.loads(text)
        proof = Proof(
            content=str(told["content"]),
            salt=bytes.fromhex(told["salt"]),
            position=int(told["position"]),
            count=int(told["count"]),
            path=bytes.fromhex(told["path"]),
        )
        proof.content.encode()  # half a character cannot be digested
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return proof if proof.count <= MOST_RESULTS else None
