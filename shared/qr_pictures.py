"""QR codes as pictures, drawn by the hundred: for texts that look random, as signatures do.

A library that takes any text and finds its best mask needs milliseconds for what takes a part of
one here: byte mode, error correction level M and one mask, with the standard's rules for each
version worked out once. Numbers and names follow ISO/IEC 18004.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, product, zip_longest
from operator import itemgetter
from typing import Any

# For versions 1 to 40 at level M: error correction codewords of a block, and blocks.
CORRECTION = (
    (10, 1), (16, 1), (26, 1), (18, 2), (24, 2), (16, 4), (18, 4), (22, 4), (22, 5), (26, 5),
    (30, 5), (22, 8), (22, 9), (24, 9), (24, 10), (28, 10), (28, 11), (26, 13), (26, 14), (26, 16),
    (26, 17), (28, 17), (28, 18), (28, 20), (28, 21), (28, 23), (28, 25), (28, 26), (28, 28),
    (28, 29), (28, 31), (28, 33), (28, 35), (28, 37), (28, 38), (28, 40), (28, 43), (28, 45),
    (28, 47), (28, 49),
)  # fmt: skip
LEVEL_M = 0b00
MASK = 3
BYTE_MODE = 0b0100
PADS = b"\xec\x11"
# Empty modules on every side, without which scanners do not find a code.
QUIET_ZONE = 4
BITS = 8


@dataclass(frozen=True)
class _Version:
    """What is the same in every code of a version."""

    side: int  # of the picture, in modules
    codewords: int  # of data
    blocks: tuple[int, ...]  # how many of them stand in each block
    correction: tuple[int, ...]  # the generator polynomial times each number, as one number each
    correction_bytes: int
    pick: Any  # takes bits out of the message, in the order of the picture
    fixed: int  # what is laid over them: mask, patterns, quiet zone


def draw(text: str) -> bytes:
    """Draw a text as a PNG with a dot for each module, quiet zone included."""
    data = text.encode()
    version = _version(_smallest(len(data)))
    bits = int.from_bytes(_interleave(version, _codewords(version, data)))
    length = BITS * (version.codewords + len(version.blocks) * version.correction_bytes)
    # Behind the message stand the remainder bits and the modules that are none of it: all 0.
    rows = int("".join(version.pick(f"{bits:0{length}b}{0:08b}")), 2) ^ version.fixed
    stride = _stride(version.side)
    return _png(version.side, rows.to_bytes(version.side * stride))


def _smallest(length: int) -> int:
    for number in range(1, len(CORRECTION) + 1):
        if length + _head_bytes(number) <= _data_codewords(number):
            return number
    raise ValueError("too long for a QR code")


def _head_bytes(number: int) -> int:
    # Mode and length, and half a byte at the end that ends the text.
    return 2 if number < 10 else 3


def _codewords(version: _Version, data: bytes) -> bytes:
    count = BITS if version.codewords < _data_codewords(10) else 2 * BITS
    head = (BYTE_MODE << count) | len(data)
    # Four bits of mode and four zeros at the end make whole bytes again.
    text = ((head << BITS * len(data)) | int.from_bytes(data)) << 4
    used = text.to_bytes(count // BITS + len(data) + 1)
    left = version.codewords - len(used)
    return used + (PADS * (left // 2 + 1))[:left]


def _interleave(version: _Version, codewords: bytes) -> bytes:
    blocks, start = [], 0
    for size in version.blocks:
        blocks.append(codewords[start : start + size])
        start += size
    mixed = chain.from_iterable(zip_longest(*blocks))
    corrections = zip(*(_correct(version, block) for block in blocks), strict=True)
    return bytes(word for word in mixed if word is not None) + bytes(
        chain.from_iterable(corrections)
    )


def _correct(version: _Version, block: bytes) -> bytes:
    """The rest of a division by the generator polynomial, with all its terms in one number."""
    rest, multiples = 0, version.correction
    top = BITS * (version.correction_bytes - 1)
    low = (1 << top) - 1
    for word in block:
        rest = ((rest & low) << BITS) ^ multiples[word ^ (rest >> top)]
    return rest.to_bytes(version.correction_bytes)


def _multiply(left: int, right: int) -> int:
    """Multiply in the field of 256 elements."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left = left << 1 ^ (0x11D if left & 0x80 else 0)
        right >>= 1
    return product


def _generator_multiples(degree: int) -> tuple[int, ...]:
    generator, root = [1], 1
    for _ in range(degree):
        shifted = [*generator, 0]
        for place, term in enumerate(generator):
            shifted[place + 1] ^= _multiply(term, root)
        generator, root = shifted, _multiply(root, 2)
    return tuple(
        int.from_bytes(bytes(_multiply(term, number) for term in generator[1:]))
        for number in range(256)
    )


def _all_codewords(number: int) -> int:
    modules = (16 * number + 128) * number + 64
    if number > 1:
        aligned = number // 7 + 2
        modules -= (25 * aligned - 10) * aligned - 55
    if number > 6:
        modules -= 36
    return modules // BITS


