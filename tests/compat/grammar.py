"""Syntactically valid calls of every command, from the argument trees of COMMAND DOCS.

A tenth of them is then mutated: arity, numbers, options, case, order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from . import values
from .choices import Choices
from .rules import sorts_by_chance
from .servers import ROOT
from .values import Draft

Argv = list[bytes]
Argument = dict[str, Any]

MUTATED = 12  # percent of the calls


@cache
def documentation() -> dict[str, dict[str, Any]]:
    """COMMAND DOCS of every command; subcommands under ``container|sub``."""
    tree = json.loads((ROOT / "pyredis" / "registry" / "docs.json").read_text(encoding="utf-8"))
    flat: dict[str, dict[str, Any]] = {}
    for name, docs in tree.items():
        if "subcommands" in docs:
            for sub, subdocs in docs["subcommands"].items():
                flat[sub] = {**subdocs, "group": docs["group"]}
        else:
            flat[name] = docs
    return flat


def words_of(name: str, choices: Choices) -> Argv:
    """The command's own words; at times in odd case."""
    words = [part.encode() for part in name.split("|")]
    style = choices.weighted(((8, "upper"), (2, "lower"), (1, "mixed")))
    if style == "upper":
        return [part.upper() for part in words]
    return words if style == "lower" else [part.title() for part in words]


def valid_call(choices: Choices, name: str, keys: tuple[bytes, ...]) -> Argv:
    """A call of *name* that follows its documented syntax."""
    docs = documentation()[name]
    draft = Draft(choices, name, docs["group"], keys)
    arguments = docs.get("arguments", [])
    required = [argument for argument in arguments if not _flag(argument, "optional")]
    argv = words_of(name, choices)
    if len(required) < len(arguments) and choices.chance(15):
        head, tail = _split_options(arguments)
        for argument in head + choices.shuffled(tail):
            argv += _words(draft, argument)
    else:
        for argument in arguments:
            argv += _words(draft, argument)
    return argv


def _split_options(arguments: list[Argument]) -> tuple[list[Argument], list[Argument]]:
    """Leading arguments, and the run of optional ones at the end, whose order Redis leaves free."""
    cut = len(arguments)
    while cut and _flag(arguments[cut - 1], "optional"):
        cut -= 1
    return arguments[:cut], arguments[cut:]


def _flag(argument: Argument, name: str) -> bool:
    return name in argument.get("flags", ())


def _words(draft: Draft, argument: Argument) -> Argv:
    choices = draft.choices
    if _flag(argument, "optional") and not choices.chance(35):
        return []
    times = 1
    if _flag(argument, "multiple"):
        if draft.numkeys is not None and argument["type"] in ("key", "integer"):
            times = draft.numkeys
        else:
            times = 1 + choices.weighted(((6, 0), (3, 1), (3, 2), (1, 5), (1, 10)))
    words: Argv = []
    token = argument.get("token")
    every = _flag(argument, "multiple_token")
    for turn in range(times):
        if token is not None and argument["type"] != "pure-token" and (every or turn == 0):
            words.append(token.encode())
        words += _value(draft, argument)
    return words


def _value(draft: Draft, argument: Argument) -> Argv:
    kind = argument["type"]
    if kind == "pure-token":
        token: str = argument["token"]
        return [token.encode() if not draft.choices.chance(10) else token.lower().encode()]
    if kind == "oneof":
        return _words(draft, draft.choices.pick(argument["arguments"]))
    if kind == "block":
        return [word for part in argument["arguments"] for word in _words(draft, part)]
    if kind == "key":
        return [values.key(draft)]
    make = values.BY_COMMAND.get((draft.name, argument["name"])) or values.BY_NAME.get(argument["name"])
    return [(make or values.BY_TYPE[kind])(draft)]


def mutate(choices: Choices, argv: Argv) -> Argv:
    """One small wrong step away from a valid call."""
    argv = list(argv)
    fixed = 1
    at = choices.integer(fixed, len(argv) - 1) if len(argv) > fixed else 0
    match choices.integer(0, 7):
        case 0 if at:
            argv[at] = choices.pick(values.NASTY)
        case 1 if at:
            del argv[at]
        case 2:
            argv.append(choices.pick(values.CODES + values.NASTY))
        case 3 if at:
            argv.insert(at, argv[at])
        case 4 if at:
            other = choices.integer(fixed, len(argv) - 1)
            argv[at], argv[other] = argv[other], argv[at]
        case 5 if at:
            argv[at] = choices.pick(values.CODES + values.ALL_KEYS)
        case 6:
            del argv[max(fixed, at) :]
        case _:
            argv[at] = argv[at].swapcase()
    return argv


