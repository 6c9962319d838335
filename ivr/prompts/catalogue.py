"""Every prompt: its key, its text in each language, its variables. Data; a test walks all of it.

The text is what an operator reads when recording. Short sentences, one thought
each, the key named after what it does ("洗澡按2"): the listener is 85.
"""

from __future__ import annotations

import string
from collections.abc import Mapping

CATALOGUE: Mapping[str, Mapping[str, str]] = {
    # The greeting, and the one open question.
    "greeting": {"zh-CN": "{who}，您好！", "ko": "{who}, 안녕하세요!", "en": "Hello, {who}!"},
    "welcome": {
        "zh-CN": "您好，这里是一二三四九养老热线。",
        "ko": "안녕하세요, 일이삼사구 노인 돌봄 전화입니다.",
        "en": "Hello, this is the one two three four nine hotline.",
    },
    # With an engine that listens for her language, and without one: nobody is invited to talk to the deaf.
    "ask_service_spoken": {
        "zh-CN": "您需要什么？请直接说，或者按键：送餐按1，洗澡按2，打扫按3，其他按8，找人按0。",
        "ko": "무엇을 도와드릴까요? 말씀하시거나 누르세요. 식사 1번, 목욕 2번, 청소 3번, 다른 것은 8번, 상담원은 0번.",
        "en": "What do you need? Say it, or press: meals 1, bathing 2, cleaning 3, more 8, a person 0.",
    },
    "ask_service": {
        "zh-CN": "您需要什么？送餐按1，洗澡按2，打扫按3，其他按8，找人按0。",
        "ko": "무엇을 도와드릴까요? 식사 1번, 목욕 2번, 청소 3번, 다른 것은 8번, 상담원은 0번.",
        "en": "What do you need? Meals 1, bathing 2, cleaning 3, more 8, a person 0.",
    },
    "ask_service_more": {
        "zh-CN": "看病按4，维修按5，聊天按6，政务咨询按7，返回按8，找人按0。",
        "ko": "병원 동행 4번, 수리 5번, 말벗 6번, 민원 7번, 뒤로 8번, 상담원 0번.",
        "en": "Doctor 4, repairs 5, company 6, government 7, back 8, a person 0.",
    },
    "ask_day": {
        "zh-CN": "哪一天？今天按1，明天按2，后天按3。",
        "ko": "언제요? 오늘 1번, 내일 2번, 모레 3번.",
        "en": "Which day? Today 1, tomorrow 2, the day after 3.",
    },
    "ask_part": {
        "zh-CN": "上午按1，下午按2。",
        "ko": "오전은 1번, 오후는 2번.",
        "en": "Morning 1, afternoon 2.",
    },
    "too_late_today": {
        "zh-CN": "今天太晚了，来不及了。",
        "ko": "오늘은 너무 늦었습니다.",
        "en": "It is too late for today.",
    },
    "readback": {
        "zh-CN": "{day}{part}，{service}，对吗？对按1，不对按2。",
        "ko": "{day} {part}, {service}. 맞으면 1번, 아니면 2번.",
        "en": "{service}, {day} {part}. If that is right press 1, if not press 2.",
    },
    "order_done": {
        "zh-CN": "好，记下了，单号{number}。安排好了就给您打电话。要找人请按0，没事就可以挂了。",
        "ko": "네, 접수했습니다. 번호는 {number}. 정해지면 전화드리겠습니다. 상담원은 0번, 아니면 끊으셔도 됩니다.",
        "en": "It is noted, number {number}. We will ring you when it is arranged. For a person press 0, or hang up.",
    },
    "order_known": {
        "zh-CN": "这个我们已经记下了，单号{number}，正在给您安排。要找人请按0，没事就可以挂了。",
        "ko": "이미 접수되어 있습니다. 번호는 {number}. 상담원은 0번, 아니면 끊으셔도 됩니다.",
        "en": "We have that already, number {number}. For a person press 0, or hang up.",
    },
    "goodbye": {"zh-CN": "再见，您保重。", "ko": "안녕히 계세요.", "en": "Goodbye, take care."},
    # When she was not heard, or not understood.
    "not_heard": {"zh-CN": "我没听见。", "ko": "말씀이 안 들렸어요.", "en": "I did not hear you."},
    "not_understood": {"zh-CN": "我没听明白。", "ko": "잘 못 알아들었어요.", "en": "I did not understand."},
    # On the way to a person.
    "to_person": {
        "zh-CN": "请稍等，给您转接工作人员。",
        "ko": "잠시만요, 상담원을 연결해 드립니다.",
        "en": "One moment, I am passing you to a person.",
    },
    "emergency": {
        "zh-CN": "别着急，马上有人接您的电话。",
        "ko": "걱정 마세요, 바로 연결해 드립니다.",
        "en": "Stay calm, somebody will be with you at once.",
    },
    "failsafe": {
        "zh-CN": "请稍等，马上给您转接工作人员。",
        "ko": "잠시만 기다려 주세요. 상담원을 연결합니다.",
        "en": "Please hold, a person will take your call.",
    },
    "leave_message": {
        "zh-CN": "现在没有人能接。请在滴声后说您的事，我们给您回电话。",
        "ko": "지금은 받을 사람이 없습니다. 삐 소리 후 말씀하시면 전화드리겠습니다.",
        "en": "Nobody is free now. Speak after the tone and we will ring you back.",
    },
    "message_thanks": {
        "zh-CN": "记下了，我们会给您回电话。",
        "ko": "녹음되었습니다. 다시 전화드리겠습니다.",
        "en": "Thank you. We will ring you back.",
    },
    "message_keys": {
        "zh-CN": "紧急请按9，找人请按0，没事就可以挂了。",
        "ko": "응급은 9번, 상담원은 0번, 아니면 끊으셔도 됩니다.",
        "en": "Emergency 9, a person 0, or hang up.",
    },
    # An order is put to a provider: what, when, which district. Not who, not where.
    "offer": {
        "zh-CN": "一二三四九派单。{district}，{day}{part}，{service}。接单按1，不接按2，重听按3。",
        "ko": "일이삼사구입니다. {district}, {day} {part}, {service}. 수락 1번, 거절 2번, 다시 3번.",
        "en": "Hotline offer. {district}, {day} {part}, {service}. Accept 1, decline 2, repeat 3.",
    },
    "offer_accepted": {
        "zh-CN": "好的，这一单是您的了，单号{number}。谢谢。",
        "ko": "네, 배정되었습니다. 번호는 {number}. 감사합니다.",
        "en": "It is yours, number {number}. Thank you.",
    },
    "offer_declined": {"zh-CN": "好的，谢谢。", "ko": "알겠습니다. 감사합니다.", "en": "All right, thank you."},
    "offer_too_late": {
        "zh-CN": "这一单已经有人接了，谢谢您。",
        "ko": "이미 다른 곳에 배정되었습니다. 감사합니다.",
        "en": "Somebody else has taken it already. Thank you.",
    },
    # The elder is told who comes.
    "callback": {
        "zh-CN": "{who}，您好，这里是一二三四九。{day}{part}，{service}，{provider}来。听清了按1，要找人按0。",
        "ko": "{who}, 일이삼사구입니다. {day} {part}, {service}, {provider}에서 갑니다. 들으셨으면 1번, 상담원은 0번.",
        "en": "Hello {who}, this is the hotline. {service}, {day} {part}: {provider} comes. Press 1 if you heard, 0 for a person.",
    },
    "callback_confirmed": {"zh-CN": "好，再见。", "ko": "네, 안녕히 계세요.", "en": "Good. Goodbye."},
    # What is named instead of a service that is a matter of health.
    "some_service": {"zh-CN": "您预约的服务", "ko": "예약하신 서비스", "en": "the service you asked for"},
}

# What the dialplan plays by itself, when Python may be away.
DIALPLAN_PROMPTS = ("failsafe", "leave_message", "message_thanks", "message_keys", "emergency", "to_person")


def variables(key: str) -> tuple[str, ...]:
    """Return the variables of prompt `key`, in the order in which the Chinese text speaks them."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(CATALOGUE[key]["zh-CN"]) if name)
