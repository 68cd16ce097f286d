"""Damaged variants of a file, by its kind: bytes, JSON, TOML, safetensors, checkpoints, archives of arrays, pictures.

Every variant is drawn from a `random.Random`, so that the same seed gives the same variants.
"""

from __future__ import annotations

import copy
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

Variant = tuple[str, bytes]  # what was done, and what came of it

DEEP = 10_000
# JSON texts that stand where others should.
VALUES = (
    "null", "[]", "{}", '""', "true", "0", "-1", "1", "3", "0.5", "-0.0", "100000", "16777216", "2147483648",
    "9223372036854775808", "-9223372036854775809", "1" + 30 * "0", "1e308", "1e-320", "1e400", "NaN", "Infinity",
    "-Infinity", '"x"', '"0"', '"\\u0000"', '"\\ud800"', '"a\\nb"', '"../.."', '"template:x"', '"' + 9999 * "x" + '"',
    "[1]", "[null]", "[[]]", '["a", "a"]', '{"a": 1}', '{"": null}', "9" * 5000, DEEP * "[" + DEEP * "]",
    DEEP * '{"a":' + "1" + DEEP * "}", "[" + "0," * 9999 + "0]",
)  # fmt: skip
TOML_VALUES = (
    "[]", "{}", '""', "true", "0", "-1", "1e308", "nan", "inf", "-inf", "9223372036854775808", 30 * "9", '"x"', "[1]",
    '"\\u0000"', '"a\\nb"', "1979-05-27", "[[]]", "{ a = 1 }", DEEP * "[" + DEEP * "]", '"template:x"', '"NaN"',
)  # fmt: skip
SHAPES = ("()", "(0,)", "(-1,)", "(2, 2)", "(1000000000000,)", "(2, 1000000, 1000000)", "(4, 1, 8, 8, 1)", "(1, 64)")
DTYPES = ("|u1", "<f8", "<f2", "<i8", "|b1", "|O", "<U4", "<c16", "|V8", "<M8[s]", ">u8", "<i1")
FLOATS = (float("nan"), float("inf"), -float("inf"), 3e38, -3e38, 0.0, 1e-40, 1e20, -1.0)


# --- bytes and text ------------------------------------------------------------------------------------------
def damaged_bytes(content: bytes, random: Random) -> Variant:
    """Flipped, cut, doubled, emptied or zeroed."""
    start = random.randrange(len(content) + 1)
    end = min(len(content), start + random.choice((1, 4, 16, 256)))
    head = random.randrange(min(len(content), 64) or 1)
    flipped = bytearray(content)
    for _ in range(random.choice((1, 1, 3, 20)) if content else 0):
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    random_head = bytearray(content)
    random_head[head : head + 1] = random.randbytes(1)
    choices: dict[str, bytes] = {
        "flipped": bytes(flipped),
        f"byte {head} changed": bytes(random_head),
        f"cut at {start}": content[:start],
        f"bytes {start} to {end} left out": content[:start] + content[end:],
        f"bytes {start} to {end} doubled": content[:end] + content[start:],
        f"bytes {start} to {end} zeroed": content[:start] + bytes(end - start) + content[end:],
        f"bytes {start} to {end} set": content[:start] + b"\xff" * (end - start) + content[end:],
        "doubled": content + content,
        "emptied": b"",
        "all zeros": bytes(len(content)),
        "more behind": content + random.randbytes(16),
    }
    return random.choice(list(choices.items()))


def damaged_json(content: bytes, random: Random) -> Variant:
    """Values of other types, keys left out, doubled and renamed, lists emptied and lengthened."""
    value = json.loads(content)
    places = list(_places(value))
    if not places or random.random() < 0.1:
        text = random.choice(VALUES)
        return f"is {text:.40}", text.encode()
    holder, key = random.choice(places)
    name = f"{key!r}"
    raw: dict[str, str] = {}
    done = random.choice(("value", "value", "value", "left out", "doubled", "renamed", "emptied", "lengthened"))
    inner = holder[key]
    if done == "emptied" and isinstance(inner, list | dict | str):
        holder[key] = type(inner)()
    elif done == "lengthened" and isinstance(inner, list):
        inner.extend(inner * random.choice((1, 2, 1000)) or [0])
    elif done == "left out":
        del holder[key]
    elif done == "doubled" and isinstance(holder, dict):
        raw = {'"@key@"': json.dumps(key)}
        holder["@key@"] = random.choice((inner, None, 1, "x", []))
    elif done == "renamed" and isinstance(holder, dict):
        del holder[key]
        holder[random.choice((key.upper(), key + "_", "", "\0", "__class__", "_" + key))] = inner
    else:
        text = random.choice(VALUES)
        raw, done = {'"@value@"': text}, f"is {text:.40}"
        holder[key] = "@value@"
    out = json.dumps(value)
    for mark, text in raw.items():
        out = out.replace(mark, text)
    return f"{name} {done}", out.encode()


