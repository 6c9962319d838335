"""Our own calls: an order is put to a provider, an elder is told who comes."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    # What, when, which district. Not who, not where.
    Prompt("offer_hello", Place.OFFER, {
        "zh-CN": "一二三四九派单。",
        "ko": "일이삼사구 주문입니다.",
        "en": "Hotline offer.",
    }),
    Prompt("offer", Place.OFFER, {
        "zh-CN": "{district}，{day}{part}，{service}。",
        "ko": "{district}, {day} {part}, {service}.",
        "en": "{district}, {day} {part}, {service}.",
    }),
    Prompt("offer_keys", Place.OFFER, {
        "zh-CN": "接单按1，不接按2，重听按3。",
        "ko": "수락 1번, 거절 2번, 다시 듣기 3번.",
        "en": "Accept 1, decline 2, repeat 3.",
    }),
    Prompt("offer_accepted", Place.OFFER, {
        "zh-CN": "好的，这一单是您的了，单号{number}。",
        "ko": "네, 배정되었습니다. 번호는 {number}.",
        "en": "It is yours, number {number}.",
    }),
    Prompt("offer_declined", Place.OFFER, {
        "zh-CN": "好的，谢谢。",
        "ko": "알겠습니다. 감사합니다.",
        "en": "All right, thank you.",
    }),
    Prompt("offer_too_late", Place.OFFER, {
        "zh-CN": "这一单已经有人接了，谢谢您。",
        "ko": "이미 다른 곳에 배정되었습니다. 감사합니다.",
        "en": "Somebody else has taken it already. Thank you.",
    }),
    Prompt("offer_gone", Place.OFFER, {
        "zh-CN": "这一单不用办了，谢谢您。",
        "ko": "이 주문은 취소되었습니다. 감사합니다.",
        "en": "This order is no longer needed. Thank you.",
    }),
    # Only to whoever has accepted.
    Prompt("offer_needs", Place.OFFER, {
        "zh-CN": "请注意：{needs}。",
        "ko": "주의: {needs}.",
        "en": "Please note: {needs}.",
    }),
    Prompt("offer_why", Place.OFFER, {
        "zh-CN": "没空按1，太远按2，不做这项按3。",
        "ko": "바쁘면 1번, 멀면 2번, 우리 일이 아니면 3번.",
        "en": "Busy 1, too far 2, not our service 3.",
    }),
    # The elder is told who comes.
    Prompt("callback_hello", Place.CALLBACK, {
        "zh-CN": "{who}，您好，这里是一二三四九。",
        "ko": "{who}, 일이삼사구입니다.",
        "en": "Hello {who}, this is the hotline.",
    }),
    Prompt("callback", Place.CALLBACK, {
        "zh-CN": "{day}{part}，{service}，{provider}来。",
        "ko": "{day} {part}, {service}, {provider}에서 갑니다.",
        "en": "{service}, {day} {part}: {provider} comes.",
    }),
    Prompt("callback_keys", Place.CALLBACK, {
        "zh-CN": "听清了按1，改时间按2，找人按0。",
        "ko": "들으셨으면 1번, 시간 변경은 2번, 상담원은 0번.",
        "en": "Press 1 if you heard, 2 for another time, 0 for a person.",
    }),
    Prompt("callback_confirmed", Place.CALLBACK, {
        "zh-CN": "好，再见。",
        "ko": "네, 안녕히 계세요.",
        "en": "Good. Goodbye.",
    }),
    # The evening before.
    Prompt("reminder_hello", Place.CALLBACK, {
        "zh-CN": "{who}，一二三四九提醒您。",
        "ko": "{who}, 일이삼사구 알림입니다.",
        "en": "Hello {who}, a reminder from the hotline.",
    }),
    # The day after.
    Prompt("return_hello", Place.RETURN, {
        "zh-CN": "{who}，您好，一二三四九回访。",
        "ko": "{who}, 일이삼사구에서 여쭙습니다.",
        "en": "Hello {who}, the hotline has a question.",
    }),
    Prompt("return_thanks", Place.RETURN, {
        "zh-CN": "谢谢您，再见。",
        "ko": "감사합니다. 안녕히 계세요.",
        "en": "Thank you, goodbye.",
    }),
)  # fmt: skip
