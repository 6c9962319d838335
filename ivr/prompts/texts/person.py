"""On the way to a person, and what is said where none is free. Most of it is played by the dialplan itself."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    Prompt("to_person", Place.PERSON, {
        "zh-CN": "请稍等，给您转接工作人员。",
        "ko": "잠시만요, 상담원을 연결해 드립니다.",
        "en": "One moment, I am passing you to a person.",
    }, static=True),
    Prompt("emergency", Place.PERSON, {
        "zh-CN": "别着急，马上有人接您的电话。",
        "ko": "걱정 마세요, 바로 연결해 드립니다.",
        "en": "Stay calm, somebody will be with you at once.",
    }, static=True),
    Prompt("failsafe", Place.PERSON, {
        "zh-CN": "请稍等，马上给您转接工作人员。",
        "ko": "잠시만 기다려 주세요. 상담원을 연결합니다.",
        "en": "Please hold, a person will take your call.",
    }, static=True),
    Prompt("leave_message", Place.MESSAGE, {
        "zh-CN": "没人能接。请在滴声后留言，我们回电话。",
        "ko": "지금은 받을 사람이 없습니다. 삐 소리 후 말씀하시면 전화드리겠습니다.",
        "en": "Nobody is free now. Speak after the tone and we will ring you back.",
    }, static=True),
    Prompt("message_thanks", Place.MESSAGE, {
        "zh-CN": "记下了，我们会给您回电话。",
        "ko": "녹음되었습니다. 다시 전화드리겠습니다.",
        "en": "Thank you. We will ring you back.",
    }, static=True),
    Prompt("message_keys", Place.MESSAGE, {
        "zh-CN": "紧急请按9，找人请按0，没事就可以挂了。",
        "ko": "응급은 9번, 상담원은 0번, 아니면 끊으셔도 됩니다.",
        "en": "Emergency 9, a person 0, or hang up.",
    }, static=True),
)  # fmt: skip
