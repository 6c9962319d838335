"""The one vocabulary: it drives keys, speech phrase lists, prompts, the console's words and forms.

Data, not code. A concept has a code (stored in rows), a key on the telephone, a
name in each language and the phrases by which people say it. The first phrase
is the name that a form or a read-back uses when nothing better is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LANGUAGES = ("zh-CN", "ko", "en")

Words = Mapping[str, str]
Phrases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Concept:
    """Something she can mean: `code` in rows, `key` on the telephone (1–8, or 0, 9), phrases by language."""

    code: str
    key: str
    name: Words
    phrases: Phrases


@dataclass(frozen=True)
class Service(Concept):
    """A service item. `person_only`: never put to a provider, an agent takes it.

    `sensitive`: not named aloud on caller ID alone (domain.md: a health matter).
    """

    category: str = ""
    person_only: bool = False
    sensitive: bool = False


SERVICES: tuple[Service, ...] = (
    Service(
        "meals", "1",
        {"zh-CN": "助餐", "ko": "식사 배달", "en": "meals"},
        {"zh-CN": ("送餐", "助餐", "送饭", "订餐", "吃饭", "整点饭", "做饭"),
         "ko": ("식사", "배달", "밥", "도시락", "식사 배달"),
         "en": ("meals", "food", "a meal", "lunch", "dinner")},
        category="meals",
    ),
    Service(
        "bathing", "2",
        {"zh-CN": "助浴", "ko": "목욕", "en": "bathing"},
        {"zh-CN": ("洗澡", "助浴", "搓澡", "洗个澡"),
         "ko": ("목욕", "샤워"),
         "en": ("bathing", "a bath", "bath", "shower")},
        category="bathing",
    ),
    Service(
        "cleaning", "3",
        {"zh-CN": "助洁", "ko": "청소", "en": "cleaning"},
        {"zh-CN": ("打扫", "助洁", "打扫卫生", "收拾屋子", "保洁"),
         "ko": ("청소", "빨래"),
         "en": ("cleaning", "clean", "housework")},
        category="cleaning",
    ),
    Service(
        "accompaniment", "4",
        {"zh-CN": "助医", "ko": "병원 동행", "en": "going to the doctor"},
        {"zh-CN": ("看病", "助医", "去医院", "陪诊", "上医院"),
         "ko": ("병원", "병원 동행", "진료"),
         "en": ("hospital", "doctor", "the doctor")},
        category="medical_accompaniment", sensitive=True,
    ),
    Service(
        "repairs", "5",
        {"zh-CN": "维修", "ko": "수리", "en": "repairs"},
        {"zh-CN": ("维修", "修理", "修东西", "修水管"),
         "ko": ("수리", "고장"),
         "en": ("repairs", "repair", "fix")},
        category="repairs",
    ),
    Service(
        "companionship", "6",
        {"zh-CN": "陪聊", "ko": "말벗", "en": "company"},
        {"zh-CN": ("聊天", "陪聊", "说说话", "唠嗑", "解闷"),
         "ko": ("말벗", "이야기", "대화"),
         "en": ("company", "talk", "somebody to talk to")},
        category="companionship",
    ),
    Service(
        "government", "7",
        {"zh-CN": "政务咨询", "ko": "민원 상담", "en": "government enquiry"},
        {"zh-CN": ("政务咨询", "咨询", "问政策", "办事"),
         "ko": ("민원", "상담", "민원 상담"),
         "en": ("government", "enquiry", "a question")},
        category="government", person_only=True,
    ),
)  # fmt: skip

DAYS: tuple[Concept, ...] = (
    Concept(
        "today", "1",
        {"zh-CN": "今天", "ko": "오늘", "en": "today"},
        {"zh-CN": ("今天", "今儿"), "ko": ("오늘",), "en": ("today",)},
    ),
    Concept(
        "tomorrow", "2",
        {"zh-CN": "明天", "ko": "내일", "en": "tomorrow"},
        {"zh-CN": ("明天", "明儿"), "ko": ("내일",), "en": ("tomorrow",)},
    ),
    Concept(
        "day_after", "3",
        {"zh-CN": "后天", "ko": "모레", "en": "the day after tomorrow"},
        {"zh-CN": ("后天", "后儿"), "ko": ("모레",), "en": ("day after tomorrow", "the day after tomorrow")},
    ),
)  # fmt: skip

PARTS: tuple[Concept, ...] = (
    Concept(
        "morning", "1",
        {"zh-CN": "上午", "ko": "오전", "en": "in the morning"},
        {"zh-CN": ("上午", "早上", "头午"), "ko": ("오전", "아침"), "en": ("morning", "in the morning")},
    ),
    Concept(
        "afternoon", "2",
        {"zh-CN": "下午", "ko": "오후", "en": "in the afternoon"},
        {"zh-CN": ("下午", "后晌", "过晌"), "ko": ("오후",), "en": ("afternoon", "in the afternoon")},
    ),
)  # fmt: skip

ANSWERS: tuple[Concept, ...] = (
    Concept(
        "yes", "1",
        {"zh-CN": "对", "ko": "네", "en": "yes"},
        {"zh-CN": ("对", "是的", "好的", "行", "中"), "ko": ("네", "좋아요", "예"), "en": ("yes", "right", "okay")},
    ),
    Concept(
        "no", "2",
        {"zh-CN": "不对", "ko": "아니요", "en": "no"},
        {"zh-CN": ("不对", "不是", "不要", "不行"), "ko": ("아니요", "아니"), "en": ("no", "wrong")},
    ),
)  # fmt: skip

# Understood in every turn, whatever was asked. Emergency is looked for first.
ALWAYS: tuple[Concept, ...] = (
    Concept(
        "emergency", "9",
        {"zh-CN": "紧急救援", "ko": "응급", "en": "emergency"},
        {"zh-CN": ("救命", "急救", "摔倒了", "紧急", "救救我"),
         "ko": ("응급", "살려 주세요", "도와줘", "사람 살려", "구급차"),
         "en": ("help", "emergency", "ambulance")},
    ),
    Concept(
        "person", "0",
        {"zh-CN": "人工", "ko": "상담원", "en": "a person"},
        {"zh-CN": ("人工", "找人", "接线员"), "ko": ("상담원", "사람"), "en": ("a person", "operator", "agent")},
    ),
    Concept(
        "repeat", "*",
        {"zh-CN": "再说一遍", "ko": "다시", "en": "repeat"},
        {"zh-CN": ("再说一遍", "没听清"), "ko": ("다시", "뭐라고", "안 들려"), "en": ("repeat", "again", "pardon")},
    ),
)  # fmt: skip

# What may be answered to which question.
GRAMMARS: Mapping[str, tuple[Concept, ...]] = {
    "service": SERVICES,
    "day": DAYS,
    "part": PARTS,
    "confirm": ANSWERS,
    "none": (),
}

SERVICE: Mapping[str, Service] = {service.code: service for service in SERVICES}
DAY: Mapping[str, Concept] = {day.code: day for day in DAYS}
PART: Mapping[str, Concept] = {part.code: part for part in PARTS}


def phrases(language: str, grammar: str) -> tuple[str, ...]:
    """Return every phrase that may be said to the question `grammar`, the ones always understood included.

    Raises:
        KeyError: no such grammar.
    """
    return tuple(
        dict.fromkeys(phrase for concept in (*ALWAYS, *GRAMMARS[grammar]) for phrase in concept.phrases[language])
    )


def concept_said(language: str, grammar: str, text: str) -> Concept | None:
    """Return the concept whose phrase is exactly `text`; emergency first, then the question, then the rest."""
    order: Iterable[Concept] = (ALWAYS[0], *GRAMMARS[grammar], *ALWAYS[1:])
    return next((concept for concept in order if text in concept.phrases[language]), None)


def name_of(concept: Concept, language: str) -> str:
    """Return the concept's name in `language`."""
    return concept.name[language]
