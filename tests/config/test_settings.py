from __future__ import annotations

from typing import get_type_hints

import pytest

from pyredis.config.config import Config
from pyredis.config.parameter import AnyParameter
from pyredis.config.parameters import BY_NAME, PARAMETERS
from pyredis.config.settings import Settings
from pyredis.keyspace import events


def test_attributes_are_those_of_the_table() -> None:
    assert get_type_hints(Settings) == {p.attribute: p.kind.type for p in PARAMETERS}


def test_unknown_attributes_are_refused() -> None:
    with pytest.raises(AttributeError):
        Config().maxclient = 1  # type: ignore[attr-defined]


def test_names_are_unique() -> None:
    aliases = [p for p in PARAMETERS if p.alias is not None]
    assert len(BY_NAME) == len(PARAMETERS) + len(aliases)


@pytest.mark.parametrize("parameter", [p for p in PARAMETERS if p.name != "dir"], ids=lambda p: p.name)
def test_a_default_is_accepted_and_printed_as_itself(parameter: AnyParameter) -> None:
    kind, default = parameter.kind, parameter.default
    text = kind.render(default)
    if parameter.name == "replicaof":
        assert text == b""
        return
    words = text.split(b" ") if kind.several else [text]
    assert kind.parse(words, default) == default
    kind.check(default, Config())


def test_no_default_asks_to_be_rewritten_unless_it_always_is() -> None:
    always = {p.name for p in PARAMETERS if any(wanted for _, wanted in p.kind.written(p.default, p.default))}
    assert always == {"dir", "save", "latency-tracking-info-percentiles"}


def test_effects_give_a_reason() -> None:
    assert {p.name for p in PARAMETERS if p.effect and not p.effect.startswith("none: ")} == set()


def test_event_letters_are_those_of_the_keyspace() -> None:
    config = Config()
    for letter, bits in events.LETTERS:
        config.set([(b"notify-keyspace-events", letter.encode())])
        assert config.notify_keyspace_events == bits
        assert config.get([b"notify-keyspace-events"])[0][1] == letter.encode()
