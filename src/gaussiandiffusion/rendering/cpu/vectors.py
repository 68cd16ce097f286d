"""What the kernel does with whole vectors: powers of two, sums over the lanes, columns of a table of eight."""

from __future__ import annotations

from collections.abc import Sequence

from gaussiandiffusion.rendering.cpu.simd import FLOAT, INT, LANES, Array, Value, concatenated

TOTALS = 8  # vectors that are summed together

_LOWEST = -126.0  # exponents below are no normal floats
# 2^x on [-1/2, 1/2], interpolated at Chebyshev nodes: relative error 2e-7.
_POWERS = (1.3390863e-3, 9.6760318e-3, 5.5503570e-2, 2.4022107e-1, 6.9314718e-1, 1.0000001)
# Lanes of two vectors of eight that make one, three times over. What stays within four lanes is a single cheap
# instruction, so that comes first.
_MIXES = (
    ((0, 8, 1, 9, 4, 12, 5, 13), (2, 10, 3, 11, 6, 14, 7, 15)),
    ((0, 1, 8, 9, 4, 5, 12, 13), (2, 3, 10, 11, 6, 7, 14, 15)),
    ((0, 1, 2, 3, 8, 9, 10, 11), (4, 5, 6, 7, 12, 13, 14, 15)),
)


def exp2(x: Value) -> Value:
    """2^x for x < 127, relative error 2e-7; 2^-126 below that."""
    x = (x > _LOWEST).where(x, _LOWEST)
    whole = x.round()
    rest = x - whole
    power = x.constant(_POWERS[0])
    for coefficient in _POWERS[1:]:
        power = power * rest + coefficient
    return (power.bits(INT) + whole.whole() * 2**23).bits(FLOAT)


def totals(vectors: Sequence[Value]) -> Value:
    """The sums over the lanes of up to eight vectors, all reduced together: a vector of eight."""
    vectors = [*vectors, *[vectors[0].constant(0)] * (TOTALS - len(vectors))]
    n = LANES
    while n > TOTALS:
        n //= 2
        vectors = [v.take(range(n)) + v.take(range(n, 2 * n)) for v in vectors]
    for low, high in _MIXES:
        vectors = [x.take(low, y) + x.take(high, y) for x, y in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def table_columns(table: Array, row: Value) -> list[Value]:
    """Of LANES rows of a table (N, 8), its eight columns."""
    blocks = []
    for _ in range(LANES // TOTALS):
        rows = []
        for _ in range(TOTALS):
            rows.append(table.load(row * TOTALS, TOTALS))
            row = row + 1
        blocks.append(_transposed(rows))
    return [concatenated(parts) for parts in zip(*blocks, strict=True)]


def _transposed(rows: list[Value]) -> list[Value]:
    """Eight vectors of eight, the other way round."""
    for step, (low, high) in enumerate(_MIXES):
        distance, mixed = 2**step, list(rows)
        for i, x in enumerate(rows):
            if not i & distance:
                y = rows[i + distance]
                mixed[i], mixed[i + distance] = x.take(low, y), x.take(high, y)
        rows = mixed
    return [rows[i] for i in (0, 2, 1, 3, 4, 6, 5, 7)]  # the order in which the mixes leave the columns