Special = Callable[[Choices, tuple[bytes, ...]], Argv]


def call(choices: Choices, name: str, keys: tuple[bytes, ...]) -> Argv:
    """A call of *name*: mostly valid, sometimes mutated."""
    special = SPECIAL.get(name)
    argv = special(choices, keys) if special and choices.chance(75) else valid_call(choices, name, keys)
    if choices.chance(MUTATED):
        argv = mutate(choices, argv)
    return determined(argv)


def _without(argv: Argv, option: bytes, width: int) -> Argv:
    result = list(argv)
    for at in range(len(result) - 1, 0, -1):
        if result[at].upper() == option:
            del result[at : at + width]
    return result


def determined(argv: Argv) -> Argv:
    """*argv* without options whose outcome Redis leaves open, or that wait for the clock."""
    name = argv[0].upper()
    if name in (b"SORT", b"SORT_RO") and sorts_by_chance(argv):
        argv = _without(argv, b"STORE", 2)
    elif name in (b"ZRANGE", b"ZRANGESTORE"):
        argv = _without(argv, b"BYLEX", 1)
    elif name in (b"XREAD", b"XREADGROUP"):
        argv = _without(argv, b"BLOCK", 2)
    elif name == b"CLIENT":
        argv = _disjoint_prefixes(argv)
    elif name == b"XADD":
        argv = [b"3-3" if word == b"*" else word for word in argv]
    if name in EXPIRING and any(word.upper() in (b"PX", name) for word in argv):
        argv = [argv[0], *(b"100000" if word in SHORT else word for word in argv[1:])]
    return argv


def _disjoint_prefixes(argv: Argv) -> Argv:
    """CLIENT TRACKING without prefixes that overlap each other: 7.2.4 may send two replies to those."""
    result: Argv = []
    prefixes: list[bytes] = []
    words = iter(argv)
    for word in words:
        prefix = next(words, None) if word.upper() == b"PREFIX" else None
        if prefix is None:
            result.append(word)
        elif not any(prefix.startswith(other) or other.startswith(prefix) for other in prefixes):
            prefixes.append(prefix)
            result += [word, prefix]
    return result


EXPIRING = (b"SET", b"GETEX", b"PEXPIRE", b"PSETEX", b"EXPIRE", b"SETEX")
SHORT = (b"1", b"2", b"3", b"5", b"10", b"007", b"01", b"+1", b"1 ")


def lexical(choices: Choices, name: str, keys: tuple[bytes, ...]) -> Argv:
    """A call that keeps every score at 0, as ranges by name ask for."""
    draft = Draft(choices, name, "", keys)
    if name == "zadd":
        pairs = [(b"0", values.word(draft)) for _ in range(1 + choices.integer(0, 5))]
        return [b"ZADD", values.key(draft), *(word for pair in pairs for word in pair)]
    if name in ("zrange", "zrangestore"):
        argv = [b"ZRANGE", values.key(draft), values.lex_range(draft), values.lex_range(draft), b"BYLEX"]
        argv += [b"REV"] if choices.chance(40) else []
        if choices.chance(40):
            argv += [b"LIMIT", values.BY_NAME["offset"](draft), values.count(draft)]
        return argv if name == "zrange" else [b"ZRANGESTORE", choices.pick(keys), *argv[1:]]
    argv = valid_call(choices, name, keys)
    return mutate(choices, argv) if choices.chance(MUTATED) else argv


# --- commands whose arguments depend on each other ---------------------------------------------------


def _draft(choices: Choices, keys: tuple[bytes, ...], name: str = "") -> Draft:
    return Draft(choices, name, "", keys)


