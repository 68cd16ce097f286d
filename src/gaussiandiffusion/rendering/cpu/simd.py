"""Loops over explicit vectors, written in Python and emitted as LLVM's instructions where compiled code calls them.

Loops over footprints are too short for LLVM's own vectoriser, and numba would infer types for each of their operations,
which takes seconds. A function under `emitted` is run once, while its caller is compiled, on `Value`s that stand for
numbers and vectors of the program to be; every operation on them appends an instruction. What is a Python number or
loop there is settled by then: a loop over channels is unrolled, a branch on a Python flag leaves no branch.

Compile callers with `STRICT`: `exp2` rounds by adding and subtracting a large number, which full fast-math would
simplify away.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gaussiandiffusion.rendering.cpu.compiler import vector_lanes

LANES = vector_lanes()
SHIFT = LANES.bit_length() - 1  # numbers >> SHIFT: whole vectors
QUAD = 4  # lanes that `load_quads` takes from one place
TOTALS = 8  # vectors that are summed together
STRICT: dict[str, Any] = {
    "fastmath": {"contract", "nsz", "nnan", "ninf", "arcp"},
    "error_model": "numpy",
    "nogil": True,
    "cache": True,
}

_FLOAT, _INT, _SIZE = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FUSE = ("contract", "nsz")
_ROUND = 1.5 * 2.0**23  # added to a float below 2^22, it leaves the nearest whole number in the low bits
_LOWEST = -126.0  # exponents below are no normal floats
# 2^x on [-1/2, 1/2], interpolated at Chebyshev nodes: relative error 2e-7.
_POWERS = (1.3390863e-3, 9.6760318e-3, 5.5503570e-2, 2.4022107e-1, 6.9314718e-1, 1.0000001)


class Value:
    """A number or vector of the program: float32, int32 or int64. Python numbers mix with it and become its kind."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def __add__(self, other: Value | float) -> Value:
        return self._apply("add", self, other)

    def __sub__(self, other: Value | float) -> Value:
        return self._apply("sub", self, other)

    def __mul__(self, other: Value | float) -> Value:
        return self._apply("mul", self, other)

    def __truediv__(self, other: Value | float) -> Value:
        return self._apply("div", self, other)

    def __neg__(self) -> Value:
        return Value(self.builder, self.builder.fneg(self.value))

    def __rshift__(self, bits: int) -> Value:
        return Value(self.builder, self.builder.ashr(self.value, self.constant(bits).value))

    def __le__(self, other: Value | float) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Value | float) -> Value:
        return self._compare(">", other)

    def where(self, yes: Value, no: Value | float) -> Value:
        """`yes` where this condition holds, `no` elsewhere."""
        no = no if isinstance(no, Value) else yes.constant(no)
        return Value(self.builder, self.builder.select(self.value, yes.value, no.value))

    def clip(self, low: Value | float, high: Value | float) -> Value:
        """min(max(self, low), high)."""
        low, high = (x if isinstance(x, Value) else self.constant(x) for x in (low, high))
        raised = (self > low).where(self, low)
        return (high > raised).where(raised, high)

    def constant(self, number: float) -> Value:
        """The number in every lane of a value of this one's kind."""
        return Value(self.builder, _constant(self.value.type, number))

    def spread(self) -> Value:
        """This number in every lane."""
        kind = ir.VectorType(self.value.type, LANES)
        nothing, where = ir.Constant(kind, ir.Undefined), ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES)
        first = self.builder.insert_element(nothing, self.value, ir.Constant(_INT, 0))
        return Value(self.builder, self.builder.shuffle_vector(first, nothing, where))

    def element(self, lane: int) -> Value:
        return Value(self.builder, self.builder.extract_element(self.value, ir.Constant(_INT, lane)))

    def equals(self, other: Value | float) -> Value:
        return self._compare("==", other)

    def int32(self) -> Value:
        """int32 of an int64."""
        return Value(self.builder, self.builder.trunc(self.value, _INT))

    def whole(self) -> Value:
        """int32 of a vector of whole float32."""
        return Value(self.builder, self.builder.fptosi(self.value, ir.VectorType(_INT, self.value.type.count)))

    def real(self) -> Value:
        """float32 of a vector of int32."""
        return Value(self.builder, self.builder.sitofp(self.value, ir.VectorType(_FLOAT, self.value.type.count)))

    def sqrt(self) -> Value:
        return self._lane_wise("sqrt")

    def floor(self) -> Value:
        return self._lane_wise("floor")

    def ceil(self) -> Value:
        return self._lane_wise("ceil")

    def take(self, lanes: Sequence[int], other: Value | None = None) -> Value:
        """Lanes of this vector and, counted on from its last, of the other."""
        where = ir.Constant(ir.VectorType(_INT, len(lanes)), list(lanes))
        return Value(self.builder, self.builder.shuffle_vector(self.value, (other or self).value, where))

    def _lane_wise(self, name: str) -> Value:
        """A function of LLVM of one float32 vector."""
        kind = self.value.type
        function = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(kind, [kind]), f"llvm.{name}.v{kind.count}f32"
        )
        return Value(self.builder, self.builder.call(function, [self.value]))

    def _apply(self, name: str, x: Value, y: Value | float) -> Value:
        y = y if isinstance(y, Value) else x.constant(y)
        if _is_float(x.value.type):
            return Value(self.builder, getattr(self.builder, f"f{name}")(x.value, y.value, flags=_FUSE))
        return Value(self.builder, getattr(self.builder, name)(x.value, y.value))

    def _compare(self, name: str, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else self.constant(other)
        compare = self.builder.fcmp_ordered if _is_float(self.value.type) else self.builder.icmp_signed
        return Value(self.builder, compare(name, self.value, other.value))


class Array:
    """A contiguous array of float32 or int32, addressed as if it were flat."""

    def __init__(self, builder: Any, data: Any) -> None:
        self.builder, self.data = builder, data

    def number(self, at: Value) -> Value:
        """One element; as int64 if whole, so that it can be an address."""
        value = self.builder.load(self._pointer(at, 1), align=4)
        return Value(self.builder, value if _is_float(value.type) else self.builder.sext(value, _SIZE))

    def spread(self, at: Value) -> Value:
        """One element in every lane."""
        return self.number(at).spread()

    def load(self, at: Value, lanes: int = LANES) -> Value:
        """Elements at, at + 1, ..."""
        return Value(self.builder, self.builder.load(self._pointer(at, lanes), align=4))

    def store(self, at: Value, x: Value) -> None:
        """Inverse of `load`."""
        self.builder.store(x.value, self._pointer(at, x.value.type.count), align=4)

    def load_quads(self, at: Value, gap: Value) -> Value:
        """LANES / 4 times four elements, `gap` apart."""
        parts = []
        for _ in range(LANES // QUAD):
            parts.append(self.load(at, QUAD))
            at = at + gap
        return _concatenated(parts)

    def store_quads(self, at: Value, gap: Value, x: Value) -> None:
        """Inverse of `load_quads`."""
        for i in range(0, LANES, QUAD):
            self.store(at, x.take(range(i, i + QUAD)))
            at = at + gap

    def columns(self, at: Value) -> list[Value]:
        """Of LANES rows of 8 elements, the first at `at`, the 8 columns."""
        blocks = []
        for _ in range(LANES // TOTALS):
            rows = []
            for _ in range(TOTALS):
                rows.append(self.load(at, TOTALS))
                at = at + TOTALS
            blocks.append(_transposed(rows))
        return [_concatenated(parts) for parts in zip(*blocks, strict=True)]

    def _pointer(self, at: Value, lanes: int) -> Any:
        pointer = self.builder.gep(self.data, [at.value], inbounds=True)
        kind = self.data.type.pointee
        return pointer if lanes == 1 else self.builder.bitcast(pointer, ir.VectorType(kind, lanes).as_pointer())


def emitted(result: Any = types.none) -> Callable[[Callable[..., Value | None]], Any]:
    """Make a function on `Array`s and `Value`s one that compiled code calls with arrays, int64 and float32.

    Args:
        result: numba's type of what it returns.
    """

    def wrap(body: Callable[..., Value | None]) -> Any:
        def typed(typing_context: Any, *args: Any) -> Any:
            kinds = [
                x if isinstance(x, types.Array) else types.intp if isinstance(x, types.Integer) else types.float32
                for x in args
            ]

            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                given: list[Array | Value] = []
                for kind, value in zip(kinds, values, strict=True):
                    if isinstance(kind, types.Array):
                        given.append(Array(builder, context.make_array(kind)(context, builder, value).data))
                    else:
                        given.append(Value(builder, value))
                returned = body(*given)
                return context.get_dummy_value() if returned is None else returned.value

            return result(*kinds), generate

        parameters = [inspect.Parameter("typing_context", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        parameters += [p.replace(annotation=p.empty) for p in inspect.signature(body).parameters.values()]
        typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return intrinsic(typed)

    return wrap


def loop(count: Value, step: Callable[..., Sequence[Value] | None], *carried: Value) -> list[Value]:
    """Run `step(i, *carried)`, which returns the next `carried`, for i = 0, ..., count - 1; returns the last ones.

    LLVM is told not to unroll it: that pays for long loops, and costs more than the loop where it is short.
    """
    builder = count.builder
    before = builder.block
    body, after = builder.append_basic_block("loop"), builder.append_basic_block("after")
    builder.cbranch((count > 0).value, body, after)
    builder.position_at_end(body)
    phis = [builder.phi(kind) for kind in (count.value.type, *(x.value.type for x in carried))]
    ends = [Value(builder, phis[0]) + 1, *(step(*(Value(builder, phi) for phi in phis)) or ())]
    last = builder.block
    for phi, start, end in zip(phis, [count.constant(0), *carried], ends, strict=True):
        phi.add_incoming(start.value, before)
        phi.add_incoming(end.value, last)
    branch = builder.cbranch((count > ends[0]).value, body, after)
    branch.set_metadata("llvm.loop", _not_unrolled(builder.module, len(branch.parent.parent.blocks)))
    builder.position_at_end(after)
    results = [builder.phi(x.value.type) for x in carried]
    for phi, start, end in zip(results, carried, ends[1:], strict=True):
        phi.add_incoming(start.value, before)
        phi.add_incoming(end.value, last)
    return [Value(builder, phi) for phi in results]


def when(condition: Value, body: Callable[[], object]) -> None:
    """Run `body` only if the condition holds."""
    with condition.builder.if_then(condition.value):
        body()


def vector(like: Value, numbers: float | Sequence[float]) -> Value:
    """A float32 vector of constants."""
    numbers = [numbers] * LANES if isinstance(numbers, int | float) else list(numbers)
    return Value(like.builder, ir.Constant(ir.VectorType(_FLOAT, LANES), [float(x) for x in numbers]))


def exp2(x: Value) -> Value:
    """2^x for x < 127, relative error 2e-7; 2^-126 below that."""
    builder, ints = x.builder, ir.VectorType(_INT, LANES)
    x = (x > _LOWEST).where(x, _LOWEST)
    large = x.constant(_ROUND)
    rounded = Value(builder, builder.fadd(x.value, large.value))
    rest = Value(builder, builder.fsub(x.value, builder.fsub(rounded.value, large.value)))
    power = x.constant(_POWERS[0])
    for coefficient in _POWERS[1:]:
        power = power * rest + coefficient
    exponent = builder.shl(builder.bitcast(rounded.value, ints), _constant(ints, 23))
    return Value(builder, builder.bitcast(builder.add(builder.bitcast(power.value, ints), exponent), x.value.type))


def totals(vectors: Sequence[Value]) -> Value:
    """The sums over the lanes of up to eight vectors, all reduced together: a vector of eight."""
    vectors = [*vectors, *[vectors[0].constant(0)] * (TOTALS - len(vectors))]
    n = LANES
    while n > TOTALS:
        n //= 2
        vectors = [v.take(range(n)) + v.take(range(n, 2 * n)) for v in vectors]
    # Two vectors become one. What stays within four lanes is a single cheap instruction, so that comes first.
    for low, high in (
        ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
        ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
        ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
    ):
        vectors = [x.take(low, y) + x.take(high, y) for x, y in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def _transposed(rows: list[Value]) -> list[Value]:
    """Eight vectors of eight, the other way round."""
    steps = (
        (1, (0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
        (2, (0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
        (4, (0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
    )
    for distance, low, high in steps:
        mixed: list[Any] = [None] * len(rows)
        for i, x in enumerate(rows):
            if not i & distance:
                y = rows[i + distance]
                mixed[i], mixed[i + distance] = x.take(low, y), x.take(high, y)
        rows = mixed
    # After the first two steps, lanes hold columns in the order 0 2 1 3 of either half.
    return [rows[i] for i in (0, 2, 1, 3, 4, 6, 5, 7)]


def _concatenated(parts: Sequence[Value]) -> Value:
    while len(parts) > 1:
        both = range(2 * parts[0].value.type.count)
        parts = [x.take(both, y) for x, y in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _not_unrolled(module: Any, number: int) -> Any:
    """LLVM's mark of such a loop: a node that is its own first operand."""
    node = module.add_metadata([ir.Constant(_INT, number), module.add_metadata(["llvm.loop.unroll.disable"])])
    node.operands = (node, *node.operands[1:])
    return node


def _is_float(kind: Any) -> bool:
    return (kind.element if isinstance(kind, ir.VectorType) else kind) == _FLOAT


def _constant(kind: Any, number: float) -> Any:
    number = float(number) if _is_float(kind) else int(number)
    return ir.Constant(kind, [number] * kind.count if isinstance(kind, ir.VectorType) else number)
