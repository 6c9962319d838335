"""The columns of a providers' file and the words in them: for the import, the export and the template."""

from __future__ import annotations

from collections.abc import Mapping

from models import vocabulary
from models.providers import PAUSE_REASON_MAX, ProviderKind
from models.sheet_cells import LANGUAGE_WORDS, Column, headings

# A file may tell of so many workers of each provider.
WORKERS = 20

_OWN = (
    Column("name", "名称", ("服务商",), limit=80, required=True, example="康乐助浴",
           advice="必填；每家一行，名称不重复"),
    Column("kind", "类型", example="企业", advice="企业、志愿者；留空为企业"),
    Column("phones", "电话", ("联系方式",), required=True, example="0451-10000101；11000000101",
           advice="必填；派单时依次拨打"),
    Column("services", "服务项目", ("项目",), required=True, example="助浴；助洁", advice="必填；用分号隔开"),
    Column("areas", "服务区域", ("区域",), example="道里区>河畔社区；南岗区",
           advice="区>社区>网格，含其下各级；多个用分号隔开；留空为全部区域"),
    Column("hours", "服务时间", example="一-五 08:00-17:00；六 09:00-12:00",
           advice="星期 时间；多段用分号隔开；留空为随时"),
    Column("capacity", "每时段单数", example="3", advice="上午、中午、下午、晚上各能接几单；留空为不限"),
    Column("language", "语言", example="汉语", advice="汉语、朝鲜语、英语；留空为汉语"),
    Column("sms", "短信", example="否", advice="接单后是否要短信：是、否；留空为否"),
    Column("position", "顺序", example="0", advice="条件相同时，小的先派；留空为0"),
    Column("paused_until", "暂停至", example="", advice="日期，如 2027-02-28；当天起恢复派单；留空为不暂停"),
    Column("pause_reason", "暂停原因", limit=PAUSE_REASON_MAX),
)  # fmt: skip


def worker_columns(number: int) -> tuple[Column, ...]:
    """Return the columns of the worker of this number, from 1 on."""
    code, word = f"worker{number}", f"服务人员{number}"
    first = number == 1
    return (
        Column(f"{code}_name", f"{word}姓名", limit=80, example="刘洋（示范）" if first else "",
               advice="姓名和工号都要填"),
        Column(f"{code}_code", f"{word}工号", example="301" if first else "",
               advice="3至8位数字，全市唯一；上门时在电话上按出"),
        Column(f"{code}_phones", f"{word}电话", example="11000000301" if first else ""),
    )  # fmt: skip


def columns(workers: int = WORKERS) -> tuple[Column, ...]:
    """Return all columns, with those of so many workers."""
    return (*_OWN, *(column for number in range(1, workers + 1) for column in worker_columns(number)))


# Every heading that is understood, in small letters.
HEADINGS: Mapping[str, str] = headings(columns())
NAMES = tuple(column.name for column in columns())
REQUIRED = tuple(column.name for column in _OWN if column.required)
LIMITS: Mapping[str, int] = {column.name: column.limit for column in columns() if column.limit}

# Word to code; the first word of each code is the one we write.
KINDS: Mapping[str, ProviderKind] = {
    "企业": ProviderKind.BUSINESS, "志愿者": ProviderKind.VOLUNTEERS, "志愿者团队": ProviderKind.VOLUNTEERS,
    **{kind.value: kind for kind in ProviderKind}, "": ProviderKind.BUSINESS,
}  # fmt: skip
YES_NO: Mapping[str, bool] = {"是": True, "否": False, "yes": True, "no": False, "": False}
SERVICES: Mapping[str, str] = {
    **{service.name[language]: service.code for language in vocabulary.LANGUAGES for service in vocabulary.SERVICES},
    **{service.code: service.code for service in vocabulary.SERVICES},
}
WEEKDAYS: Mapping[str, int] = {
    **{word: day for day, word in enumerate("一二三四五六日")}, "天": 6, "七": 6,
    **{str(day + 1): day for day in range(7)},
}  # fmt: skip
CHOICES: Mapping[str, Mapping[str, object]] = {
    "kind": KINDS,
    "language": LANGUAGE_WORDS,
    "sms": {"是": True, "否": False},
}
