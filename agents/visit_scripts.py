"""What an agent says in a care visit, in the elder's own language: beside the call, word for word or as she likes."""

from __future__ import annotations

from collections.abc import Mapping

# Greeting first; then a sentence for each question of models.care_scripts.
SPOKEN: Mapping[str, Mapping[str, str]] = {
    "hello": {
        "zh-CN": "{name}，您好！我是12349的工作人员，打电话来问候您。现在方便说几句吗？",
        "ko": "{name} 어르신, 안녕하세요. 12349에서 안부 전화드렸습니다. 지금 통화 괜찮으세요?",
        "en": "Hello {name}, this is 12349. We ring to ask how you are. Is this a good moment?",
    },
    "feel": {
        "zh-CN": "您最近身体怎么样，心情好不好？有没有什么需要我们帮忙的？",
        "ko": "요즘 건강과 기분은 어떠세요? 저희가 도와드릴 일이 있으세요?",
        "en": "How have you been, and how do you feel? Is there anything you need?",
    },
    "eaten": {
        "zh-CN": "今天吃饭了吗？胃口怎么样？",
        "ko": "오늘 식사는 하셨어요? 입맛은 어떠세요?",
        "en": "Have you eaten today? Do you have an appetite?",
    },
    "medicine": {
        "zh-CN": "药按时吃了吗？家里的药还够吗？",
        "ko": "약은 제때 드셨어요? 남은 약은 충분하세요?",
        "en": "Have you taken your medicine? Is there enough at home?",
    },
    "warm": {
        "zh-CN": "家里暖气热不热，冷不冷？",
        "ko": "집은 따뜻하세요? 춥지 않으세요?",
        "en": "Is the heating on? Is it warm enough at home?",
    },
    "cool": {
        "zh-CN": "天热，家里热得难受吗？记得多喝水。",
        "ko": "더위는 견딜 만하세요? 물을 자주 드세요.",
        "en": "Does the heat trouble you? Please drink enough.",
    },
    "company": {
        "zh-CN": "想让人去看看您，或者陪您聊聊天吗？",
        "ko": "찾아뵙거나 말벗을 해 드릴까요?",
        "en": "Would you like a visit, or somebody to talk to?",
    },
    "care_notice_cold": {
        "zh-CN": "这几天特别冷，请少出门，注意取暖和用火安全。",
        "ko": "며칠 동안 몹시 춥습니다. 외출을 줄이고 따뜻하게 지내세요.",
        "en": "Very cold days are coming. Please stay in and keep warm.",
    },
    "care_notice_heat": {
        "zh-CN": "这几天特别热，请多喝水，中午不要出门。",
        "ko": "며칠 동안 몹시 덥습니다. 물을 많이 드시고 한낮에는 나가지 마세요.",
        "en": "Very hot days are coming. Drink enough and stay in at noon.",
    },
    "care_notice_storm": {
        "zh-CN": "要有大风大雪，请不要出门，家里备好吃的和药。",
        "ko": "눈보라가 옵니다. 밖에 나가지 마시고 음식과 약을 준비해 두세요.",
        "en": "A storm is coming. Please stay at home; have food and medicine ready.",
    },
    "care_notice_holiday": {
        "zh-CN": "祝您节日快乐，身体健康！",
        "ko": "즐거운 명절 보내시고 건강하세요!",
        "en": "We wish you a happy holiday and good health!",
    },
    "bye": {
        "zh-CN": "有事随时打12349。您多保重，再见！",
        "ko": "무슨 일이든 12349로 전화 주세요. 건강하세요!",
        "en": "Ring 12349 whenever you need us. Take care, goodbye!",
    },
}


def spoken(code: str, language: str, name: str = "") -> str:
    """Return the sentence of a code in the elder's language.

    Raises:
        KeyError: no such sentence.
    """
    texts = SPOKEN[code]
    return texts.get(language, texts["zh-CN"]).format(name=name)
