"""A provider as an administrator edits it: the cells of the providers' file, checked by the file's own rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.changing import Kind, Refused, Values
from models import provider_export, provider_files, provider_updates, vocabulary
from models.people import PhoneNumber
from models.provider_columns import NAMES, SERVICES, WORKERS, YES_NO
from models.provider_files import Entry
from models.providers import Provider, ProviderNumber, Worker
from models.sheet_cells import parts, written
from models.sheets import Row

# Several of them in one cell of the file, each on a line of its own in the form.
LINES = ("phones", "areas", "hours")
# So many empty lines for workers who are new.
WORKERS_MORE = 2


def provider_id_of(session: Session, public_id: str) -> int:
    """Return the row's id.

    Raises:
        KeyError: there is no such provider.
    """
    found = session.scalar(select(Provider.id).where(Provider.public_id == public_id))
    if found is None:
        raise KeyError(public_id)
    return found


def public_id_of(session: Session, key: str) -> str:
    """Return the public id of the provider that a key of PROVIDER names."""
    return session.get_one(Provider, int(key)).public_id


def form_of(values: Values) -> dict[str, str]:
    """Return a provider's values as a form shows them."""
    form = {name: str(values.get(name, "")) for name in NAMES}
    return {name: text.replace("；", "\n") if name in LINES else text for name, text in form.items()}


def provider_values(form: Mapping[str, str], services: list[str]) -> Values:
    """Return what a form says of a provider; `services` are codes.

    Raises:
        Refused: with what is wrong in the words of the file's rules.
    """
    cells = {name: " ".join(form.get(name, "").split()) for name in NAMES if name not in LINES}
    for name in LINES:
        each = (" ".join(line.split()) for line in form.get(name, "").splitlines())
        cells[name] = "；".join(line for line in each if line)
    cells["services"] = "；".join(written(SERVICES, code) for code in dict.fromkeys(services))
    cells["sms"] = written(YES_NO, form.get("sms") == "yes")
    return _canonical(_entry(cells))


def _entry(cells: Mapping[str, str]) -> Entry:
    try:
        entry = provider_files.entry_of(Row(0, cells))
        codes = [worker.code for worker in entry.workers]
        if len(set(codes)) < len(codes):
            raise ValueError("one worker's code is there twice")
    except ValueError as error:
        raise Refused({"": "file"}, str(error)) from error
    return entry


def _canonical(entry: Entry) -> Values:
    """Return an entry in the words in which a provider that stands is read: both can be compared."""
    return _ordered(provider_export.cells_of_entry(entry))


def _ordered(cells: Mapping[str, object]) -> Values:
    """Return filled cells in one order, the services in the vocabulary's: rows keep none that means anything."""
    filled = {name: str(text) for name, text in sorted(cells.items()) if text != ""}
    codes = {SERVICES[word] for word in parts(filled.get("services", ""))}
    return {**filled, "services": "；".join(written(SERVICES, code) for code in vocabulary.SERVICE if code in codes)}


def _read(session: Session, key: str) -> Values | None:
    cells = provider_export.known_cells(session, int(key))
    if cells is None:
        return None
    return _ordered(cells)


def _write(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if values is None:
        raise Refused({"": "kept"})
    entry = _entry(values)
    own = int(key) if key else 0
    if session.scalar(select(Provider.id).where(Provider.name == entry.provider.name, Provider.id != own)) is not None:
        raise Refused({"name": "taken"})
    _numbers_are_free(session, own, entry)
    _codes_are_free(session, own, entry)
    if not key:
        provider_files.add(session, provider_files.Checked([entry]), now)
        return str(session.scalars(select(Provider.id).where(Provider.name == entry.provider.name)).one())
    _come_back(session, own, entry)
    provider_updates.update(session, session.get_one(Provider, own), entry, now)
    return key


def _numbers_are_free(session: Session, own: int, entry: Entry) -> None:
    """A number answers for one provider: an offer that is accepted there must be its own."""
    values = [number.value for number in entry.provider.numbers]
    others = select(ProviderNumber.id).join(PhoneNumber).where(ProviderNumber.provider_id != own)
    if session.scalar(others.where(PhoneNumber.value.in_(values)).limit(1)) is not None:
        raise Refused({"phones": "taken"})


def _codes_are_free(session: Session, own: int, entry: Entry) -> None:
    names = {one.code: one.name for one in entry.workers}
    for worker in session.scalars(select(Worker).where(Worker.code.in_(names))):
        # A code is never given out again: only its own person comes back with it.
        if worker.provider_id != own or (worker.ended_at is not None and worker.person.name != names[worker.code]):
            raise Refused({"": "code_taken"}, worker.code)


def _come_back(session: Session, own: int, entry: Entry) -> None:
    codes = [one.code for one in entry.workers]
    gone = Worker.provider_id == own, Worker.code.in_(codes), Worker.ended_at.is_not(None)
    for worker in session.scalars(select(Worker).where(*gone)):
        worker.ended_at = None
    session.flush()


_PRIVATE = frozenset(f"worker{number}_{what}" for number in range(1, WORKERS + 1) for what in ("name", "phones"))
PROVIDER = Kind("provider", _read, _write, private=_PRIVATE)
