"""A worker reports from the elder's telephone. Short: she stands in the hall with her coat on."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    # After a silence at the first question, where a worker is due today.
    Prompt("worker_hint", Place.VISIT, {
        "zh-CN": "服务人员请按星号和工号。",
        "ko": "방문 직원은 별표와 직원 번호를 누르세요.",
        "en": "Workers: star and your code.",
    }),
    Prompt("worker_unknown", Place.VISIT, {
        "zh-CN": "没有这个工号。",
        "ko": "없는 직원 번호입니다.",
        "en": "I do not know that code.",
    }),
    Prompt("ask_worker_code", Place.VISIT, {
        "zh-CN": "请按您的工号，完了按井号。",
        "ko": "직원 번호를 누르고 우물 정자를 누르세요.",
        "en": "Key your code, then hash.",
    }),
    Prompt("visit_choice", Place.VISIT, {
        "zh-CN": "{service}，按{press}。",
        "ko": "{service}, {press}번.",
        "en": "{service}, press {press}.",
    }),
    Prompt("ask_visit_number", Place.VISIT, {
        "zh-CN": "请按单号，完了按井号。",
        "ko": "주문 번호를 누르고 우물 정자를 누르세요.",
        "en": "Key the order's number, then hash.",
    }),
    Prompt("visit_unknown", Place.VISIT, {
        "zh-CN": "您没有这个单号。",
        "ko": "담당하시는 주문이 아닙니다.",
        "en": "That is no order of yours.",
    }),
    Prompt("visit", Place.VISIT, {"zh-CN": "{service}。", "ko": "{service}.", "en": "{service}."}),
    Prompt("visit_keys", Place.VISIT, {
        "zh-CN": "到了按1，做完了按2。",
        "ko": "도착은 1번, 완료는 2번.",
        "en": "Arrived 1, done 2.",
    }),
    Prompt("visit_arrived", Place.VISIT, {
        "zh-CN": "记下了，您到了。做完请再打一次。",
        "ko": "도착을 기록했습니다. 끝나면 다시 전화해 주세요.",
        "en": "Your arrival is noted. Ring again when it is done.",
    }),
    Prompt("visit_done", Place.VISIT, {
        "zh-CN": "记下了，做完了。辛苦了，再见。",
        "ko": "완료를 기록했습니다. 수고하셨습니다.",
        "en": "It is noted as done. Thank you, goodbye.",
    }),
    Prompt("visit_known", Place.VISIT, {
        "zh-CN": "这个已经记过了，再见。",
        "ko": "이미 기록되어 있습니다. 안녕히 계세요.",
        "en": "That is noted already. Goodbye.",
    }),
    Prompt("visit_gone", Place.VISIT, {
        "zh-CN": "这一单有变动。",
        "ko": "이 주문이 바뀌었습니다.",
        "en": "This order has changed.",
    }),
)  # fmt: skip
