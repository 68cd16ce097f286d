"""Loops over explicit vectors, written in Python and emitted as LLVM's instructions for compiled code to call.

Loops over footprints are too short for LLVM's own vectoriser, and numba would take seconds to infer the types of all
their operations. A function under `emitted` is run once, while its first caller is compiled, on `Value`s that stand for
numbers and vectors of the program to be; every operation on them appends an instruction. What is a Python number or
loop there is settled by then: a loop over channels is unrolled, and a branch on a Python flag leaves no branch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gaussiandiffusion.rendering.cpu.simd import FLOAT, INT, Array, Value


def emitted(body: Callable[..., Value | None]) -> Any:
    """Make a function on `Array`s and `Value`s one that compiled code calls.

    Compiled code gives it contiguous arrays, whole numbers, float32, and named tuples of them; it returns float32 or
    nothing. It becomes one function of LLVM in the module of its callers, however many there are.
    """

    def typed(typing_context: Any, *args: Any) -> Any:
        kinds = [_passed(kind) for kind in args]

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            flat = [
                x for kind, value in zip(kinds, values, strict=True) for x in _flattened(context, builder, kind, value)
            ]
            callee_type = ir.FunctionType(result_kind, [x.type for x in flat])
            name = f"{body.__module__}.{body.__qualname__}{'.'.join(map(str, kinds))}"
            function = builder.module.globals.get(name)
            if function is None:
                function = ir.Function(builder.module, callee_type, name)
                function.linkage = "internal"
                function.attributes.add("noinline")
                inner = ir.IRBuilder(function.append_basic_block("entry"))
                given = iter(function.args)
                returned = body(*[_gathered(context, inner, kind, given) for kind in kinds])
                if returned is None:
                    inner.ret_void()
                else:
                    inner.ret(returned.value)
            called = builder.call(function, flat)
            return called if real else context.get_dummy_value()

        return (types.float32 if real else types.none)(*kinds), generate

    real = inspect.signature(body).return_annotation == "Value"
    result_kind = FLOAT if real else ir.VoidType()
    parameters = [inspect.Parameter("typing_context", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters += [p.replace(annotation=p.empty) for p in inspect.signature(body).parameters.values()]
    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions take any
    return intrinsic(typed)


def loop(count: Value, step: Callable[..., Sequence[Value] | None], *carried: Value) -> list[Value]:
    """Run `step(i, *carried)`, which returns the next `carried`, for i = 0, ..., count - 1; returns the last ones."""
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
    branch.set_metadata("llvm.loop", _left_alone(builder.module, body.name + body.parent.name))
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


def _left_alone(module: Any, name: str) -> Any:
    """LLVM's mark of a loop that it shall neither unroll nor vectorise, a node whose first operand is itself.

    Unrolling pays for long loops, and costs more than the loop where it is short.
    """
    off = [module.add_metadata(["llvm.loop.unroll.disable"])]
    off.append(module.add_metadata(["llvm.loop.vectorize.width", ir.Constant(INT, 1)]))
    node = module.add_metadata([name, *off])
    node.operands = (node, *off)
    return node


def _passed(kind: Any) -> Any:
    """The type as which compiled code passes an argument of a type."""
    if isinstance(kind, types.Array | types.NamedTuple):
        return kind
    return types.float32 if isinstance(kind, types.Float) else types.intp


def _flattened(context: Any, builder: Any, kind: Any, value: Any) -> Iterator[Any]:
    """An argument as numbers and pointers."""
    if isinstance(kind, types.NamedTuple):
        for each, part in zip(kind.types, cgutils.unpack_tuple(builder, value), strict=True):
            yield from _flattened(context, builder, each, part)
    elif isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        yield array.data
        yield from cgutils.unpack_tuple(builder, array.shape)
        yield from cgutils.unpack_tuple(builder, array.strides)
    elif isinstance(kind, types.Float) and kind.bitwidth == 64:
        yield builder.fptrunc(value, FLOAT)  # inside a named tuple, as elsewhere numba has done it
    else:
        yield value


def _gathered(context: Any, builder: Any, kind: Any, values: Iterator[Any]) -> Any:
    """Inverse of `_flattened`, for `emitted` bodies."""
    if isinstance(kind, types.NamedTuple):
        return kind.instance_class(*(_gathered(context, builder, each, values) for each in kind.types))
    if isinstance(kind, types.Array):
        data = next(values)
        shape, strides = ([Value(builder, next(values)) for _ in range(kind.ndim)] for _ in range(2))
        return Array(builder, data, shape, strides)
    return Value(builder, next(values))
