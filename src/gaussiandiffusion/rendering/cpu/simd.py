"""Numbers, vectors and arrays of a program that is being emitted: operations on them append LLVM's instructions.

They are what functions under `emission.emitted` are run on. A vector has LANES numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from gaussiandiffusion.rendering.cpu.compiler import vector_lanes

LANES = vector_lanes()
SHIFT = LANES.bit_length() - 1  # numbers >> SHIFT: whole vectors
QUAD = 4  # lanes that `load_quads` takes from one place

FLOAT, INT, SIZE = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FUSE = ("contract", "nsz")


class Value:
    """A number or vector of the program: float32, int32 or int64. Python numbers mix with it and become its kind."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: Value | float) -> Value:
        return self._apply("add", other)

    def __sub__(self, other: Value | float) -> Value:
        return self._apply("sub", other)

    def __mul__(self, other: Value | float) -> Value:
        return self._apply("mul", other)

    def __truediv__(self, other: Value | float) -> Value:
        return self._apply("div", other)

    def __neg__(self) -> Value:
        return self._new(self.builder.fneg(self.value))

    def __rshift__(self, bits: int) -> Value:
        return self._new(self.builder.ashr(self.value, self.constant(bits).value))

    def __le__(self, other: Value | float) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Value | float) -> Value:
        return self._compare(">", other)

    def __or__(self, other: Value) -> Value:
        return self._new(self.builder.or_(self.value, other.value))

    def equals(self, other: Value | float) -> Value:
        return self._compare("==", other)

    def where(self, yes: Value, no: Value | float) -> Value:
        """`yes` where this condition holds, `no` elsewhere."""
        return self._new(self.builder.select(self.value, yes.value, yes.alike(no).value))

    def clip(self, low: Value | float, high: Value | float) -> Value:
        """min(max(self, low), high)."""
        low, high = self.alike(low), self.alike(high)
        raised = (self > low).where(self, low)
        return (high > raised).where(raised, high)

    def constant(self, number: float) -> Value:
        """The number in every lane of a value of this one's kind."""
        kind = self.value.type
        number = float(number) if _is_float(kind) else int(number)
        return self._new(ir.Constant(kind, [number] * kind.count if isinstance(kind, ir.VectorType) else number))

    def alike(self, other: Value | float) -> Value:
        return other if isinstance(other, Value) else self.constant(other)

    def spread(self) -> Value:
        """This number in every lane."""
        kind = ir.VectorType(self.value.type, LANES)
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), self.value, ir.Constant(INT, 0))
        return self._new(first).take([0] * LANES)

    def take(self, lanes: Sequence[int], other: Value | None = None) -> Value:
        """Lanes of this vector and, counted on from its last, of the other."""
        where = ir.Constant(ir.VectorType(INT, len(lanes)), list(lanes))
        return self._new(self.builder.shuffle_vector(self.value, (other or self).value, where))

    def element(self, lane: int) -> Value:
        return self._new(self.builder.extract_element(self.value, ir.Constant(INT, lane)))

    def int32(self) -> Value:
        """int32 of an int64."""
        return self._new(self.builder.trunc(self.value, INT))

    def whole(self) -> Value:
        """int32 of a vector of whole float32."""
        return self._new(self.builder.fptosi(self.value, ir.VectorType(INT, self.value.type.count)))

    def real(self) -> Value:
        """float32 of whole numbers."""
        kind = self.value.type
        kind = ir.VectorType(FLOAT, kind.count) if isinstance(kind, ir.VectorType) else FLOAT
        return self._new(self.builder.sitofp(self.value, kind))

    def bits(self, kind: Any) -> Value:
        """A vector's bits, taken for numbers of another kind."""
        return self._new(self.builder.bitcast(self.value, ir.VectorType(kind, self.value.type.count)))

    def sqrt(self) -> Value:
        return self._lane_wise("sqrt")

    def floor(self) -> Value:
        return self._lane_wise("floor")

    def ceil(self) -> Value:
        return self._lane_wise("ceil")

    def round(self) -> Value:
        """The nearest whole number, even between two."""
        return self._lane_wise("rint")

    def _new(self, value: Any) -> Value:
        return Value(self.builder, value)

    def _lane_wise(self, name: str) -> Value:
        """A function of LLVM of one float32 vector."""
        kind = self.value.type
        name, signature = f"llvm.{name}.v{kind.count}f32", ir.FunctionType(kind, [kind])
        return self._new(
            self.builder.call(cgutils.get_or_insert_function(self.builder.module, signature, name), [self.value])
        )

    def _apply(self, name: str, other: Value | float) -> Value:
        x, y = self.value, self.alike(other).value
        if _is_float(x.type):
            return self._new(getattr(self.builder, f"f{name}")(x, y, flags=_FUSE))
        return self._new(getattr(self.builder, name)(x, y))

    def _compare(self, name: str, other: Value | float) -> Value:
        compare = self.builder.fcmp_ordered if _is_float(self.value.type) else self.builder.icmp_signed
        return self._new(compare(name, self.value, self.alike(other).value))


