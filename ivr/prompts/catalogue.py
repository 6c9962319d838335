"""Every prompt of the hotline, by key. The texts lie in ivr/prompts/texts, one module a call."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.prompts.entry import Place, Prompt
from ivr.prompts.texts import care, inbound, manage, outbound, person, studio, visits, who

__all__ = ["CATALOGUE", "DIALPLAN_PROMPTS", "Place", "Prompt", "variables"]


def _by_key(*groups: tuple[Prompt, ...]) -> Mapping[str, Prompt]:
    found: dict[str, Prompt] = {}
    for prompt in (prompt for group in groups for prompt in group):
        if prompt.key in found:
            raise ValueError(f"two prompts are called {prompt.key}")
        found[prompt.key] = prompt
    return found


CATALOGUE: Mapping[str, Prompt] = _by_key(
    inbound.PROMPTS, who.PROMPTS, visits.PROMPTS, manage.PROMPTS, person.PROMPTS, outbound.PROMPTS, care.PROMPTS,
    studio.PROMPTS,
)  # fmt: skip

# What the dialplan plays by itself, when Python may be away.
DIALPLAN_PROMPTS = tuple(prompt.key for prompt in CATALOGUE.values() if prompt.static)


def variables(key: str) -> tuple[str, ...]:
    """Return the variables of prompt `key`, in the order in which the Chinese text speaks them."""
    return CATALOGUE[key].variables
