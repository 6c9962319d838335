"""Finding out who is calling: a household, somebody for her, a card, nobody we know, a provider."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    # A household line, or somebody who stands by several elders: one sentence for each of them.
    Prompt("choose_self", Place.START, {
        "zh-CN": "您是{who}，请按{press}。",
        "ko": "{who}이시면 {press}번.",
        "en": "If you are {who}, press {press}.",
    }),
    Prompt("choose_other", Place.START, {
        "zh-CN": "是替{who}打的，请按{press}。",
        "ko": "{who} 일이면 {press}번.",
        "en": "For {who}, press {press}.",
    }),
    Prompt("choose_none", Place.START, {
        "zh-CN": "都不是，请按8。",
        "ko": "모두 아니면 8번.",
        "en": "None of these: 8.",
    }),
    Prompt("ask_for_her", Place.START, {
        "zh-CN": "您是替{who}打电话吗？是按1，不是按2。",
        "ko": "{who} 일로 전화하셨나요? 네 1번, 아니요 2번.",
        "en": "Are you calling for {who}? Yes 1, no 2.",
    }),
    Prompt("for_whom", Place.START, {
        "zh-CN": "好，替{who}办事。",
        "ko": "네, {who} 일이군요.",
        "en": "Good, for {who}.",
    }),
    Prompt("ask_card", Place.START, {
        "zh-CN": "请按服务卡上的数字，完了按井号。",
        "ko": "서비스 카드 번호를 누르고 우물 정자를 누르세요.",
        "en": "Key the number on the service card, then hash.",
    }),
    Prompt("card_unknown", Place.START, {
        "zh-CN": "没有找到这张卡。",
        "ko": "그 카드를 찾지 못했습니다.",
        "en": "I cannot find that card.",
    }),
    # Nobody knows this number: staying on the line brings a person.
    Prompt("ask_stranger", Place.START, {
        "zh-CN": "有服务卡按1，要回电话按2。找人请稍等。",
        "ko": "카드가 있으면 1번, 전화를 받으시려면 2번. 상담원은 기다리세요.",
        "en": "With a service card press 1, to be rung back 2. For a person, hold on.",
    }),
    Prompt("ask_name", Place.START, {
        "zh-CN": "请在滴声后说您的姓名和事情，说完按井号。",
        "ko": "삐 소리 후 성함과 용건을 말씀하시고 우물 정자를 누르세요.",
        "en": "After the tone say your name and what you need, then press hash.",
    }),
    Prompt("ask_this_number", Place.START, {
        "zh-CN": "打这个电话找您：",
        "ko": "이 번호로 전화드립니다.",
        "en": "We ring you at this number:",
    }),
    Prompt("this_number", Place.START, {"zh-CN": "{phone}。", "ko": "{phone}.", "en": "{phone}."}),
    Prompt("right_or_wrong", Place.START, {
        "zh-CN": "对按1，不对按2。",
        "ko": "맞으면 1번, 아니면 2번.",
        "en": "Right: 1, wrong: 2.",
    }),
    Prompt("ask_number", Place.START, {
        "zh-CN": "请按您的电话号码，完了按井号。",
        "ko": "전화번호를 누르고 우물 정자를 누르세요.",
        "en": "Key your telephone number, then hash.",
    }),
    Prompt("ring_back_noted", Place.START, {
        "zh-CN": "记下了，我们会给您打电话。",
        "ko": "적어 두었습니다. 전화드리겠습니다.",
        "en": "Noted. We will ring you.",
    }),
    # We rang her and she was out; now she rings us.
    Prompt("missed_call", Place.START, {
        "zh-CN": "我们给您打过电话。",
        "ko": "저희가 전화드렸었습니다.",
        "en": "We rang you.",
    }),
    Prompt("missed_call_keys", Place.START, {
        "zh-CN": "听清了按1，要改按2，办别的事按3。",
        "ko": "들으셨으면 1번, 바꾸려면 2번, 다른 일은 3번.",
        "en": "Heard 1, change it 2, something else 3.",
    }),
    Prompt("callback_noted", Place.START, {"zh-CN": "好。", "ko": "네.", "en": "Good."}),
    Prompt("provider_idle", Place.START, {
        "zh-CN": "没有等您接的单，给您找人。",
        "ko": "기다리는 주문이 없습니다. 상담원을 연결합니다.",
        "en": "No offer is waiting. A person takes your call.",
    }),
)  # fmt: skip
