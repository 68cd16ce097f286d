"""What is read from files becomes a typed record, or one sentence."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from gaussiandiffusion.ground.errors import InputError
from gaussiandiffusion.ground.records import DEEPEST, parse_json, parse_toml, read_record, to_record


@dataclass(frozen=True)
class Box:
    side: Annotated[int, Meta(ge=1, le=9)]
    ratio: float = 1.0
    kind: Literal["a", "b"] = "a"
    parts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.ratio < 0:
            raise InputError(f"ratio must be positive, not {self.ratio}")


def test_a_record_comes_back_and_unknown_fields_pass(tmp_path):
    (tmp_path / "x.json").write_text('{"side": 3, "ratio": 2, "newer": [1]}')
    box = read_record(tmp_path / "x.json", Box)
    assert box == Box(3, 2.0)
    assert isinstance(box.ratio, float)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", "missing required field side"),
        ('{"side": "3"}', "side: expected int, got str"),
        ('{"side": true}', "side: expected int, got bool"),
        ('{"side": 10}', "side: expected int <= 9"),
        ('{"side": 1, "kind": "c"}', "kind: invalid enum value 'c'"),
        ('{"side": 1, "parts": [1]}', "parts: expected object, got array"),
        ('{"side": 1, "ratio": -1}', "ratio must be positive, not -1"),
        ("[1]", "expected object, got array"),
        ("null", "expected object, got null"),
        ("{", "is not readable JSON"),
        ("", "is not readable JSON"),
        ("[" * 100_000, "is not readable JSON|nested"),
        ('{"parts":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), "nested more than"),
    ],
)
def test_anything_else_is_refused_by_name(tmp_path, text, complaint):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=rf"x\.json: .*({complaint})"):
        read_record(tmp_path / "x.json", Box)


def test_missing_large_and_binary_files_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"y\.json: no such file"):
        read_record(tmp_path / "y.json", Box)
    (tmp_path / "x.json").write_bytes(b'{"side": 1}' + b" " * 100)
    with pytest.raises(InputError, match=r"x\.json: is larger than 50 bytes"):
        read_record(tmp_path / "x.json", Box, largest=50)
    (tmp_path / "x.json").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"x\.json: cannot be read"):
        read_record(tmp_path / "x.json", Box)
    with pytest.raises(InputError, match="cannot be read"):
        read_record(tmp_path, Box)


def test_choices_are_named():
    with pytest.raises(InputError, match="here: must be a or b, not 'c'"):
        to_record("c", Literal["a", "b"], "here")
    with pytest.raises(InputError, match="here: must be a or b, not 7"):
        to_record(7, Literal["a", "b"] | None, "here")


def test_other_languages_are_read_alike():
    assert parse_toml("a = [1, 2.5]", "x") == {"a": [1, 2.5]}
    assert parse_json('{"a": -Infinity}', "x") == {"a": float("-inf")}
    with pytest.raises(InputError, match="x: is not readable TOML"):
        parse_toml("a =", "x")
