"""Damaged arrays and pictures: .npy, PNG and IDX."""

from __future__ import annotations

import re
import struct
import zlib
from random import Random

from benchmarks.regression.mutator.text import Variant, damaged_bytes

SHAPES = ("()", "(0,)", "(-1,)", "(2, 2)", "(1000000000000,)", "(2, 1000000, 1000000)", "(4, 1, 8, 8, 1)", "(1, 64)")
DTYPES = ("|u1", "<f8", "<f2", "<i8", "|b1", "|O", "<U4", "<c16", "|V8", "<M8[s]", ">u8", "<i1")


def damaged_npy(content: bytes, random: Random) -> Variant:
    """Another shape, type, order or values of an array."""
    start = 10 + struct.unpack("<H", content[8:10])[0]
    header, body = content[10:start].decode(), content[start:]
    choices = {
        "shape": (r"'shape': \([^)]*\)", [f"'shape': {shape}" for shape in SHAPES]),
        "dtype": (r"'descr': '[^']*'", [f"'descr': '{dtype}'" for dtype in DTYPES]),
        "order": (r"False", ["True", "None"]),
    }
    done = random.choice((*choices, "values", "bytes"))
    if done == "values":
        size = random.choice((1, 2, 4, 8))
        at = random.randrange(max(1, len(body) // size)) * size
        return f"value at {at} changed", content[:start] + body[:at] + random.randbytes(size) + body[at + size :]
    if done == "bytes":
        return damaged_bytes(content, random)
    pattern, texts = choices[done]
    text = random.choice(texts)
    changed = re.sub(pattern, lambda _: text, header, count=1).encode()
    return text, content[:8] + struct.pack("<H", len(changed)) + changed + body


def damaged_png(content: bytes, random: Random) -> Variant:
    """Another size, depth or kind of colour in a sound header."""
    fields = list(struct.unpack(">IIBBBBB", content[16:29]))
    at = random.randrange(7)
    fields[at] = random.choice(
        (0, 1, 2, 3, 4, 6, 7, 16, 255) if at > 1 else (0, 1, 7, 9, 100_000, 2**31 - 1, 2**32 - 1)
    )
    header = b"IHDR" + struct.pack(">IIBBBBB", *fields)
    return f"header {fields}", content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


def damaged_idx(content: bytes, random: Random) -> Variant:
    """Other dimensions."""
    at = 4 * random.randrange(1 + content[3])
    word = random.choice((0, 1, 7, 0x800, 0x801, 0x803, 0x804, 0xD03, 2**31, 2**32 - 1))
    return f"word {at // 4} is {word}", content[:at] + struct.pack(">I", word) + content[at + 4 :]
