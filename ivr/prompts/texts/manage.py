"""The same call also does: how orders stand, another time, cancelling, rating, a message."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    Prompt("ask_others", Place.MANAGE, {
        "zh-CN": "其他服务按1，订单2，评价3，留言4，返回8。",
        "ko": "다른 것 1번, 주문 2번, 평가 3번, 메모 4번, 뒤로 8번.",
        "en": "Other services 1, your orders 2, rate 3, a message 4, back 8.",
    }),
    Prompt("no_orders", Place.MANAGE, {
        "zh-CN": "您现在没有订单。",
        "ko": "지금은 주문이 없습니다.",
        "en": "You have no orders now.",
    }),
    Prompt("order_stands", Place.MANAGE, {
        "zh-CN": "{day}{part}，{service}，{status}。",
        "ko": "{day} {part}, {service}, {status}.",
        "en": "{service}, {day} {part}, {status}.",
    }),
    Prompt("order_choice", Place.MANAGE, {
        "zh-CN": "{day}{part}，{service}，按{press}。",
        "ko": "{day} {part}, {service}, {press}번.",
        "en": "{service}, {day} {part}, press {press}.",
    }),
    Prompt("ask_order", Place.MANAGE, {
        "zh-CN": "改时间按1，不要了按2，办别的事按3。",
        "ko": "시간 변경 1번, 취소 2번, 다른 일 3번.",
        "en": "Another time 1, cancel 2, something else 3.",
    }),
    Prompt("cancel_sure", Place.MANAGE, {
        "zh-CN": "{day}{part}，{service}，不要了吗？",
        "ko": "{day} {part}, {service}, 취소할까요?",
        "en": "Cancel {service}, {day} {part}?",
    }),
    Prompt("cancel_keys", Place.MANAGE, {
        "zh-CN": "不要了按1，还要按2。",
        "ko": "취소 1번, 그대로 2번.",
        "en": "Cancel 1, keep 2.",
    }),
    Prompt("order_cancelled", Place.MANAGE, {
        "zh-CN": "好，给您取消了。",
        "ko": "네, 취소했습니다.",
        "en": "It is cancelled.",
    }),
    Prompt("readback_change", Place.MANAGE, {
        "zh-CN": "改成{day}{part}，{service}。对按1，不对按2。",
        "ko": "{day} {part}, {service}로 바꿉니다. 맞으면 1번, 아니면 2번.",
        "en": "Now {service}, {day} {part}. Yes 1, no 2.",
    }),
    Prompt("order_changed", Place.MANAGE, {
        "zh-CN": "好，给您改了。",
        "ko": "네, 바꿨습니다.",
        "en": "It is changed.",
    }),
    # Meanwhile somebody has accepted it, or has come.
    Prompt("order_moved_on", Place.MANAGE, {
        "zh-CN": "这个已经安排了，要改请按0找人。",
        "ko": "이미 정해졌습니다. 바꾸시려면 0번을 누르세요.",
        "en": "That is arranged already. To change it press 0 for a person.",
    }),
    Prompt("nothing_changed", Place.MANAGE, {
        "zh-CN": "好，什么都没改。",
        "ko": "네, 그대로 두었습니다.",
        "en": "Nothing is changed.",
    }),
    Prompt("nothing_ordered", Place.MANAGE, {
        "zh-CN": "好，没有预约。",
        "ko": "네, 주문하지 않았습니다.",
        "en": "Nothing is ordered.",
    }),
    Prompt("nothing_to_rate", Place.MANAGE, {
        "zh-CN": "现在没有要评价的服务。",
        "ko": "지금 평가할 서비스가 없습니다.",
        "en": "There is nothing to rate now.",
    }),
    Prompt("rate_what", Place.MANAGE, {
        "zh-CN": "{day}的{service}，您觉得怎么样？",
        "ko": "{day} {service}, 어떠셨어요?",
        "en": "{service}, {day}: how was it?",
    }),
    Prompt("ask_score", Place.MANAGE, {
        "zh-CN": "最好按5，最差按1，请按1到5。",
        "ko": "아주 좋으면 5번, 아주 나쁘면 1번, 1에서 5까지.",
        "en": "5 is best, 1 is worst: press 1 to 5.",
    }),
    Prompt("ask_score_or_else", Place.MANAGE, {
        "zh-CN": "最好按5，最差按1，办别的事按8。",
        "ko": "아주 좋으면 5번, 아주 나쁘면 1번, 다른 일은 8번.",
        "en": "5 is best, 1 is worst, something else 8.",
    }),
    Prompt("score_readback", Place.MANAGE, {
        "zh-CN": "您给{score}。对按1，不对按2。",
        "ko": "{score}. 맞으면 1번, 아니면 2번.",
        "en": "{score}. Right 1, wrong 2.",
    }),
    Prompt("ask_word", Place.MANAGE, {
        "zh-CN": "有话请在滴声后说，说完按井号。",
        "ko": "하실 말씀은 삐 소리 후 하시고 우물 정자를 누르세요.",
        "en": "Anything to add? Speak after the tone, then press hash.",
    }),
    Prompt("rated", Place.MANAGE, {"zh-CN": "谢谢您，记下了。", "ko": "감사합니다.", "en": "Thank you."}),
    Prompt("rated_low", Place.MANAGE, {
        "zh-CN": "对不起，我们会给您打电话问一问。",
        "ko": "죄송합니다. 저희가 전화드리겠습니다.",
        "en": "We are sorry. We will ring you about it.",
    }),
    Prompt("ask_message", Place.MANAGE, {
        "zh-CN": "请在滴声后说，说完按井号。",
        "ko": "삐 소리 후 말씀하시고 우물 정자를 누르세요.",
        "en": "Speak after the tone, then press hash.",
    }),
    Prompt("message_noted", Place.MANAGE, {
        "zh-CN": "您的话记下了，有人会听。",
        "ko": "녹음했습니다. 직원이 듣겠습니다.",
        "en": "Your message is kept, a person will hear it.",
    }),
    Prompt("no_message", Place.MANAGE, {
        "zh-CN": "没有听到您的话。",
        "ko": "말씀이 녹음되지 않았습니다.",
        "en": "There was no message.",
    }),
    # What she orders again and again is offered first.
    Prompt("ask_usual", Place.MANAGE, {
        "zh-CN": "还是{day}{part}，{service}吗？",
        "ko": "이번에도 {day} {part}, {service}인가요?",
        "en": "{service} again, {day} {part}?",
    }),
    Prompt("usual_keys", Place.MANAGE, {
        "zh-CN": "要按1，别的按2。",
        "ko": "네 1번, 다른 것 2번.",
        "en": "Yes 1, something else 2.",
    }),
    # Words for where an order stands.
    Prompt("status_waiting", Place.PART, {"zh-CN": "正在安排", "ko": "준비 중", "en": "being arranged"}),
    Prompt("yesterday", Place.PART, {"zh-CN": "昨天", "ko": "어제", "en": "yesterday"}),
    Prompt("status_arranged", Place.PART, {"zh-CN": "安排好了", "ko": "정해졌습니다", "en": "arranged"}),
)  # fmt: skip
