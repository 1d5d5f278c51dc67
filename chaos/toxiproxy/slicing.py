"""Where the slicer cuts: halves of halves, each cut moved at random, until pieces are about the wanted size."""

from __future__ import annotations

from collections.abc import Callable


def pieces(length: int, average: int, variation: int, around: Callable[[int], int]) -> list[int]:
    """The sizes, in bytes, of the pieces that a chunk of `length` bytes is cut into.

    A piece no more than `variation` above the average stays whole. `around(v)` draws from -v up to +v. Sizes are
    at least 1 whatever the attributes say; the upstream server ends itself on an average of 0.
    """
    sizes: list[int] = []
    rest = [length]
    while rest:
        size = rest.pop()
        if size <= max(average, 1) + max(variation, 0):
            sizes.append(size)
            continue
        cut = min(max(size // 2 + around(variation), 1), size - 1)
        rest += (size - cut, cut)
    return sizes
