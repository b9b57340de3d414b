"""`verify-statement`: checks a Statement of Results or a proof on this machine, asking nobody.

Given is a statement's PDF, the address that its QR code holds, or the proof of a result. Statements
are checked with published keys: from a file, from the site that is trusted, or kept since then.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from services.scoring.rules import merkle, seals
from services.scoring.rules.seals import NotSealed, UnknownKey

KEPT_KEYS = Path(__file__).parents[1] / ".examhall" / "statement-keys.json"
KEYS_PAGE = "/scoring/statement-keys.json"
LONGEST_ANSWER = 1_000_000
SECONDS = 15


class CannotCheck(Exception):
    """Something that a check needs is missing."""


def main(words: Sequence[str] | None = None) -> int:
    """Return 0 for what is genuine, 1 for what is not, 2 where nothing can be said."""
    parser = argparse.ArgumentParser(prog="./examhall verify-statement", description=__doc__)
    parser.add_argument("statement", help="a PDF, a proof, or what the QR code says")
    parser.add_argument("--keys", help="a file with the published keys, or the site that has them")
    parser.add_argument("--root", help="of a proof: the published digest, in hex")
    asked = parser.parse_args(words)
    try:
        content = _read(asked.statement)
        proof = merkle.read_proof(content.decode("utf-8", "replace"))
        if proof is not None:
            return _check_proof(proof, asked.root)
        return _check_seal(content, _load_keys(asked.keys))
    except CannotCheck as missing:
        print(missing, file=sys.stderr)
        return 2


def _read(given: str) -> bytes:
    """Read a file, if there is one of this name; otherwise it is what was scanned itself."""
    try:
        path = Path(given)
        return path.read_bytes() if path.is_file() else given.encode()
    except OSError:  # longer than any name of a file
        return given.encode()


def _check_seal(content: bytes, keys: Mapping[bytes, bytes]) -> int:
    text = seals.find_in_pdf(content) or content.decode("utf-8", "replace").strip()
    try:
        seal = seals.open_(text, keys)
    except UnknownKey:
        raise CannotCheck(
            "It is signed by a key that is not among these. Fetch the published ones: --keys SITE"
        ) from None
    except NotSealed:
        print("NOT GENUINE: no published key signed this, or it was changed.")
        return 1
    print(f"GENUINE: signed by key {seal.key_id.hex()}. Compare what was signed with the paper:")
    for line in _lines(seal.claims):
        print(f"  {line}")
    print("Whether another statement has replaced it since, only its public page can say.")
    return 0


def _lines(claims: Mapping[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, value in claims.items():
        if isinstance(value, Mapping):
            found += _lines(value, f"{prefix}{name}.")
        else:
            found.append(f"{prefix + name:<24} {value}")
    return found


def _check_proof(proof: merkle.Proof, root: str | None) -> int:
    found = proof.find_root()
    if found is None or (root is not None and found.hex() != root.strip().lower()):
        print("NOT PROVED: this result and this proof do not lead to the published digest.")
        return 1
    print(f"{proof.content}\nleads to the digest of {proof.count} results")
    print(f"  {found.hex()}")
    print("PROVED." if root else "Compare it with the one on /scoring/digests/, or give --root.")
    return 0


def _load_keys(source: str | None) -> Mapping[bytes, bytes]:
    """Load the published keys. A site is named by whoever trusts it: never by the statement."""
    if source is None and not KEPT_KEYS.exists():
        raise CannotCheck(
            "There are no keys here yet. Name a file or the site you trust: --keys https://…"
        )
    if source is not None and source.startswith(("https://", "http://")):
        text = _fetch(source.rstrip("/").removesuffix(KEYS_PAGE) + KEYS_PAGE)
        keys = _read_keys(text)
        KEPT_KEYS.parent.mkdir(exist_ok=True)
        KEPT_KEYS.write_text(text)
        return keys
    try:
        return _read_keys((Path(source) if source else KEPT_KEYS).read_text())
    except OSError as error:
        raise CannotCheck(str(error)) from None


def _fetch(address: str) -> str:
    try:
        with urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 (http or https, see above)
            content: bytes = answer.read(LONGEST_ANSWER)
            return content.decode()
    except (URLError, OSError, UnicodeDecodeError) as error:
        raise CannotCheck(f"{address}: {error}") from None


def _read_keys(text: str) -> Mapping[bytes, bytes]:
    try:
        published = [bytes.fromhex(key["public_key"]) for key in json.loads(text)["keys"]]
    except (ValueError, KeyError, TypeError):
        raise CannotCheck("These are no published keys.") from None
    # By their own digests, whatever the file calls them.
    return {seals.key_id_of(key): key for key in published}


if __name__ == "__main__":
    sys.exit(main())
