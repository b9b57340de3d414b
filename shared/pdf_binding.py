"""Binding: many documents of `shared.pdf` as one, which is sent while the rest is still made.

A document of thousands of pages takes typst half a megabyte of memory for each. Made some pages at
a time and bound here, it takes what the pages of one part do, and its first octets leave at once.
What is read is only what typst writes: objects one after the other, none of them packed.
"""

import hashlib
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HEADER: Final = b"%PDF-1.7\n%\x80\x80\x80\x80\n"
# The numbers of what there is one of, however many documents are bound.
CATALOG, PAGES, STRUCTURE, WHOLE = 1, 2, 3, 4
# The lines of the table of objects: the format fixes how long they are.
ENTRY_OCTETS = 20
FREE: Final = b"0000000000 65535 f \n"

_STRING = rb"\((?:[^\\()]|\\.)*\)"
_REFERENCE = re.compile(rb"%s|\b(\d+) 0 (R|obj)\b" % _STRING, re.DOTALL)
# Which piece of the content of a page belongs to what, by numbers that no two pages share.
_PARENTS = re.compile(rb"/StructParents? (\d+)")
_PARENT_TREE = re.compile(rb"/ParentTree<</Nums\[([^\]]*)\]>>")
_PARENT = re.compile(rb"(\d+) (\d+ 0 R)")
# The cells of a table name their headings.
_NAME = re.compile(rb"\((U\d+x\d+y\d+)\)")
_NAME_TREE = re.compile(rb"/IDTree<</Names\[([^\]]*)\]>>")
_NAMED = re.compile(rb"(\([^)]*\)) ?(\d+ 0 R)")
_CHILDREN = re.compile(rb"/K\[([^\]]*)\]")
_ROLES = re.compile(rb"/RoleMap<<[^>]*>>")


@dataclass(frozen=True, slots=True)
class _Document:
    """A document taken apart: its objects by number, and which of them are special."""

    objects: Mapping[int, bytes]
    catalog: int
    info: int
    pages: int
    structure: int


