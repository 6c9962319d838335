"""The words of time that have a code: days, parts of the day. Dates, weekdays and clock times: ivr/understanding."""

from __future__ import annotations

from models.vocabulary.concept import Concept, Phrases, concept, said

DAYS: tuple[Concept, ...] = (
    concept("today", "1", ("今天", "오늘", "today"),
            "今天|今儿|今儿个|今日", "오늘", "today"),
    concept("tomorrow", "2", ("明天", "내일", "tomorrow"),
            "明天|明儿|明儿个|明日|赶明儿", "내일", "tomorrow"),
    concept("day_after", "3", ("后天", "모레", "the day after tomorrow"),
            "后天|后儿|后儿个", "모레|내일 모레", "day after tomorrow|the day after tomorrow|the day after"),
)  # fmt: skip

PARTS: tuple[Concept, ...] = (
    concept("morning", "1", ("上午", "오전", "in the morning"),
            "上午|早上|早晨|头午|头晌|一早|大清早|清早", "오전|아침", "morning|in the morning"),
    concept("noon", "2", ("中午", "정오", "at noon"),
            "中午|晌午|正午", "정오|낮", "noon|at noon|midday|around noon"),
    concept("afternoon", "3", ("下午", "오후", "in the afternoon"),
            "下午|后晌|过晌|下晌|午后", "오후", "afternoon|in the afternoon"),
    concept("evening", "4", ("晚上", "저녁", "in the evening"),
            "晚上|傍晚|下晚|下晚儿|晚间|天黑", "저녁|밤", "evening|in the evening|tonight|at night"),
)  # fmt: skip


def _chinese() -> str:
    weekdays = [
        f"{week}{word}{day}" for week in ("", "下", "这") for word in ("周", "星期", "礼拜") for day in "一二三四五六日"
    ]
    weekdays += [f"{week}{word}天" for week in ("", "下", "这") for word in ("星期", "礼拜")]
    tens = ("", "十", "二十", "三十")
    dates = [f"{tens[n // 10]}{'零一二三四五六七八九'[n % 10] if n % 10 else ''}号" for n in range(1, 32)]
    hours = [f"{hour}点" for hour in ("七", "八", "九", "十", "十一", "十二", "一", "两", "三", "四", "五", "六")]
    weeks = "这周|下周|这个星期|下个星期|下礼拜|这个礼拜|下星期|周末|下周末"
    weekdays += [f"每{word}{day}" for word in ("周", "星期", "礼拜") for day in "一二三四五六日天"]
    again = "每天|天天|每周|每个星期|每星期|每个礼拜|每礼拜|每个月|隔一天|隔天"
    days = "大后天|大后儿|今晚|明早|明晚|今早|昨天|前天|现在|马上|一会儿|待会儿|尽快"
    return "|".join([*weekdays, weeks, *dates, *hours, "点钟|点半|半|一刻|三刻", days, again])


def _korean() -> str:
    weekdays = [f"{week}{day}요일" for week in ("", "다음 주 ", "이번 주 ") for day in "월화수목금토일"]
    hours = [f"{hour} 시" for hour in ("한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열두")]
    dates = [f"{ten}{one} 일" for ten in ("", "십") for one in "일이삼사오육칠팔구" if ten + one not in ("일", "이")]
    # 매월 is understood, but not listed: the recogniser heard it in 목욕, a bath.
    weekdays += ["매일", "매주", "날마다", "매달", "~매월", *(f"매주 {day}요일" for day in "월화수목금토일")]
    rest = "십 일|이십 일|이십일 일|이십삼 일|이십사 일|이십오 일|삼십 일"
    return "|".join([*weekdays, "이번 주|다음 주|주말|글피|어제|지금|당장|반|새벽|~열한 시", *hours, *dates, rest])


def _english() -> str:
    weekdays = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    days = [f"{week}{day}" for week in ("", "next ", "this ") for day in weekdays]
    days += [f"every {day}" for day in weekdays] + ["every day", "every week", "every month", "daily", "weekly"]
    hours = [
        f"{hour} o'clock"
        for hour in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    ]
    return "|".join(
        [*days, *hours, "this week|next week|weekend|half past|quarter past|quarter to|tonight|yesterday|now"]
    )


# Time words without a code of their own, for the speech lists; what they say is found by ivr/understanding.
TIMES: Phrases = said(_chinese(), _korean(), _english())
