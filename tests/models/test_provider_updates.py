"""A file of providers that changes the registered ones: known by number, code or name; told before it is written."""

from __future__ import annotations

from sqlalchemy import Engine, select

from models import provider_files, provider_updates
from models.providers import Provider, ProviderItem, Worker
from models.session import read as reading
from models.session import write
from tests.models.test_provider_files import HEAD, NOW, SOUND
from tests.models.test_provider_files import apply as add


def planned(text: str) -> provider_updates.Plan:
    with reading() as session:
        return provider_updates.plan(session, provider_files.read(text.encode()).rows)


def update(text: str) -> provider_updates.Plan:
    with write() as session:
        found = provider_updates.plan(session, provider_files.read(text.encode()).rows)
        assert found.problems == []
        provider_updates.apply(session, found, NOW)
    return found


def test_the_same_file_changes_nothing(database: Engine) -> None:
    add(SOUND)
    found = planned(SOUND)
    assert (found.new, found.changes, found.same, found.problems) == ([], [], 2, [])


def test_a_provider_is_known_by_its_number_and_every_change_is_told_before_it_is_written(database: Engine) -> None:
    add(SOUND)
    with write() as session:
        session.scalars(select(ProviderItem).where(ProviderItem.service == "bathing")).one().doubted_at = NOW
    changed = (
        f"{HEAD}\n"
        "康乐新助浴,企业,11000000101,助浴；助餐,南岗区,一-五 08:00-17:00,5,是,1,,,王芳,302,\n"
        "新来的,企业,0451-10000109,助洁,,,,,,,,,,\n"
    )
    told = {one.split(":")[0]: one for one in planned(changed).changes[0].told}
    assert told["name"] == "name: 康乐助浴 → 康乐新助浴" and told["capacity"] == "capacity: 3 → 5"
    assert set(told) == {
        "name", "phones", "services", "areas", "hours", "capacity", "paused_until", "pause_reason", "workers",
    }  # fmt: skip
    with reading() as session:
        assert session.scalars(select(Provider.name)).first() == "康乐助浴", "nothing is written by asking"
    found = update(changed)
    assert (len(found.new), len(found.changes), found.same) == (1, 1, 0)
    with reading() as session:
        first = session.scalars(select(Provider).order_by(Provider.id)).first()
        assert first is not None and (first.name, first.capacity, first.paused_until) == ("康乐新助浴", 5, None)
        assert [line.number.value for line in first.numbers] == ["+8611000000101"]
        assert {(item.service, item.doubted_at is not None) for item in first.items} == {
            ("bathing", True),
            ("meals", False),
        }
        assert {worker.code: worker.ended_at is None for worker in first.workers} == {"301": False, "302": True}
    assert planned(changed).same == 2, "once is enough"


def test_a_provider_is_known_by_a_worker_s_code_or_its_name(database: Engine) -> None:
    add(SOUND)
    by_code = f"{HEAD}\n新名字,企业,0451-10000177,助浴,,,,,,,,刘洋,301,\n"
    by_name = f"{HEAD}\n邻里帮,志愿者,0451-10000178,陪聊,,,,,,,,,,\n"
    assert [len(planned(text).changes) for text in (by_code, by_name)] == [1, 1]
    update(by_code)
    with reading() as session:
        assert session.scalars(select(Worker)).one().person.numbers == []


def test_what_could_mean_two_providers_or_an_old_code_is_refused(database: Engine) -> None:
    add(SOUND)
    both = f"{HEAD}\n谁,企业,0451-10000101；0451-10000103,助浴,,,,,,,,,,\n"
    twice = f"{HEAD}\n甲,企业,0451-10000101,助浴,,,,,,,,,,\n乙,企业,11000000101,助浴,,,,,,,,,,\n"
    with write() as session:
        session.scalars(select(Worker)).one().ended_at = NOW
    old = f"{HEAD}\n康乐助浴,企业,0451-10000101,助浴,,,,,,,,别人,301,\n"
    assert [planned(text).problems for text in (both, twice, old)] == [
        ["line 2: its numbers and workers' codes belong to several providers"],
        ["line 3: it is the provider of line 2 too"],
        ["line 2: worker's code 301 was given out already"],
    ]