class Binding:
    """One document out of many: send what `add` returns of each in turn, and then `finish`."""

    def __init__(self) -> None:
        self._written = 0
        # Where each object begins, by its number; 0 where there is none.
        self._places = array("Q", [0] * (WHOLE + 1))
        self._digest = hashlib.sha256()
        self._info = 0
        self._count = 0
        self._catalog = self._roles = b""
        self._branches: list[int] = []  # the pages of each document
        self._children: list[bytes] = []  # the structure of each
        self._parents: list[bytes] = []
        self._names: list[tuple[bytes, bytes]] = []

    def add(self, document: bytes) -> bytes:
        """Take another document; return what is to be sent of it."""
        parts = _take_apart(document)
        self._digest.update(document)
        first, offset = not self._branches, len(self._places) - 1
        self._places.extend([0] * len(parts.objects))
        rewrite = self._rewriter(parts, offset)
        self._note_structure(rewrite(parts.objects[parts.structure]))
        if first:
            self._info = parts.info + offset
            self._catalog = rewrite(parts.objects[parts.catalog])
        self._branches.append(parts.pages + offset)
        sent = [HEADER] if first else []
        self._written += len(HEADER) if first else 0
        for number, content in parts.objects.items():
            if number in (parts.catalog, parts.structure):
                continue
            written = rewrite(content)
            if number == parts.pages:
                self._count += _read(rb"/Count (\d+)", written)
                written = written.replace(b"/Type/Pages", b"/Type/Pages/Parent %d 0 R" % PAGES, 1)
            sent.append(self._place(number + offset, written))
        return b"".join(sent)

    def _rewriter(self, parts: _Document, offset: int) -> Callable[[bytes], bytes]:
        """Say how an object is written here: with other numbers and names, its stream as it is."""
        document, parents = len(self._branches), len(self._parents)

        def renumber(found: re.Match[bytes]) -> bytes:
            if found[1] is None:
                return _NAME.sub(rb"(%d-\1)" % document, found[0])
            number = int(found[1])
            number = WHOLE if number == parts.structure else number + offset
            return b"%d 0 %s" % (number, found[2])

        def move(found: re.Match[bytes]) -> bytes:
            return found[0].replace(found[1], b"%d" % (int(found[1]) + parents))

        def rewrite(content: bytes) -> bytes:
            head, stream, octets = content.partition(b"\nstream\n")
            head = _PARENTS.sub(move, _REFERENCE.sub(renumber, head))
            return head.replace(b"/S/Document", b"/S/Part") + stream + octets

        return rewrite

    def _note_structure(self, written: bytes) -> None:
        """Remember what the structure of a document adds to that of all."""
        self._roles = self._roles or _find(_ROLES, written)
        self._children.append(_find(_CHILDREN, written, 1))
        tree = _find(_PARENT_TREE, written, 1)
        self._parents += [parent for _, parent in _PARENT.findall(tree)]
        names = _NAME_TREE.search(written)  # there are none where there is no table
        self._names += _NAMED.findall(names[1]) if names else []

    def _place(self, number: int, written: bytes) -> bytes:
        self._places[number] = self._written
        self._written += len(written)
        return written

    def finish(self) -> bytes:
        """Return the end: what holds all the pages together, and where each object is."""
        catalog = re.sub(rb"/Pages \d+", b"/Pages %d" % PAGES, self._catalog)
        catalog = re.sub(rb"/StructTreeRoot \d+", b"/StructTreeRoot %d" % STRUCTURE, catalog)
        catalog = re.sub(rb"/Outlines \d+ 0 R", b"", catalog)  # it led to the first part alone
        catalog = re.sub(rb"^\d+ 0 obj", b"%d 0 obj" % CATALOG, catalog)
        sent = [
            self._place(CATALOG, catalog),
            self._write(
                PAGES,
                b"<</Type/Pages/Count %d/Kids[%s]>>",
                self._count,
                b" ".join(b"%d 0 R" % branch for branch in self._branches),
            ),
            self._write(
                STRUCTURE,
                b"<</Type/StructTreeRoot%s/K[%d 0 R]/ParentTree<</Nums[%s]>>"
                b"/IDTree<</Names[%s]>>>>",
                self._roles,
                WHOLE,
                b" ".join(b"%d %s" % each for each in enumerate(self._parents)),
                b" ".join(b"%s %s" % each for each in sorted(self._names)),
            ),
            self._write(
                WHOLE,
                b"<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>",
                STRUCTURE,
                b" ".join(self._children),
            ),
        ]
        return b"".join([*sent, self._table()])

    def _write(self, number: int, form: bytes, *told: int | bytes) -> bytes:
        return self._place(number, b"%d 0 obj\n%s\nendobj\n" % (number, form % told))

    def _table(self) -> bytes:
        """The table of all objects. Those left out are marked free."""
        lines = [b"xref\n0 %d\n" % len(self._places)]
        lines += [b"%010d 00000 n \n" % place if place else FREE for place in self._places]
        name = self._digest.hexdigest()[:32].encode()
        lines.append(
            b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF"
            % (len(self._places), CATALOG, self._info, name, name, self._written)
        )
        return b"".join(lines)


def _take_apart(document: bytes) -> _Document:
    table = _read(rb"startxref\s+(\d+)\s+%%EOF\s*$", document[-100:])
    head = re.compile(rb"xref\n0 (\d+)\n").match(document, table)
    assert head, "typst writes one table of objects"
    begins = {
        number: int(document[at : at + 10])
        for number in range(1, int(head[1]))
        for at in [head.end() + number * ENTRY_OCTETS]
    }
    ends = _ends(sorted(begins.values()), table)
    objects = {number: document[begin : ends[begin]] for number, begin in begins.items()}
    trailer = document[head.end() + int(head[1]) * ENTRY_OCTETS :]
    catalog = _read(rb"/Root (\d+)", trailer)
    return _Document(
        objects,
        catalog=catalog,
        info=_read(rb"/Info (\d+)", trailer),
        pages=_read(rb"/Pages (\d+)", objects[catalog]),
        structure=_read(rb"/StructTreeRoot (\d+)", objects[catalog]),
    )


def _ends(begins: Sequence[int], table: int) -> dict[int, int]:
    return dict(zip(begins, [*begins[1:], table], strict=True))


def _find(pattern: re.Pattern[bytes], text: bytes, group: int = 0) -> bytes:
    found = pattern.search(text)
    assert found, f"a document of ours has {pattern.pattern!r}"
    return found[group]


def _read(pattern: bytes, text: bytes) -> int:
    return int(_find(re.compile(pattern), text, 1))
