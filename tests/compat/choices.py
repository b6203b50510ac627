"""One source of decisions for two drivers: a seeded generator, and hypothesis.

Everything a script is made of comes from ``integer``; 0 is always the simplest outcome, so that
hypothesis shrinks towards short, plain scripts.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """Decisions drawn from *integer(low, high)*, both ends included."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    @classmethod
    def seeded(cls, seed: int | str) -> Choices:
        return cls(random.Random(seed).randint)

    def chance(self, percent: int) -> bool:
        return self.integer(0, 99) >= 100 - percent

    def pick(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def weighted(self, options: Sequence[tuple[int, T]]) -> T:
        left = self.integer(0, sum(weight for weight, _ in options) - 1)
        for weight, option in options:
            left -= weight
            if left < 0:
                return option
        raise AssertionError

    def several(self, make: Callable[[], T], low: int, high: int) -> list[T]:
        return [make() for _ in range(self.integer(low, high))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        rest, result = list(items), []
        while rest:
            result.append(rest.pop(self.integer(0, len(rest) - 1)))
        return result
