"""A care visit: how are you. Each sentence short enough for an ear that tires; the first one says who rings and why."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    Prompt("care_hello", Place.CARE, {
        "zh-CN": "{who}，您好，一二三四九问候您。",
        "ko": "{who}, 일이삼사구 안부 전화입니다.",
        "en": "Hello {who}, the hotline asks how you are.",
    }),
    # She rang us back.
    Prompt("care_back", Place.CARE, {
        "zh-CN": "我们打过电话问候您。别的事按8。",
        "ko": "안부 전화를 드렸습니다. 다른 일은 8번.",
        "en": "We rang to ask how you are. Anything else: 8.",
    }),
    Prompt("care_feel", Place.CARE, {
        "zh-CN": "您好不好？好按1，有事按2，要帮助按3。",
        "ko": "어떠세요? 좋으면 1번, 부탁은 2번, 도움은 3번.",
        "en": "Are you well? Well 1, need something 2, help 3.",
    }),
    # After a silence, spoken slowly.
    Prompt("care_again", Place.CARE, {
        "zh-CN": "您听得见吗？听得见请按1，或者说话。",
        "ko": "들리세요? 들리면 1번을 누르거나 말씀하세요.",
        "en": "Can you hear me? Press 1, or speak.",
    }),
    Prompt("care_eaten", Place.CARE, {
        "zh-CN": "今天吃饭了吗？吃了按1，没吃按2。",
        "ko": "오늘 식사하셨어요? 네 1번, 아니요 2번.",
        "en": "Have you eaten today? Yes 1, no 2.",
    }),
    Prompt("care_medicine", Place.CARE, {
        "zh-CN": "药吃了吗？吃了按1，没吃按2，不用吃按3。",
        "ko": "약 드셨어요? 네 1번, 아니요 2번, 약 없으면 3번.",
        "en": "Taken your medicine? Yes 1, no 2, none 3.",
    }),
    Prompt("care_warm", Place.CARE, {
        "zh-CN": "家里暖和吗？暖和按1，冷按2。",
        "ko": "집이 따뜻해요? 네 1번, 아니요 2번.",
        "en": "Is it warm at home? Yes 1, no 2.",
    }),
    Prompt("care_cool", Place.CARE, {
        "zh-CN": "天热，受得了吗？受得了按1，难受按2。",
        "ko": "더위는 괜찮으세요? 네 1번, 아니요 2번.",
        "en": "Can you bear the heat? Yes 1, no 2.",
    }),
    Prompt("care_company", Place.CARE, {
        "zh-CN": "想有人来看您按1，想聊天按2，不用按3。",
        "ko": "방문 1번, 말벗 2번, 필요 없으면 3번.",
        "en": "A visit 1, a chat 2, neither 3.",
    }),
    Prompt("care_need", Place.CARE, {
        "zh-CN": "要订服务按1，找人按2，先不用按3。",
        "ko": "서비스 1번, 상담원 2번, 나중에는 3번.",
        "en": "A service 1, a person 2, not now 3.",
    }),
    Prompt("care_word", Place.CARE, {
        "zh-CN": "还有话要说吗？有按1，没有按2。",
        "ko": "하실 말씀이 있으세요? 네 1번, 아니요 2번.",
        "en": "Anything you want to say? Yes 1, no 2.",
    }),
    Prompt("ask_care_word", Place.CARE, {
        "zh-CN": "请在嘀声后讲，讲完按井号。",
        "ko": "삐 소리 후 말씀하고 우물 정자를 누르세요.",
        "en": "Speak after the tone, then press hash.",
    }),
    Prompt("care_visit_noted", Place.CARE, {
        "zh-CN": "好，我们会联系您。",
        "ko": "네, 연락드리겠습니다.",
        "en": "Good, we will be in touch.",
    }),
    Prompt("care_thanks", Place.CARE, {
        "zh-CN": "谢谢您，多保重，再见。",
        "ko": "고맙습니다. 건강하세요.",
        "en": "Thank you. Take care, goodbye.",
    }),
    # To a machine, and to whoever keeps silent: the number to ring back.
    Prompt("care_machine", Place.CARE, {
        "zh-CN": "我们是一二三四九，请您回电一二三四九。",
        "ko": "일이삼사구입니다. 일이삼사구로 전화해 주세요.",
        "en": "This is the hotline. Please ring 1 2 3 4 9.",
    }),
    Prompt("care_stay", Place.CARE, {
        "zh-CN": "请别挂，马上有人跟您说话。",
        "ko": "끊지 마세요. 상담원을 바꿔 드리겠습니다.",
        "en": "Please stay. A person will speak to you now.",
    }),
    Prompt("care_notice_cold", Place.CARE, {
        "zh-CN": "这几天特别冷，少出门，注意取暖。",
        "ko": "며칠 동안 몹시 춥습니다. 따뜻하게 지내세요.",
        "en": "Very cold days are coming. Stay warm.",
    }),
    Prompt("care_notice_heat", Place.CARE, {
        "zh-CN": "这几天特别热，多喝水，少出门。",
        "ko": "며칠 동안 몹시 덥습니다. 물을 많이 드세요.",
        "en": "Very hot days are coming. Drink enough.",
    }),
    Prompt("care_notice_storm", Place.CARE, {
        "zh-CN": "有大风大雪，请不要出门。",
        "ko": "눈보라가 옵니다. 밖에 나가지 마세요.",
        "en": "A storm is coming. Please stay at home.",
    }),
    Prompt("care_notice_holiday", Place.CARE, {
        "zh-CN": "祝您节日快乐。",
        "ko": "즐거운 명절 보내세요.",
        "en": "We wish you a happy holiday.",
    }),
    # A contact or a butler is asked to look in: nothing is told but that she was not reached.
    Prompt("look_in_hello", Place.LOOK_IN, {
        "zh-CN": "您好，这里是一二三四九。",
        "ko": "안녕하세요, 일이삼사구입니다.",
        "en": "Hello, this is the elders' hotline.",
    }),
    Prompt("look_in", Place.LOOK_IN, {
        "zh-CN": "{who}没接我们的电话。",
        "ko": "{who}, 연락이 되지 않습니다.",
        "en": "We could not reach {who}.",
    }),
    Prompt("look_in_keys", Place.LOOK_IN, {
        "zh-CN": "您能去看看请按1，不能按2。",
        "ko": "가 보실 수 있으면 1번, 없으면 2번.",
        "en": "Press 1 if you will look in, 2 if not.",
    }),
    Prompt("look_in_thanks", Place.LOOK_IN, {
        "zh-CN": "谢谢，有事请打一二三四九。",
        "ko": "고맙습니다. 일이 있으면 일이삼사구로 전화해 주세요.",
        "en": "Thank you. Ring 1 2 3 4 9 if you need us.",
    }),
    Prompt("look_in_cannot", Place.LOOK_IN, {
        "zh-CN": "好的，我们再问别人。",
        "ko": "네, 다른 분께 부탁하겠습니다.",
        "en": "All right, we will ask somebody else.",
    }),
)  # fmt: skip
