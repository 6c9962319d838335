"""What text messages say, by template and language. Names of services and parts of the day come from the vocabulary.

Carriers in China approve each template beforehand, and none may have a link in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.vocabulary.concept import Words, name

# {address} and {elder} stand only in what is sent after a provider has accepted.
TEMPLATES: Mapping[str, Words] = {
    # To the provider that has accepted.
    "hand_over": name(
        "【12349】工单{number}：{day}{part}，{service}，{elder}，{address}{needs}。到达和完成时请用老人家的电话拨12349报到。",
        "[12349] 주문 {number}: {day} {part}, {service}, {elder}, {address}{needs}. 도착과 완료는 어르신 댁 전화로 12349에 알려 주세요.",
        "12349: order {number}, {day} {part}, {service}, {elder}, {address}{needs}. Report arrival and end from her telephone to 12349.",
    ),
    # Stands in {needs}, where there are any.
    "needs": name("，请注意：{text}", ". 주의: {text}", ". Please note: {text}"),
    # To a contact who may hear of her orders.
    "comes": name(
        "【12349】{elder}的工单{number}：{day}{part}，{provider}上门，{service}。有事请拨12349。",
        "[12349] {elder} 님 주문 {number}: {day} {part}, {provider}, {service}. 문의는 12349.",
        "12349: order {number} of {elder}: {provider} comes {day} {part}, {service}. Questions: dial 12349.",
    ),
    # To the elder herself.
    "confirmed": name(
        "【12349】您的工单{number}已记下：{day}{part}，{service}。要改请拨12349。",
        "[12349] 주문 {number}이 접수되었습니다: {day} {part}, {service}. 변경은 12349.",
        "12349: your order {number} is noted: {service}, {day} {part}. To change it dial 12349.",
    ),
    "reminder": name(
        "【12349】提醒您：{day}{part}，{provider}上门，{service}，工单{number}。要改请拨12349。",
        "[12349] 알림: {day} {part}, {provider}, {service}, 주문 {number}. 변경은 12349.",
        "12349: a reminder: {provider} comes {day} {part}, {service}, order {number}. To change it dial 12349.",
    ),
    # Stands for {service} where the reader may not hear of her health.
    "service": name("上门服务", "방문 서비스", "a service"),
    # Stands for {address} where there is none yet.
    "no_address": name("地址请拨12349问", "주소는 12349에 문의", "ask 12349 for the address"),
}  # fmt: skip
