"""The columns of an elders' file and the words in them: read by the import, written by the export and the template."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from models import dialects
from models.contacts import Relation
from models.duties import RISKS, Group
from models.preferences import Setting
from models.sheet_cells import Column, headings

# A file may tell of so many contacts for each elder.
CONTACTS = 9


_OWN = (
    Column("name", "姓名", limit=80, required=True, example="王秀英", advice="必填"),
    Column("phones", "电话", ("联系方式",), required=True, example="0451-10000001；11000000001",
           advice="必填；多个号码用分号隔开，排在前面的先拨"),
    Column("sex", "性别", example="女", advice="女、男，或留空"),
    Column("born_on", "出生日期", example="1941-03-08", advice="日期，或写作 1941-03-08"),
    Column("language", "语言", example="汉语", advice="汉语、朝鲜语、英语；留空为汉语"),
    Column("dialect", "方言", limit=40, example="山东话",
           advice="设置中“方言”列表里的名称，如山东话、함경도 말；留空为无"),
    Column("district", "区", limit=80, example="道里区"),
    Column("community", "社区", limit=80, example="河畔社区"),
    Column("grid", "网格", limit=80, example="第一网格"),
    Column("address", "地址", ("住址",), limit=200, example="河畔街1号"),
    Column("card_number", "卡号", ("服务卡号",), limit=32, example="D-0001", advice="每张卡只属于一位老人"),
    Column("risk", "风险等级", ("风险",), example="高风险", advice="高风险、重点、一般，或留空；决定多久探访一次"),
    Column("groups", "人群", ("人群类别",), example="独居；空巢",
           advice="独居、空巢、留守、失能、重残、计划生育特殊家庭，用分号隔开；留空为无"),
    Column("needs", "特殊需求", limit=400, example="右腿不便，开门慢"),
    Column("pace", "语速", example="慢", advice="正常、慢；留空为正常"),
    Column("volume", "音量", example="大", advice="正常、大；留空为正常"),
    Column("person_first", "人工优先", example="否", advice="是、否；留空为否"),
    Column("sms", "短信", example="否", advice="是、否；留空为否"),
    Column("call_hours", "可接电话时间", example="10:00-11:30；14:00-18:00",
           advice="留空为任何时间；几个时段用分号隔开；“只用人工”表示不由机器拨打"),
    Column("not_on", "不打电话的日子", example="星期三", advice="星期一至星期日，用分号隔开；留空为无"),
)  # fmt: skip


def contact_columns(number: int) -> tuple[Column, ...]:
    """Return the columns of the contact of this number, from 1 on."""
    code, word = f"contact{number}", f"联系人{number}"
    bare = number == 1
    return (
        Column(f"{code}_name", f"{word}姓名", ("联系人姓名", "联系人", "contact_name") if bare else (),
               example="王小梅", advice="填写联系人时，姓名、关系、电话都要填"),
        Column(f"{code}_relation", f"{word}关系", ("联系人关系", "关系", "contact_relation") if bare else (),
               example="子女", advice="配偶、子女、亲属、邻居、监护人、养老管家"),
        Column(f"{code}_phones", f"{word}电话", ("联系人电话", "联系电话", "contact_phones") if bare else (),
               example="11000000002"),
        Column(f"{code}_rights", f"{word}权限", ("联系人权限", "contact_rights") if bare else (),
               example="代下单；知工单", advice="代下单、知工单、知健康、知费用、代探望、短信，用分号隔开；留空为无"),
    )  # fmt: skip


def columns(contacts: int = CONTACTS) -> tuple[Column, ...]:
    """Return all columns, with those of so many contacts."""
    return (*_OWN, *(column for number in range(1, contacts + 1) for column in contact_columns(number)))


# Every heading that is understood, in small letters.
HEADINGS: Mapping[str, str] = headings(columns())
NAMES = tuple(column.name for column in columns())
REQUIRED = tuple(column.name for column in _OWN if column.required)
LIMITS: Mapping[str, int] = {column.name: column.limit for column in _OWN if column.limit}
# Where one merged cell over several rows means each of them.
PLACES = frozenset({"district", "community", "grid", "address"})

# Word to code; the first word of each code is the one we write.
SEXES: Mapping[str, str | None] = {"": None, "女": "f", "男": "m", "f": "f", "m": "m"}
# Empty means the same as the first value: nobody has set anything. The words of dialects are rows (models.dialects).
MANNERS: Mapping[Setting, Mapping[str, str]] = {
    Setting.PACE: {"正常": "normal", "慢": "slow", "慢速": "slow", "normal": "normal", "slow": "slow"},
    Setting.VOLUME: {"正常": "normal", "大": "loud", "大音量": "loud", "normal": "normal", "loud": "loud"},
    Setting.PERSON_FIRST: {"否": "no", "是": "yes", "no": "no", "yes": "yes"},
    Setting.SMS: {"否": "no", "是": "yes", "no": "no", "yes": "yes"},
}
RISKS_BY_WORD: Mapping[str, Group] = {
    "高风险": Group.HIGH, "高": Group.HIGH, "重点": Group.KEY, "一般": Group.GENERAL,
    **{risk.value: risk for risk in RISKS},
}  # fmt: skip
GROUPS_BY_WORD: Mapping[str, Group] = {
    "独居": Group.ALONE, "空巢": Group.EMPTY_NEST, "留守": Group.LEFT_BEHIND, "失能": Group.DISABLED,
    "重残": Group.SEVERELY_DISABLED, "计划生育特殊家庭": Group.FAMILY_PLANNING, "计生特殊家庭": Group.FAMILY_PLANNING,
    **{group.value: group for group in Group if group not in RISKS},
}  # fmt: skip
# In the place of hours: the machine never rings her.
ONLY_PEOPLE = ("只用人工", "never")
WEEKDAYS: Mapping[str, int] = {
    **{f"星期{sign}": day for day, sign in enumerate("一二三四五六日", start=1)},
    **{f"{week}{sign}": day for week in ("周", "礼拜") for day, sign in enumerate("一二三四五六日", start=1)},
    **{"星期天": 7, "周天": 7, "礼拜天": 7},
    **{day: number for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)},
}
RELATIONS: Mapping[str, Relation] = {
    "配偶": Relation.SPOUSE, "老伴": Relation.SPOUSE, "丈夫": Relation.SPOUSE, "妻子": Relation.SPOUSE,
    "子女": Relation.CHILD, "儿子": Relation.CHILD, "女儿": Relation.CHILD,
    "亲属": Relation.RELATIVE, "亲戚": Relation.RELATIVE,
    "邻居": Relation.NEIGHBOUR,
    "监护人": Relation.GUARDIAN,
    "养老管家": Relation.BUTLER, "管家": Relation.BUTLER,
    **{relation.value: relation for relation in Relation},
}  # fmt: skip
RIGHTS: Mapping[str, str] = {
    "代下单": "may_order", "知工单": "may_hear_orders", "知健康": "may_hear_health", "知费用": "may_hear_money",
    "代探望": "may_look_in",
    "短信": "wants_sms", "sms": "wants_sms",
    "order": "may_order", "orders": "may_hear_orders", "health": "may_hear_health", "money": "may_hear_money",
    "look_in": "may_look_in",
}  # fmt: skip


def manner_words(session: Session) -> Mapping[Setting, Mapping[str, str]]:
    """Return word to code of every setting that a file may hold: MANNERS, and the dialects, those off the list too."""
    return {**MANNERS, Setting.DIALECT: dialects.words(dialects.dialects(session, hidden=True))}