def _places(value: Any) -> Any:
    """(holder, key) of every value within one."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from _places(inner)


def damaged_lines(content: bytes, random: Random) -> Variant:
    """One line of a file of JSON lines damaged, doubled or left out."""
    lines = content.splitlines()
    at = random.randrange(len(lines))
    done, line = random.choice((damaged_json, damaged_json, damaged_bytes))(lines[at], random)
    lines[at : at + 1] = random.choice(([line], [line], [line], [], [lines[at], lines[at]]))
    return f"line {at + 1}: {done}", b"\n".join(lines)


def damaged_toml(content: bytes, random: Random) -> Variant:
    """A setting with another value or name, left out, doubled, or in another table."""
    lines = content.decode().splitlines()
    at = random.choice([i for i, line in enumerate(lines) if "=" in line])
    name, _, _ = lines[at].partition("=")
    value = random.choice(TOML_VALUES)
    changed = {
        f"{name}= {value:.40}": [f"{name}= {value}"],
        f"line {at + 1} left out": [],
        f"line {at + 1} doubled": [lines[at]] * 2,
        f"{name} renamed": [lines[at].replace(name, random.choice(("'' ", "x ", "seed.x ", name.upper())), 1)],
        f"a table before {name}": [random.choice(("[x]", "[data]", "[[data]]", "[]", "[network]")), lines[at]],
    }
    done, lines[at : at + 1] = random.choice([*changed.items(), *3 * [next(iter(changed.items()))]])
    return done, "\n".join(lines).encode()


# --- tensors -------------------------------------------------------------------------------------------------
def damaged_tensor(tensor: Tensor, random: Random) -> tuple[str, Tensor]:
    """Other values, shape or type."""
    value = random.choice(FLOATS)
    if random.random() < 0.5 and tensor.numel():
        out = tensor.clone()
        flat = out.view(-1) if random.random() < 0.5 else out.view(-1)[random.randrange(out.numel()) :][:1]
        if not tensor.is_floating_point():
            value = random.choice((-1, 2**31 - 1, 7, 0))
        return f"values are {value}", _filled(out, flat, value)
    kind = random.choice(
        (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool)
    )
    changed: dict[str, Tensor] = {
        f"is {kind}": tensor.to(kind),
        "is flat": tensor.reshape(-1),
        "has one axis more": tensor[None],
        "is turned": tensor.mT if tensor.ndim > 1 else tensor.reshape(-1, 1),
        "is empty": tensor.reshape(-1)[:0] if not tensor.ndim else tensor[:0],
        "is cut": tensor.reshape(-1)[1:] if tensor.ndim < 2 else tensor[:, 1:],
        "is doubled": tensor.repeat(2, *[1] * (tensor.ndim - 1)) if tensor.ndim else tensor.repeat(2),
        "is one number": torch.tensor(1.0),
    }
    return random.choice(list(changed.items()))


def _filled(out: Tensor, part: Tensor, value: float) -> Tensor:
    part.copy_(torch.tensor(value, dtype=torch.float64).to(part.dtype).expand_as(part))
    return out


def damaged_safetensors(content: bytes, random: Random) -> Variant:
    """The header's JSON, the metadata's JSON, or a tensor damaged."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    body = content[8 + length :]
    metadata = header.get("__metadata__", {})
    done = random.choice(("header", "metadata", "metadata", "tensor", "tensor", "tensor", "length"))
    if done == "length":
        claimed = random.choice((0, 1, length - 1, length + 1, 2**31, 2**63, 2**64 - 1))
        return f"header of {claimed} bytes", struct.pack("<Q", claimed) + content[8:]
    if done == "metadata" and (texts := [key for key, text in metadata.items() if text[:1] == "{"]):
        key = random.choice(texts)
        done, changed = damaged_json(metadata[key].encode(), random)
        metadata[key] = changed.decode()
        return f"{key}: {done}", _with_header(json.dumps(header).encode(), body)
    if done != "tensor":
        done, changed = damaged_json(json.dumps(header).encode(), random)
        return f"header: {done}", _with_header(changed, body)
    tensors = safetensors.torch.load(content)
    name = random.choice(sorted(tensors))
    done = random.choice(("changed", "changed", "changed", "left out", "renamed"))
    if done == "changed":
        done, tensors[name] = damaged_tensor(tensors[name], random)
    else:
        tensor = tensors.pop(name)
        if done == "renamed":
            extra = random.choice(("opacities", "background", "labels", "conditions", "psnr", "x", ""))
            done, tensors[extra] = f"renamed {extra}", tensor
    plain = {key: value.contiguous().clone() for key, value in tensors.items()}
    return f"{name} {done}", safetensors.torch.save(plain, metadata or None)