def _zrange(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    by_score = choices.chance(50)
    kind = values.score_range if by_score else values.index
    argv = [b"ZRANGE", values.key(draft), kind(draft), kind(draft)]
    options: list[Argv] = [[b"BYSCORE"]] if by_score else []
    if choices.chance(40):
        options.append([b"REV"])
    if choices.chance(30):
        options.append([b"LIMIT", values.BY_NAME["offset"](draft), values.count(draft)])
    if choices.chance(40):
        options.append([b"WITHSCORES"])
    return argv + [word for option in choices.shuffled(options) for word in option]


def _zrangestore(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    argv = [word for word in _zrange(choices, keys) if word != b"WITHSCORES"]
    return [b"ZRANGESTORE", choices.pick(keys), *argv[1:]]


def _zadd(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    argv = [b"ZADD", values.key(draft)]
    argv += [option for option in (b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR") if choices.chance(12)]
    pairs = 1 if b"INCR" in argv and choices.chance(80) else 1 + choices.integer(0, 3)
    for _ in range(pairs):
        argv += [values.score(draft), values.word(draft)]
    return argv


def _bitfield(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    argv = [b"BITFIELD", values.key(draft)]
    for _ in range(1 + choices.integer(0, 3)):
        place = [values.encodings(draft), values.bitfield_offset(draft)]
        match choices.integer(0, 3):
            case 0:
                argv += [b"GET", *place]
            case 1:
                argv += [b"SET", *place, values.number(draft)]
            case 2:
                argv += [b"INCRBY", *place, values.number(draft)]
            case _:
                argv += [b"OVERFLOW", choices.pick((b"WRAP", b"SAT", b"FAIL", b"fail", b"NONE"))]
    return argv


def _bitop(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    operation = choices.pick((b"AND", b"OR", b"XOR", b"NOT", b"not", b"DIFF"))
    sources = choices.several(lambda: values.key(draft), 1, 1 if operation == b"NOT" else 3)
    return [b"BITOP", operation, values.key(draft), *sources]


def _set(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    argv = [b"SET", values.key(draft), values.BY_COMMAND["set", "value"](draft)]
    options: list[Argv] = []
    if choices.chance(30):
        options.append([choices.pick((b"NX", b"XX", b"nx"))])
    if choices.chance(25):
        options.append([b"GET"])
    match choices.integer(0, 9):
        case 6:
            options.append([b"EX", values.seconds(draft)])
        case 7:
            options.append([b"PX", values.milliseconds(draft)])
        case 8:
            options.append([choices.pick((b"EXAT", b"PXAT")), values.unix_milliseconds(draft)])
        case 9:
            options.append([b"KEEPTTL"])
    return argv + [word for option in choices.shuffled(options) for word in option]


def _sort(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    argv = [b"SORT", values.key(draft)]
    options: list[Argv] = []
    if choices.chance(30):
        options.append([b"BY", values.BY_NAME["by-pattern"](draft)])
    if choices.chance(30):
        options.append([b"LIMIT", values.BY_NAME["offset"](draft), values.count(draft)])
    for _ in range(choices.weighted(((6, 0), (2, 1), (1, 2)))):
        options.append([b"GET", values.BY_NAME["get-pattern"](draft)])
    if choices.chance(40):
        options.append([choices.pick((b"ASC", b"DESC"))])
    if choices.chance(60):
        options.append([b"ALPHA"])
    if choices.chance(25):
        options.append([b"STORE", values.key(draft)])
    return argv + [word for option in choices.shuffled(options) for word in option]


def _sort_ro(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    return [b"SORT_RO", *_sort(choices, keys)[1:]]


def _xadd(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    argv = [b"XADD", values.key(draft)]
    if choices.chance(10):
        argv.append(b"NOMKSTREAM")
    if choices.chance(20):
        trim = (choices.pick((b"MAXLEN", b"MINID")), choices.pick((b"=", b"~", b"")))
        argv += [*trim, values.BY_NAME["threshold"](draft)]
    argv = [word for word in argv if word != b""] + [choices.pick(values.STREAM_IDS)]
    for _ in range(1 + choices.integer(0, 2)):
        argv += [values.fields(draft), values.word(draft)]
    return argv


def _eval(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    draft = _draft(choices, keys)
    words = [values.word(draft) for _ in range(choices.integer(0, 2))]
    return [choices.pick((b"EVAL", b"EVAL_RO", b"EVAL")), values.script(draft), b"1", values.key(draft), *words]


def _config_set(choices: Choices, keys: tuple[bytes, ...]) -> Argv:
    argv = [b"CONFIG", b"SET"]
    for _ in range(1 + choices.weighted(((8, 0), (1, 1)))):
        argv += [choices.pick(TUNABLE), choices.pick(SIZES)]
    return argv


SIZES = (b"4", b"8", b"128", b"512", b"-2", b"-1", b"0", b"64", b"1kb", b"x")


TUNABLE = (
    b"hash-max-listpack-entries", b"hash-max-listpack-value", b"set-max-intset-entries", b"set-max-listpack-entries",
    b"set-max-listpack-value", b"zset-max-listpack-entries", b"zset-max-listpack-value", b"list-max-listpack-size",
    b"list-compress-depth", b"hash-max-ziplist-entries",
)  # fmt: skip

SPECIAL: dict[str, Special] = {
    "bitfield": _bitfield,
    "bitop": _bitop,
    "config|set": _config_set,
    "eval": _eval,
    "set": _set,
    "sort": _sort,
    "sort_ro": _sort_ro,
    "xadd": _xadd,
    "zadd": _zadd,
    "zrange": _zrange,
    "zrangestore": _zrangestore,
}
