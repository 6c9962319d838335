"""The service items, in the order of the telephone's menu: pages of four, then 8 for the next page."""

from __future__ import annotations

from models.vocabulary.concept import Service, also, name, said


def _item(code: str, place: str, names: tuple[str, str, str], *columns: str, **more: str | bool) -> Service:
    """Return one row: its place in the menu as page.key, its names, the phrases in Chinese, Korean, English."""
    page, key = place.split(".")
    return Service(
        code, key, name(*names), said(*columns), also(*columns), str(more.get("category", code)), int(page),
        person_only=bool(more.get("person_only")), sensitive=bool(more.get("sensitive")),
    )  # fmt: skip


SERVICES: tuple[Service, ...] = (
    _item("meals", "1.1", ("助餐", "식사 배달", "meals"),
          "送餐|助餐|送饭|订餐|订饭|吃饭|整点饭|整口饭|做饭|做顿饭|做点饭|弄点吃的|整点吃的|吃的|午饭|晚饭|早饭|盒饭|老年餐|饺子|饿了|做饭吃|热饭|饭菜",
          "식사|배달|밥|~점심|~아침밥|~저녁밥|도시락|식사 배달|반찬|음식|먹을 것",
          "meals|food|a meal|meal|lunch|dinner|breakfast|something to eat|cooking"),
    _item("bathing", "1.2", ("助浴", "목욕", "bathing"),
          "洗澡|助浴|搓澡|洗个澡|搓个澡|泡澡|泡个澡|冲个澡|洗洗澡|擦身子|擦身|沐浴|搓背",
          "목욕|샤워|때밀이",
          "bathing|a bath|bath|shower|a shower|a wash"),
    _item("cleaning", "1.3", ("助洁", "청소", "cleaning"),
          "打扫|收拾|助洁|打扫卫生|收拾屋子|收拾屋|收拾收拾屋子|保洁|搞卫生|扫地|拖地|擦玻璃|洗衣服|洗洗衣服|清洁|归拢屋子|拾掇屋子|拾掇拾掇|家政",
          "청소|빨래|설거지|집안일",
          "cleaning|clean|housework|clean the house|clean my house|laundry|wash the windows"),
    _item("accompaniment", "1.4", ("助医", "병원 동행", "going to the doctor"),
          "看病|医院|助医|去医院|陪诊|上医院|到医院|看大夫|看医生|陪我看病|陪我去医院|去看病|瞧病|挂号|取药|复查",
          "병원|병원 동행|진료|병원에 가|~의사 선생님|~같이 가 주세요|~데려다 주세요|동행",
          "hospital|doctor|the doctor|going to the doctor|see a doctor|clinic", category="medical_accompaniment", sensitive=True),
    _item("errands", "2.1", ("代办", "심부름", "errands"),
          "代办|跑腿|买菜|买点菜|没菜了|没米了|没面了|没油了|买东西|买点东西|买药|代购|买米|买面|交电费|交水费|交话费|缴费|取快递|拿快递|取包裹|助行|帮我买|捎点东西|跑个腿",
          "심부름|장보기|쇼핑|시장|약 사|물건",
          "errands|errand|shopping|groceries|buy something|pay a bill|pick up a parcel"),
    _item("repairs", "2.2", ("维修", "수리", "repairs"),
          "维修|修理|修东西|修水管|修水龙头|修灯|换灯泡|修电视|修电器|修马桶|修下水道|通下水道|通马桶|修门|修锁|换锁|修暖气|修冰箱|修洗衣机|水管漏了|漏水了|漏水|灯坏了|马桶堵了|下水道堵了|暖气不热|坏了|厕所堵了|堵了|不亮了|漏了|修理工|修一修",
          "수리|고장|고쳐|~전등",
          "repairs|repair|fix|a repair|broken|plumber|electrician|leaking|leaks|a leak"),
    _item("companionship", "2.3", ("陪聊", "말벗", "company"),
          "聊天|陪聊|说说话|说话|唠嗑|唠唠嗑|唠唠|解闷|解解闷|聊聊天|聊聊|陪我坐坐|陪陪我|有个伴|闷得慌|没意思|太闷了|孤单|没人说话|没人唠嗑|没人聊天",
          "말벗|이야기|대화|외로워|심심해|~심심해서",
          "company|talk|somebody to talk to|someone to talk to|a chat|lonely|companionship"),
    _item("health", "2.4", ("健康服务", "건강 관리", "health check"),
          "量血压|测血压|测血糖|量血糖|血压|血糖|体检|健康|健康服务|打针|换药|护士|护理|检查身体|查查身体",
          "건강|혈압|검진|간호사|주사|건강 검진",
          "health|blood pressure|health check|check up|nurse|injection", sensitive=True),
    _item("rehabilitation", "3.1", ("康复", "재활", "rehabilitation"),
          "康复|康复训练|做康复|理疗|按摩|推拿|针灸|做理疗|锻炼腿脚",
          "재활|물리 치료|재활 운동|치료|마사지",
          "rehabilitation|rehab|physiotherapy|therapy|massage|exercises", sensitive=True),
    _item("leisure", "3.2", ("文化娱乐", "여가", "leisure"),
          "文化娱乐|娱乐|打麻将|打牌|下棋|唱歌|跳舞|扭秧歌|看戏|听戏|书法|活动|老年大学|活动室",
          "여가|놀이|취미|노래 교실|장기|바둑|춤",
          "leisure|activities|cards|chess|singing|dancing|a club"),
    _item("day_care", "3.3", ("日间照料", "주간 보호", "day care"),
          "日间照料|日托|托老|托老所|照料中心|日间照料中心|白天照看|白天照顾|照看|照顾",
          "주간 보호|보호 센터|돌봄",
          "day care|day centre|day center|the centre"),
    _item("government", "3.4", ("政务咨询", "민원 상담", "government enquiry"),
          "政务咨询|咨询|问政策|办事|政策|补贴|养老金|低保|高龄津贴|退休金|医保|社保|办证|问个事",
          "민원|상담|민원 상담|연금|보조금|정책|동사무소",
          "government|enquiry|a question|pension|allowance|subsidy", person_only=True),
    _item("legal_aid", "4.1", ("法律援助", "법률 상담", "legal aid"),
          "法律援助|法律|律师|打官司|官司|遗嘱|立遗嘱|法律咨询",
          "법률|법률 상담|변호사|유언|소송",
          "legal aid|lawyer|a lawyer|legal|my will", person_only=True),
)  # fmt: skip