def _with_header(header: bytes, body: bytes) -> bytes:
    return struct.pack("<Q", len(header)) + header + body


def damaged_checkpoint(content: bytes, random: Random) -> Variant:
    """What `torch.save` wrote, with other objects in it or in its place."""
    state = torch.load(io.BytesIO(content), weights_only=True)
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    objects = (None, [], {}, "", True, -1, 2**70, 0.5, float("nan"), float("inf"), [1], {"a": 1}, {1: {}}, "x", deep,
               torch.zeros(2), torch.zeros(0), torch.zeros(1).expand(10**13), torch.tensor(1), (1, 2), b"x", ["a", "b"], torch.float32)  # fmt: skip
    places = list(_places(state))
    if random.random() < 0.15:
        state, done = random.choice(objects), "whole"
    else:
        holder, key = random.choice(places)
        done = f"{key!r}"
        choice = random.random()
        if isinstance(holder[key], Tensor) and choice < 0.5:
            what, holder[key] = damaged_tensor(holder[key], random)
            done += f" {what}"
        elif choice < 0.7:
            holder[key] = copy.copy(random.choice(objects))
            done += f" is {getattr(holder[key], 'shape', holder[key])!s:.40}"
        elif choice < 0.9 or not isinstance(holder, dict):
            del holder[key]
            done += " left out"
        else:
            holder[random.choice(("x", 0, 99, -1))] = holder.pop(key)
            done += " renamed"
    file = io.BytesIO()
    torch.save(state, file)
    return done, file.getvalue()


# --- archives and pictures -----------------------------------------------------------------------------------
def damaged_zip(content: bytes, random: Random) -> Variant:
    """A member changed, renamed, doubled or left out; its checksum is right again."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = random.randrange(len(members))
    name, inner = members[at]
    done = random.choice(("changed", "changed", "changed", "left out", "doubled", "renamed"))
    if done == "changed":
        done, changed = damaged(name, inner, random)
        members[at] = name, changed
    elif done == "left out":
        del members[at]
    elif done == "doubled":
        members.append((name, members[0][1]))
    else:
        members[at] = (
            random.choice(("x.npy", "x", "../../x.png", "labels.npy", "a/b.png", ".x", "/x.png", name.upper())),
            inner,
        )
        done = f"renamed {members[at][0]}"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for member, inner in members:
            info = zipfile.ZipInfo(member)
            archive.writestr(info, inner)
    return f"{name}: {done}", file.getvalue()


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


BY_ENDING: dict[str, Callable[[bytes, Random], Variant]] = {
    ".json": damaged_json,
    ".jsonl": damaged_lines,
    ".toml": damaged_toml,
    ".safetensors": damaged_safetensors,
    ".pt": damaged_checkpoint,
    ".npz": damaged_zip,
    ".zip": damaged_zip,
    ".npy": damaged_npy,
    ".png": damaged_png,
    "-ubyte": damaged_idx,
}


def damaged(name: str, content: bytes, random: Random) -> Variant:
    """One variant of a file, as its name tells its kind."""
    ending = "-ubyte" if name.endswith("-ubyte") else Path(name).suffix
    own = BY_ENDING.get(ending)
    if own is None or not content or random.random() < 0.25:
        return damaged_bytes(content, random)
    return own(content, random)