class Array:
    """A contiguous array of float32 or int32, or any of bytes, addressed as if it were flat.

    Args:
        strides: in bytes.
    """

    def __init__(self, builder: Any, data: Any, shape: Sequence[Value], strides: Sequence[Value]) -> None:
        self.builder, self.data, self.shape, self.strides = builder, data, shape, strides

    def number(self, at: Value) -> Value:
        """One element; as int64 if whole, so that it can be an address."""
        value = self.builder.load(self._pointer(at, 1), align=1)
        if _is_float(value.type):
            return Value(self.builder, value)
        extend = self.builder.zext if value.type.width == 8 else self.builder.sext
        return Value(self.builder, extend(value, SIZE))

    def spread(self, at: Value) -> Value:
        """One element in every lane."""
        return self.number(at).spread()

    def load(self, at: Value, lanes: int = LANES) -> Value:
        """Elements at, at + 1, ..."""
        return Value(self.builder, self.builder.load(self._pointer(at, lanes), align=4))

    def store(self, at: Value, x: Value) -> None:
        """Inverse of `load`, and of `number`."""
        value, lanes = x.value, getattr(x.value.type, "count", 1)
        if value.type == SIZE:
            value = self.builder.trunc(value, INT)
        self.builder.store(value, self._pointer(at, lanes), align=4)

    def load_quads(self, at: Value, gap: Value) -> Value:
        """LANES / 4 times four elements, `gap` apart."""
        parts = []
        for _ in range(LANES // QUAD):
            parts.append(self.load(at, QUAD))
            at = at + gap
        return concatenated(parts)

    def store_quads(self, at: Value, gap: Value, x: Value) -> None:
        """Inverse of `load_quads`."""
        for i in range(0, LANES, QUAD):
            self.store(at, x.take(range(i, i + QUAD)))
            at = at + gap

    def _pointer(self, at: Value, lanes: int) -> Any:
        pointer = self.builder.gep(self.data, [at.value], inbounds=True)
        kind = self.data.type.pointee
        return pointer if lanes == 1 else self.builder.bitcast(pointer, ir.VectorType(kind, lanes).as_pointer())


def vector(like: Value, numbers: float | Sequence[float]) -> Value:
    """A float32 vector of constants."""
    numbers = [numbers] * LANES if isinstance(numbers, int | float) else numbers
    return Value(like.builder, ir.Constant(ir.VectorType(FLOAT, LANES), [float(x) for x in numbers]))


def concatenated(parts: Sequence[Value]) -> Value:
    """One vector of several."""
    while len(parts) > 1:
        both = range(2 * parts[0].value.type.count)
        parts = [x.take(both, y) for x, y in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _is_float(kind: Any) -> bool:
    return (kind.element if isinstance(kind, ir.VectorType) else kind) == FLOAT
