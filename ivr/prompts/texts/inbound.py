"""The conversation of an elder who rings."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    # Before anything is recorded, where recording is on. Short: she hears it in every call.
    Prompt("recording_notice", Place.START, {
        "zh-CN": "本次通话可能被录音。",
        "ko": "통화가 녹음될 수 있습니다.",
        "en": "This call may be recorded.",
    }, static=True),
    # The greeting, and the one open question.
    Prompt("greeting", Place.START, {
        "zh-CN": "{who}，您好！",
        "ko": "{who}, 안녕하세요!",
        "en": "Hello, {who}!",
    }),
    Prompt("welcome", Place.START, {
        "zh-CN": "您好，这里是一二三四九养老热线。",
        "ko": "안녕하세요, 일이삼사구 노인 돌봄 전화입니다.",
        "en": "Hello, this is the one two three four nine hotline.",
    }),
    # Where an engine listens for her language. The menu is read after a silence.
    Prompt("ask_service_spoken", Place.SERVICE, {
        "zh-CN": "您需要什么？",
        "ko": "무엇을 도와드릴까요?",
        "en": "What do you need?",
    }),
    # The menu in pages of four, for keys: nobody is invited to talk to the deaf.
    Prompt("ask_service", Place.SERVICE, {
        "zh-CN": "送餐按1，洗澡2，打扫3，看病4，其他8。",
        "ko": "식사 1번, 목욕 2번, 청소 3번, 병원 4번, 기타 8번.",
        "en": "Meals 1, bathing 2, cleaning 3, doctor 4, more 8.",
    }),
    Prompt("ask_service_2", Place.SERVICE, {
        "zh-CN": "跑腿按1，维修2，聊天3，健康4，其他8。",
        "ko": "심부름 1번, 수리 2번, 말벗 3번, 건강 4번, 기타 8번.",
        "en": "Errands 1, repairs 2, company 3, health 4, more 8.",
    }),
    Prompt("ask_service_3", Place.SERVICE, {
        "zh-CN": "康复按1，娱乐2，日托3，政务4，其他8。",
        "ko": "재활 1번, 여가 2번, 돌봄 3번, 민원 4번, 기타 8번.",
        "en": "Rehabilitation 1, leisure 2, day care 3, government 4, more 8.",
    }),
    Prompt("ask_service_4", Place.SERVICE, {
        "zh-CN": "法律援助按1，回到开头按8。",
        "ko": "법률 상담 1번, 처음으로 8번.",
        "en": "Legal aid 1, back to the beginning 8.",
    }),
    Prompt("ask_day", Place.TIME, {"zh-CN": "哪一天？", "ko": "언제요?", "en": "Which day?"}),
    Prompt("day_keys", Place.TIME, {
        "zh-CN": "今天按1，明天2，后天3，别的日子4。",
        "ko": "오늘 1번, 내일 2번, 모레 3번, 다른 날 4번.",
        "en": "Today 1, tomorrow 2, the day after 3, another 4.",
    }),
    Prompt("ask_date", Place.TIME, {
        "zh-CN": "请按两位数的日子，五号按05。",
        "ko": "며칠인가요? 두 자리로 누르세요. 5일은 05.",
        "en": "Which day of the month? Two digits: the fifth is 05.",
    }),
    Prompt("ask_part", Place.TIME, {
        "zh-CN": "上午按1，中午2，下午3，晚上4。",
        "ko": "오전 1번, 점심 2번, 오후 3번, 저녁 4번.",
        "en": "Morning 1, noon 2, afternoon 3, evening 4.",
    }),
    Prompt("part_is_over", Place.TIME, {
        "zh-CN": "今天这个时候已经过了。",
        "ko": "오늘 그 시간은 지났습니다.",
        "en": "That time today is over.",
    }),
    Prompt("too_late_today", Place.TIME, {
        "zh-CN": "今天太晚了，来不及了。",
        "ko": "오늘은 너무 늦었습니다.",
        "en": "It is too late for today.",
    }),
    Prompt("readback", Place.READBACK, {
        "zh-CN": "{day}{part}，{service}。对按1，不对按2。",
        "ko": "{day} {part}, {service}. 맞으면 1번, 아니면 2번.",
        "en": "{service}, {day} {part}. Yes 1, no 2.",
    }),
    # Said where a "yes" by voice is all that there is: a key, or the service in her own words.
    Prompt("ask_sure", Place.READBACK, {
        "zh-CN": "要的话按1，或者说出服务。不要按2。",
        "ko": "맞으면 1번, 또는 서비스를 말씀하세요. 아니면 2번.",
        "en": "Press 1, or say the service. If not, press 2.",
    }),
    Prompt("is_holiday", Place.READBACK, {
        "zh-CN": "那天{holiday}放假。",
        "ko": "그날은 {holiday} 휴일입니다.",
        "en": "That day is a holiday: {holiday}.",
    }),
    Prompt("ask_what_changes", Place.READBACK, {
        "zh-CN": "改服务按1，日子2，时间3，不要了4。",
        "ko": "서비스 1번, 날짜 2번, 시간 3번, 그만두려면 4번.",
        "en": "Change service 1, day 2, time 3, none of it 4.",
    }),
    # What is named instead of a service that is a matter of health.
    Prompt("some_service", Place.PART, {
        "zh-CN": "您预约的服务",
        "ko": "예약하신 서비스",
        "en": "the service you asked for",
    }),
    # The order stands: three sentences, one after another.
    Prompt("order_done", Place.DONE, {
        "zh-CN": "好，记下了，单号{number}。",
        "ko": "네, 접수했습니다. 번호는 {number}.",
        "en": "It is noted, number {number}.",
    }),
    Prompt("order_known", Place.DONE, {
        "zh-CN": "这个已经记下了，单号{number}。",
        "ko": "이미 접수되어 있습니다. 번호는 {number}.",
        "en": "We have that already, number {number}.",
    }),
    Prompt("order_next", Place.DONE, {
        "zh-CN": "安排好了就给您打电话。",
        "ko": "정해지면 전화드리겠습니다.",
        "en": "We will ring you when it is arranged.",
    }),
    Prompt("ask_anything_else", Place.DONE, {
        "zh-CN": "还有别的事按1，没事就可以挂了。",
        "ko": "다른 일이 있으면 1번, 아니면 끊으셔도 됩니다.",
        "en": "Anything else: 1. If not, you may hang up.",
    }),
    Prompt("goodbye", Place.DONE, {
        "zh-CN": "再见，您保重。",
        "ko": "안녕히 계세요.",
        "en": "Goodbye, take care.",
    }),
    # When she was not heard, or not understood.
    Prompt("not_heard", Place.MISSED, {
        "zh-CN": "我没听见。",
        "ko": "말씀이 안 들렸어요.",
        "en": "I did not hear you.",
    }),
    Prompt("not_understood", Place.MISSED, {
        "zh-CN": "我没听明白。",
        "ko": "잘 못 알아들었어요.",
        "en": "I did not understand.",
    }),
    Prompt("person_hint", Place.MISSED, {
        "zh-CN": "要找人，请按0。",
        "ko": "상담원은 0번입니다.",
        "en": "For a person, press 0.",
    }),
)  # fmt: skip
