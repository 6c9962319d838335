"""The words of time that have a code: days, parts of the day. Dates, weekdays and clock times: ivr/understanding."""

from __future__ import annotations

from models.vocabulary.concept import Concept, concept

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