def _data_codewords(number: int) -> int:
    correction, blocks = CORRECTION[number - 1]
    return _all_codewords(number) - correction * blocks


@cache
def _version(number: int) -> _Version:
    correction, blocks = CORRECTION[number - 1]
    codewords = _data_codewords(number)
    small, longer = divmod(codewords, blocks)
    size = 4 * number + 17
    patterns = _patterns(number, size)
    length = BITS * _all_codewords(number)
    side = size + 2 * QUIET_ZONE
    stride = BITS * _stride(side)
    sources = [length] * (side * stride)
    fixed = 0
    # White is 1 in the picture, but black in the standard; the quiet zone is white.
    for y in range(side):
        fixed |= ((1 << side) - 1) << (stride * (side - 1 - y) + stride - BITS - side)
    for (x, y), is_black in patterns.items():
        fixed ^= is_black << _bit(x, y, side, stride)
    for source, (x, y) in enumerate(_path(size, patterns)):
        at = _bit(x, y, side, stride)
        fixed ^= ((x + y) % 3 == 0) << at
        sources[side * stride - 1 - at] = min(source, length)
    return _Version(
        side,
        codewords,
        (small,) * (blocks - longer) + (small + 1,) * longer,
        _generator_multiples(correction),
        correction,
        itemgetter(*sources),
        fixed,
    )


def _stride(side: int) -> int:
    """Bytes of a row: one that says how it is packed, then a bit for each module."""
    return 1 + -(-side // BITS)


def _bit(x: int, y: int, side: int, stride: int) -> int:
    """Where a module stands in the picture taken as one number."""
    across = BITS + QUIET_ZONE + x
    return stride * (side - 1 - QUIET_ZONE - y) + stride - 1 - across


def _patterns(number: int, size: int) -> dict[tuple[int, int], bool]:
    """What does not depend on the text: the squares, the lines, and what says version and mask."""
    found = {line: step % 2 == 0 for step in range(size) for line in ((6, step), (step, 6))}
    places = _alignments(number, size)
    corners = [(3, 3), (size - 4, 3), (3, size - 4)]
    for x, y in corners:
        found.update(_square(x, y, radius=4, white=(2, 4)))
    for x, y in product(places, places):
        if (x, y) not in {(6, 6), (6, size - 7), (size - 7, 6)}:  # the corners have theirs
            found.update(_square(x, y, radius=2, white=(1,)))
    found.update(_format(size))
    if number > 6:
        said = number << 12 | _remainder(number, 0x1F25, 12)
        for place in range(18):
            x, y = size - 11 + place % 3, place // 3
            found[x, y] = found[y, x] = bool(said >> place & 1)
    return {(x, y): found[x, y] for x, y in found if 0 <= x < size and 0 <= y < size}


def _square(
    x: int, y: int, *, radius: int, white: tuple[int, ...]
) -> Iterator[tuple[tuple[int, int], bool]]:
    """Rings around a module; those of the given radii are white."""
    around = range(-radius, radius + 1)
    for dx, dy in product(around, around):
        yield (x + dx, y + dy), max(abs(dx), abs(dy)) not in white


def _alignments(number: int, size: int) -> list[int]:
    if number == 1:
        return []
    count = number // 7 + 2
    step = (number * 8 + count * 3 + 5) // (count * 4 - 4) * 2
    return [6, *sorted(size - 7 - place * step for place in range(count - 1))]


def _format(size: int) -> Iterator[tuple[tuple[int, int], bool]]:
    says = LEVEL_M << 3 | MASK
    said = (says << 10 | _remainder(says, 0x537, 10)) ^ 0x5412
    beside = [*((8, y) for y in (0, 1, 2, 3, 4, 5, 7, 8)), *((x, 8) for x in (7, 5, 4, 3, 2, 1, 0))]
    apart = [*((size - 1 - x, 8) for x in range(8)), *((8, size - 7 + y) for y in range(7))]
    for place in range(15):
        for module in (beside[place], apart[place]):
            yield module, bool(said >> place & 1)
    yield (8, size - 8), True


def _remainder(number: int, polynomial: int, degree: int) -> int:
    rest = number
    for _ in range(degree):
        rest = rest << 1 ^ (rest >> degree - 1) * polynomial
    return rest


def _path(size: int, patterns: dict[tuple[int, int], bool]) -> Iterator[tuple[int, int]]:
    """Where the bits of a message go, one after the other: up and down, two columns at a time."""
    columns = [*range(size - 1, 6, -2), *range(5, 0, -2)]
    for turn, right in enumerate(columns):
        rows = range(size) if turn % 2 else range(size - 1, -1, -1)
        for y in rows:
            for x in (right, right - 1):
                if (x, y) not in patterns:
                    yield x, y


def _png(side: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)  # one bit a dot, grey
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, octets: bytes) -> bytes:
    checksum = zlib.crc32(name + octets)
    return struct.pack(">I", len(octets)) + name + octets + struct.pack(">I", checksum)
