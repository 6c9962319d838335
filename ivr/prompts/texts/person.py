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
    Prompt("or_ring_back", Place.MESSAGE, {
        "zh-CN": "不想留言，按1。",
        "ko": "녹음하지 않으시려면 1번.",
        "en": "To leave no message, press 1.",
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
    Prompt("closed", Place.PERSON, {
        "zh-CN": "下班了，{day}{time}上班。",
        "ko": "상담 시간이 끝났습니다. {day} {time}에 다시 시작합니다.",
        "en": "We are closed until {day}, {time}.",
    }),
    # While she waits. Her place comes first, because it is certain; minutes only where they are known.
    Prompt("wait_next", Place.WAITING, {
        "zh-CN": "人都在忙，下一个就是您。",
        "ko": "모두 통화 중입니다. 바로 다음 순서입니다.",
        "en": "Everybody is busy. You are next.",
    }),
    Prompt("wait_place", Place.WAITING, {
        "zh-CN": "人都在忙，您排在第{place}位。",
        "ko": "모두 통화 중입니다. {place} 번째 순서입니다.",
        "en": "Everybody is busy. You are number {place} in line.",
    }),
    Prompt("wait_minutes", Place.WAITING, {
        "zh-CN": "大约等{minutes}。",
        "ko": "{minutes}쯤 걸립니다.",
        "en": "It takes about {minutes}.",
    }),
    Prompt("wait_long", Place.WAITING, {
        "zh-CN": "要等十分钟以上。",
        "ko": "십 분 넘게 걸립니다.",
        "en": "It takes more than ten minutes.",
    }),
    Prompt("wait_keys", Place.WAITING, {
        "zh-CN": "不想等，按1，我们给您打回去。",
        "ko": "기다리지 않으시려면 1번. 저희가 전화드립니다.",
        "en": "If you would rather be rung back, press 1.",
    }, static=True),
    # The same without Python: neither place nor minutes are known.
    Prompt("wait_on", Place.WAITING, {
        "zh-CN": "还在给您找人，请别挂。",
        "ko": "계속 연결하고 있습니다. 끊지 마세요.",
        "en": "We are still looking for somebody. Please hold.",
    }, static=True),
    # An agent's telephone broke off in the middle of a call: she goes back to the front.
    Prompt("agent_lost", Place.WAITING, {
        "zh-CN": "线路断了，请别挂，马上有人接。",
        "ko": "연결이 끊겼습니다. 끊지 마세요. 다시 연결합니다.",
        "en": "The line broke. Stay on, somebody will be with you.",
    }, static=True),
    # While an agent looks something up, again and again with a pause.
    Prompt("on_hold", Place.WAITING, {
        "zh-CN": "请稍等，马上回来。",
        "ko": "잠시만 기다려 주세요.",
        "en": "Please hold, we will be right back.",
    }, static=True),
    Prompt("emergency_wait", Place.WAITING, {
        "zh-CN": "请别挂，正在给您找人。",
        "ko": "끊지 마세요. 연결하고 있습니다.",
        "en": "Stay on the line, we are getting somebody.",
    }, static=True),
    Prompt("emergency_nobody", Place.MESSAGE, {
        "zh-CN": "现在没人能接。有生命危险，请马上打120。",
        "ko": "지금 받을 사람이 없습니다. 위급하시면 바로 120에 전화하세요.",
        "en": "Nobody can answer now. If life is in danger, ring 120 at once.",
    }, static=True),
    Prompt("ring_back_bad", Place.WAITING, {
        "zh-CN": "这个号码不对。",
        "ko": "번호가 맞지 않습니다.",
        "en": "That is not a telephone number.",
    }),
    # Without Python: the number that the network shows, not read back.
    Prompt("ring_back_shown", Place.WAITING, {
        "zh-CN": "好，我们给您现在用的电话打回去。再见。",
        "ko": "네, 지금 쓰시는 전화로 전화드리겠습니다. 안녕히 계세요.",
        "en": "We will ring you back on this telephone. Goodbye.",
    }, static=True),
    # To the telephone outside of the hours, or for an emergency: a voicemail must not take the call.
    Prompt("on_call", Place.PERSON, {
        "zh-CN": "这里是一二三四九，有老人找您。接听按1。",
        "ko": "일이삼사구입니다. 어르신 전화입니다. 받으려면 1번.",
        "en": "This is the hotline, an elder needs you. Press 1 to take the call.",
    }, static=True),
)  # fmt: skip
