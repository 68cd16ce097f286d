"""Damaged bytes and text: whole files, JSON, JSON lines and TOML."""

from __future__ import annotations

import json
from random import Random
from typing import Any

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
    found = list(places(value))
    if not found or random.random() < 0.1:
        text = random.choice(VALUES)
        return f"is {text:.40}", text.encode()
    holder, key = random.choice(found)
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


def places(value: Any) -> Any:
    """(holder, key) of every value within one."""
    if isinstance(value, dict | list):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            yield from places(inner)


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
