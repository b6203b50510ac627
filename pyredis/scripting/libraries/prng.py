"""math.random as Redis replaces it: drand48's generator, the same sequence everywhere (rand.c)."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import TYPE_CHECKING, Any

from ..arguments import check_int, to_int32

if TYPE_CHECKING:
    from ..runtime import Runtime

_MOST = 2**31 - 1
_MASK = 2**48 - 1
_MULTIPLIER, _INCREMENT = 0x5DEECE66D, 0xB
_LOW_SEED = 0x330E


class Prng:
    """The 48-bit linear congruential generator of lrand48.  One serves both interpreters of a server."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        self._state = 0x1234ABCD330E

    def seed(self, seed: int) -> None:
        """Start the sequence of *seed*, a 32-bit integer (redisSrand48)."""
        self._state = (seed & 0xFFFFFFFF) << 16 | _LOW_SEED

    def random(self) -> float:
        """The next number of at least 0 and less than 1."""
        self._state = state = self._state * _MULTIPLIER + _INCREMENT & _MASK
        return (state >> 17) % _MOST / _MOST


def random_functions(runtime: Runtime, prng: Prng) -> dict[bytes, Callable[..., Any]]:
    """math.random and math.randomseed."""

    def random(*args: Any) -> float:
        r = prng.random()
        if not args:
            return r
        if len(args) == 1:
            upper = check_int(runtime, args, 1)
            if upper < 1:
                raise runtime.bad_argument(1, b"interval is empty")
            return floor(r * upper) + 1
        if len(args) == 2:
            lower, upper = check_int(runtime, args, 1), check_int(runtime, args, 2)
            if lower > upper:
                raise runtime.bad_argument(2, b"interval is empty")
            return floor(r * to_int32(upper - lower + 1)) + lower
        raise runtime.library_error(b"wrong number of arguments")

    def randomseed(*args: Any) -> None:
        prng.seed(check_int(runtime, args, 1))

    return {b"random": random, b"randomseed": randomseed}
