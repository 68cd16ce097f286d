"""Sixteen floats at once in compiled code: explicit vectors, which LLVM turns into whatever the processor has.

Loops over footprints are too short for LLVM's own vectoriser. Here a vector is a value of compiled functions, with
`+ - * /` and the functions below; on AVX-512 it is one register, on AVX2 two, on NEON four. Compile callers with
`STRICT`: `exp2` rounds by adding and subtracting a large number, which full fast-math would simplify away.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

LANES = 16
HALF = LANES // 2
STRICT: dict[str, Any] = {
    "fastmath": {"contract", "nsz", "nnan", "ninf", "arcp"},
    "error_model": "numpy",
    "nogil": True,
    "cache": True,
}

_FLOAT, _INT = ir.FloatType(), ir.IntType(32)
_FLOATS, _INTS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT, LANES)
_FUSE = ("contract", "nsz")
_ROUND = 1.5 * 2.0**23  # added to a float below 2^22, it leaves the nearest whole number in the low bits
_LOWEST = -126.0  # exponents below are no normal floats
# 2^x on [-1/2, 1/2], interpolated at Chebyshev nodes: relative error 2e-7.
_POWERS = (1.3390863e-3, 9.6760318e-3, 5.5503570e-2, 2.4022107e-1, 6.9314718e-1, 1.0000001)


class Float32x16(types.Type):
    """The compiled type of a vector."""

    def __init__(self) -> None:
        super().__init__(name="float32x16")


@register_model(Float32x16)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, frontend: Any) -> None:
        super().__init__(manager, frontend, _FLOATS)


VECTOR = Float32x16()


def _operator(symbol: Callable[..., Any], name: str) -> None:
    """Give vectors an arithmetic operator, by the name of LLVM's instruction."""

    @intrinsic
    def apply(typing_context: Any, x: Any, y: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args, flags=_FUSE)

        return VECTOR(VECTOR, VECTOR), generate

    @overload(symbol, inline="always")
    def typed(x, y):  # unannotated: numba compares the signature with that of the lambda
        both = isinstance(x, Float32x16) and isinstance(y, Float32x16)
        return (lambda x, y: apply(x, y)) if both else None


for _symbol, _name in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")
):  # fmt: skip
    _operator(_symbol, _name)


@intrinsic
def broadcast(typing_context: Any, x: Any) -> Any:
    """One float32 in every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        nothing = ir.Constant(_FLOATS, ir.Undefined)
        first = builder.insert_element(nothing, args[0], ir.Constant(_INT, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(_INTS, [0] * LANES))

    return VECTOR(types.float32), generate


@intrinsic
def load(typing_context: Any, array: Any, at: Any) -> Any:
    """array[at : at + 16] of a flat float32 array."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args[0], args[1], _FLOATS), align=4)

    return VECTOR(array, types.intp), generate


@intrinsic
def store(typing_context: Any, array: Any, at: Any, x: Any) -> Any:
    """array[at : at + 16] = x."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args[0], args[1], _FLOATS), align=4)
        return context.get_dummy_value()

    return types.none(array, types.intp, VECTOR), generate


@intrinsic
def load_halves(typing_context: Any, array: Any, first: Any, second: Any) -> Any:
    """array[first : first + 8] in the lower lanes, array[second : second + 8] in the upper ones."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        half = ir.VectorType(_FLOAT, HALF)
        parts = [builder.load(_pointer(context, builder, signature, args[0], at, half), align=4) for at in args[1:]]
        return builder.shuffle_vector(*parts, ir.Constant(_INTS, list(range(LANES))))

    return VECTOR(array, types.intp, types.intp), generate


@intrinsic
def store_halves(typing_context: Any, array: Any, first: Any, second: Any, x: Any) -> Any:
    """Inverse of `load_halves`."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for i, at in enumerate(args[1:3]):
            part = _take(builder, args[3], args[3], range(i * HALF, (i + 1) * HALF))
            builder.store(part, _pointer(context, builder, signature, args[0], at, part.type), align=4)
        return context.get_dummy_value()

    return types.none(array, types.intp, types.intp, VECTOR), generate


@intrinsic
def store_totals(
    typing_context: Any, array: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any
) -> Any:
    """array[:8] = the sums over the lanes of eight vectors, all reduced together."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        vectors, n = list(args[1:]), LANES
        while n > 1:  # two vectors become one: each one's lower and upper half added, side by side
            n //= 2
            low = [start + i for start in range(0, LANES, 2 * n) for i in range(n)]
            if len(vectors) > 1:
                low += [LANES + i for i in low]
            high = [i + n for i in low]
            pairs = zip(vectors[::2], vectors[1::2] or vectors, strict=True)
            vectors = [builder.fadd(_take(builder, *p, low), _take(builder, *p, high), flags=_FUSE) for p in pairs]
        builder.store(vectors[0], _pointer(context, builder, signature, args[0], None, vectors[0].type), align=4)
        return context.get_dummy_value()

    return types.none(array, *[VECTOR] * 8), generate


@intrinsic
def exp2(typing_context: Any, x: Any) -> Any:
    """2^x for x < 127, relative error 2e-7; 2^-126 below that."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lowest = ir.Constant(_FLOATS, [_LOWEST] * LANES)
        x = builder.select(builder.fcmp_ordered(">", args[0], lowest), args[0], lowest)
        large = ir.Constant(_FLOATS, [_ROUND] * LANES)
        rounded = builder.fadd(x, large)
        rest = builder.fsub(x, builder.fsub(rounded, large))
        power = ir.Constant(_FLOATS, [_POWERS[0]] * LANES)
        for coefficient in _POWERS[1:]:
            product = builder.fmul(power, rest, flags=_FUSE)
            power = builder.fadd(product, ir.Constant(_FLOATS, [coefficient] * LANES), flags=_FUSE)
        exponent = builder.shl(builder.bitcast(rounded, _INTS), ir.Constant(_INTS, [23] * LANES))
        return builder.bitcast(builder.add(builder.bitcast(power, _INTS), exponent), _FLOATS)

    return VECTOR(VECTOR), generate


@intrinsic
def sqrt(typing_context: Any, x: Any) -> Any:
    """Square root of every lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_FLOATS, [_FLOATS])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, f"llvm.sqrt.v{LANES}f32"), args)

    return VECTOR(VECTOR), generate


@intrinsic
def clip(typing_context: Any, x: Any, low: Any, high: Any) -> Any:
    """min(max(x, low), high), lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, low, high = args
        x = builder.select(builder.fcmp_ordered(">", x, low), x, low)
        return builder.select(builder.fcmp_ordered("<", x, high), x, high)

    return VECTOR(VECTOR, VECTOR, VECTOR), generate


def _pointer(context: Any, builder: Any, signature: Any, array: Any, at: Any, kind: Any) -> Any:
    """Address of the array's element `at` (None: the first), as that of a `kind`."""
    data = context.make_array(signature.args[0])(context, builder, array).data
    return builder.bitcast(data if at is None else builder.gep(data, [at], inbounds=True), kind.as_pointer())


def _take(builder: Any, x: Any, y: Any, lanes: Any) -> Any:
    """Lanes of x and, from 16 on, of y."""
    mask = list(lanes)
    return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(_INT, len(mask)), mask))
