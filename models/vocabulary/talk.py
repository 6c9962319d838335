"""What is said beside services and times: intents, answers, who, how good, which one; and what is always understood."""

from __future__ import annotations

from itertools import product

from models.vocabulary.concept import Concept, Phrases, also, concept, said

# Understood in every turn, whatever was asked. Emergency is looked for first, anywhere in what she says.
ALWAYS: tuple[Concept, ...] = (
    concept("emergency", "9", ("紧急救援", "응급", "emergency"),
            "救命|急救|摔倒了|紧急|救救我|摔倒|摔了一跤|摔跤了|摔着了|摔了|跌倒了|卡倒了|起不来了|起不来|站不起来|爬不起来|动不了了|动弹不了"
            "|喘不上气|喘不过气|上不来气|胸口疼|心口疼|心脏疼|心脏难受|胸闷|晕倒了|昏倒了|昏过去了|不省人事|没有知觉|中风了|半身不能动"
            "|着火了|起火了|失火了|煤气漏了|煤气泄漏|漏煤气|煤气味|煤气中毒|救护车|打120|打一二零|流血了|流了好多血|快不行了|要死了|疼死了"
            "|噎着了|卡住嗓子了|有人闯进来|有贼|报警|摔地上|摔在地上|摔地下|倒在地上|倒地上|摔坏了|摔伤了|晕过去|昏迷|抽搐|抽过去|喘不过来气|憋得慌|说不出话"
            "|嘴歪了|坏人|抢劫|触电|过电了|冒烟了|烧起来了|喝农药|不想活|跳楼|叫120|幺二零|一二零|煤气中毒了|烫伤了|没气了|叫不醒|喊不醒|没呼吸了|快来人|流血不止|出血不止"
            "|心脏病犯了|心脏病发作|磕破头|头磕破|血止不住|止不住血|喘不上来气|胸口闷|嘴也歪|半边身子不好使|半边身子不能动|半边身子麻|吃错药|吃了一大把药|活着没意思|有人砸门|有人撬门|撬门|没动静了|不喘气|家里冒烟|屋里冒烟|屋里着火|家里着火",
            "응급|살려 주세요|도와줘|사람 살려|구급차|살려줘|~도와 주세요|가슴 아파|~가슴이 아파|숨 막혀|숨을 못 쉬|못 일어나|넘어졌|쓰러졌"
            "|불 났|불이 났|가스 냄새|가스 새|~피가 나|구급|응급실|~불이야|~119|~일일구|심장마비|~안 깨어나|~숨을 안 쉬|~숨 안 쉬|~약을 잘못|~약을 너무|~죽고 싶|~도둑이|의식이 없|정신을 잃",
            "help|emergency|ambulance|i fell|i have fallen|i fell down|fallen|can't get up|cannot get up|can not get up|can't breathe"
            "|cannot breathe|can not breathe|chest pain|my chest hurts|heart attack|stroke|fire|gas leak|smell gas|bleeding|choking"
            "|pains in my chest|pain in my chest|chest hurts|had a fall|has fallen|fell over|too many pills|wrong pills|overdose|breaking in|broken in|burglar|don't want to live|do not want to live|want to die|kill myself|collapsed|not waking up|won't wake up|will not wake up|not breathing|unconscious|passed out|fainted"),
    concept("person", "0", ("人工", "상담원", "a person"),
            "人工|找人|接线员|人工服务|转人工|找个人|找真人|真人|不得劲|不得劲儿|身上不得劲|找人说话|接人工|找工作人员|叫个人来听|客服|不舒服|难受|头晕|头疼|肚子疼|发烧|疼得厉害|不会按|按不了|不会用|找领导"
            "|找你们领导|你们领导|找负责人|找主任|找经理",
            "상담원|사람|사람 바꿔|사람 바꿔 주세요|~사람 좀 바꿔|~사람 좀 바꿔 주세요|~사람 바꿔줘|사람 연결|직원|상담원 연결", "a person|person|operator|a real person|talk to a real person|talk to a person|talk to an operator|agent|a human|somebody|real person|speak to somebody"),
    concept("repeat", "*", ("再说一遍", "다시", "repeat"),
            "再说一遍|刚才说啥|你刚才说啥|刚才说什么|你刚才说什么|没听清|没听见|没听清楚|再说一次|再讲一遍|你说啥|说啥|你说什么|听不见|听不清|啥|啥呀|说什么|重复|重复一遍|大点声|大声点|慢点说|慢一点说|不明白|没听明白|耳朵背|听不懂|听不着",
            "다시|뭐라고|안 들려|다시 말해|못 들었|뭐", "repeat|again|pardon|say again|say that again|what|sorry|i can't hear you"),
)  # fmt: skip

ANSWERS: tuple[Concept, ...] = (
    concept("yes", "1", ("对", "네", "yes"),
            "对|是的|好的|行|中|好|是|嗯|可以|没错|对的|对对|好吧|行啊|成|妥|妥了|对呀|对啊|就这样|就这么定|就这么定了|没问题|要得|是呀|是啊|嗯呐|嗯哪",
            "네|좋아요|예|~맞아요|그래|그래요|~맞습니다|그렇게 해", "yes|right|okay|ok|yeah|correct|that's right|that is right|yes please|sure|fine"),
    concept("no", "2", ("不对", "아니요", "no"),
            "不对|不是|不要|不行|不可以|不|不好|错了|时间不对|日子不对|天不对|不用|不用了|不成|不中|没有|别|算了|不是的|弄错了|搞错了|说错了",
            "아니요|아니|~아니에요|틀려|아닙니다|싫어", "no|wrong|not right|no thanks|no thank you|nope|that's wrong"),
)  # fmt: skip


def _each(*columns: str) -> str:
    """Return every way through the columns: 给我妈, 替我妈, …; with a word marked `~` in it, it is left to `also`."""
    ways = ["".join(way) for way in product(*(column.split("|") for column in columns))]
    return "|".join(f"~{way.replace('~', '')}" if "~" in way else way for way in ways)


INTENTS: tuple[Concept, ...] = (
    concept("status", "1", ("查进度", "진행 확인", "status"),
            "查进度|啥时候来|什么时候来|啥时候能来|什么时候能来|什么时候到|几点来|多咱来|多会儿来|怎么还没来|咋还没来|还没来|没人来|到哪了|到哪儿了|查订单|查一下订单|订单查询|我的订单|安排了吗|安排好了吗|安排好没|定好了吗|有没有人来|派人了吗|来不来|到没到|来没来|送没送|怎么还没到|咋还没到|送来没|几点到",
            "주문 확인|언제 오|언제 와|확인|왜 안 와|어디까지|아직 안 와|진행",
            "status|my order|when are they coming|when is she coming|when is he coming|where is|nobody came|check my order|what about my order"),
    concept("change", "2", ("改时间", "변경", "change"),
            "改时间|改|改一下|改个时间|换个时间|换时间|改天|换一天|换一下|改到|改成|换成|换到|挪到|推到|推迟|提前|延后|往后推|改日子|变一下|更改|修改|晚一天|早一天|往后挪|换个日子|往前提|调一下时间",
            "변경|바꿔|바꿔 주세요|시간 변경|다른 날|다른 시간|미뤄|날짜 변경",
            "change|change the time|another day|another time|reschedule|move it|move|change my order|postpone"),
    concept("cancel", "3", ("取消", "취소", "cancel"),
            "取消|退了|退掉|取消订单|不用来了|别来了|不要了|不去了|不来了|不做了|不洗了|不订了|不定了|不弄了|别送了|不用送了|甭来了|撤了|撤销|不想要了|不吃了",
            "취소|~취소해|~취소해 주세요|오지 마세요|오지 마|~안 와도|필요 없어|그만",
            "cancel|cancel it|cancel my order|don't come|do not come|call it off|i don't need it|don't need it|do not need it"),
    concept("rate", "4", ("评价", "평가", "rate"),
            "评价|打分|评分|提意见|投诉|表扬|反映问题|给个好评|不满意|提个意见",
            "평가|점수|불만|칭찬|의견", "rate|rating|review|complaint|complain|feedback"),
    concept("message", "5", ("留言", "메시지", "leave a message"),
            "留言|留个言|留个话|留句话|捎个话|捎话|带个话|转告|录个音|留个信儿",
            "메시지|전해 줘|말씀 전해|남겨|녹음", "message|leave a message|a message|tell them|voicemail"),
    concept("usual", "6", ("老样子", "늘 하던 대로", "the usual"),
            _each("和|~跟|~像|~照|~按|~还要", "上周|上次|上回|上个星期|上个礼拜|上礼拜|上星期|以前|往常|平时|每次|过去", "一样|~那样|~的|~那样的")
            + "|老样子|还那样|照旧|照常|照老样子|一样的|还是一样|照上次|还要上次的|还是上次那样",
            "늘 하던 대로|하던 대로|지난번 처럼|지난주 처럼|~똑같이|항상 하던 대로|그대로|~지난번과 같이",
            "the usual|usual|as usual|same as last week|same as last time|the same|like last time|same as always|same again"),
    concept("behalf", "7", ("替别人订", "대신 신청", "for somebody else"),
            _each("给|~替|~帮|~为", "我妈|我爸|我妈妈|我爸爸|我母亲|我父亲|我老伴儿|我老伴|我奶奶|我爷爷|我姥姥|我姥爷|我婆婆|我公公|我丈母娘|邻居|老人|别人"
                        "|家里老人|我家老人|我家老头|我家老太太|俺妈|俺爸|俺老伴儿|他奶奶|他爷爷"),
            "어머니 대신|아버지 대신|엄마 대신|우리 엄마|우리 아버지|우리 어머니|어머니께|대신",
            "for my mother|for my father|for my wife|for my husband|for somebody else|for someone else|for my neighbour|for my grandmother|for my grandfather|on behalf of"),
    concept("more", "8", ("其他", "다른 것", "more"),
            "其他|别的|还有啥|还有什么|还有别的吗|还有吗|其它|其他的|其他服务|下一页|别的服务",
            "다른|다른 것|또 뭐|다음", "more|other|others|something else|what else|anything else|next page"),
    concept("goodbye", "", ("没事了", "끝", "goodbye"),
            "没事了|没事儿了|没有了|没别的事了|再见|拜拜|挂了|就这些|就这样吧|谢谢再见|没啥事了|没啥事|回见|先挂了|没事|那行再见|没了",
            "안녕히 계세요|됐어|없어요|없습니다|끊어|그만 됐어|~들어가세요", "goodbye|bye|bye bye|never mind|oh never mind|that's all|that is all|nothing|nothing else|that will be all"),
)  # fmt: skip

# How good it was, by her own word: 5 very good … 1 very bad.
SCORES: tuple[Concept, ...] = (
    concept("1", "1", ("很不好", "아주 나빠요", "very bad"),
            "很不好|非常不好|很不满意|非常不满意|太不满意了|太差了|差极了|一分|特别不好|最差|糟透了|太不像话|极差", "아주 나빠|최악|일 점|매우 나빠", "very bad|terrible|awful|one"),
    concept("2", "2", ("不好", "별로예요", "bad"),
            "不好|不太好|不咋地|不咋样|不怎么样|差|差点意思|两分|二分|不满意|不太满意|不怎么满意|不是很满意|不是很好|不大满意|不大好|不行|不中", "별로|안 좋아|나빠|이 점|나쁘", "bad|not good|not so good|not very good|not satisfied|poor|two"),
    concept("3", "3", ("一般", "보통이에요", "so so"),
            "一般|一般般|还行|凑合|马马虎虎|三分|还可以|过得去|将就", "보통|그저 그래|삼 점", "so so|all right|average|okay|three|not bad"),
    concept("4", "4", ("好", "좋아요", "good"),
            "好|挺好|不错|好的|满意|四分|挺好的|还不错|蛮好|挺满意|行", "좋아요|좋아|사 점|만족", "good|well|four|quite good|satisfied"),
    concept("5", "5", ("很好", "아주 좋아요", "very good"),
            "很好|非常好|太好了|五分|特别好|好极了|杠杠的|老好了|很满意|非常满意|满分|贼好|十分满意|最好", "아주 좋아|매우 좋아|최고|오 점|매우 만족", "very good|excellent|great|wonderful|five|perfect"),
)  # fmt: skip

# Who of a household is calling, or for whom.
WHO: tuple[Concept, ...] = (
    concept("grandmother", "1", ("奶奶", "할머니", "the grandmother"),
            "奶奶|姥姥|老太太|婆婆|我是奶奶|大娘|大妈", "할머니|제가 할머니", "grandmother|the grandmother|mrs|grandma|the lady"),
    concept("grandfather", "2", ("爷爷", "할아버지", "the grandfather"),
            "爷爷|姥爷|老头|老头儿|老头子|公公|老爷子|我是爷爷|大爷", "할아버지|영감", "grandfather|the grandfather|mr|grandpa|the gentleman"),
    concept("self", "3", ("我自己", "본인", "myself"),
            "我自己|我|本人|自己|就是我|我本人|我自个儿|自个儿|给我自己", "본인|저|제가|~저요|나", "myself|me|it's me|it is me|for me|for myself"),
    concept("spouse", "4", ("老伴儿", "배우자", "my husband or wife"),
            "老伴儿|老伴|我老伴|我老伴儿|老婆|老公|老婆子|我家老头|我家老太太|媳妇|丈夫|妻子", "배우자|남편|아내|집사람|마누라",
            "husband|wife|my husband|my wife|spouse"),
    concept("mother", "5", ("妈妈", "어머니", "my mother"),
            "妈妈|我妈|母亲|我母亲|老妈|我妈妈|妈", "어머니|엄마|우리 어머니|우리 엄마", "mother|my mother|mum|mom|my mum"),
    concept("father", "6", ("爸爸", "아버지", "my father"),
            "爸爸|我爸|父亲|我父亲|老爸|我爸爸|爸|老爹", "아버지|아빠|우리 아버지", "father|my father|dad|my dad"),
    concept("other", "7", ("别人", "다른 사람", "somebody else"),
            "别人|邻居|其他人|别的人|给别人|都不是|亲戚|朋友", "다른 사람|이웃|친구", "somebody else|someone else|neighbour|neither|none of them|a friend"),
)  # fmt: skip

# What of a request she wants otherwise, at read-back.
SLOTS: tuple[Concept, ...] = (
    concept("service", "1", ("服务", "서비스", "the service"),
            "服务|项目|服务项目|服务不对|项目不对|事儿不对|换服务|换个服务", "서비스|서비스 변경|내용", "the service|service"),
    concept("day", "2", ("日子", "날짜", "the day"),
            "日子|日期|哪天|天|日子不对|日期不对|换日子|改日子|换一天|那天不行|那天不对", "날짜|날|요일|다른 날", "the day|day|date|the date"),
    concept("part", "3", ("时间", "시간", "the time"),
            "时间|钟点|几点|时间不对|点不对|时候|改时间|换时间|换个时间|改点", "시간|시각|다른 시간", "the time|time|hour"),
)  # fmt: skip

# Which of the orders that were read out.
ORDINALS: tuple[Concept, ...] = (
    concept("1", "1", ("第一个", "첫 번째", "the first"), "第一个|头一个|第一|第一单|一号", "첫 번째|첫째|하나", "the first|first|first one|the first one|number one"),
    concept("2", "2", ("第二个", "두 번째", "the second"), "第二个|第二|第二单|二号", "두 번째|둘째|둘", "the second|second|second one|the second one|number two"),
    concept("3", "3", ("第三个", "세 번째", "the third"), "第三个|第三|第三单|三号", "세 번째|셋째|셋", "the third|third|third one|the third one|number three"),
    concept("4", "4", ("第四个", "네 번째", "the fourth"), "第四个|第四|第四单|四号|最后一个", "네 번째|넷째|넷|마지막", "the fourth|fourth|fourth one|the last one|the last"),
)  # fmt: skip

# Said between the words that matter; understood as nothing.
_LITTLE = (
    "我|我要|我想|要|想|给|给我|来|来个|请|帮|帮我|帮忙|一下|一个|个|吧|啊|呀|呢|哎|嗯|那|那个|就|的|了|喂|你好|您好|谢谢|麻烦|需要|订|预约|约"
    "|找|去|得|能|能不能|可以|师傅|姑娘|同志|还是|再|有|到家|上门|人|让人|派人|叫人|到|和|跟|家里|我家|想要|还|也|在|来人|是|闺女"
    "|老师|小伙子|说|我说|就是|这个|次|顿|给我家|上次|上回|这次|那天|服务|俺|俺要|俺想|呗|整|那啥|快一点|早一点|晚一点|快点|早点|不过|但是|可是|都|~千万|~先",
    "에|로|으로|요|주문|좀|주세요|을|를|은|는|이|가|해|해 주세요|해줘|하고|하고 싶어요|싶어요|부탁해요|예약|신청|여보세요|저|제|저기|그|제가"
    "|부탁|할게요|해요|예요|입니다|에서|때|쯤|와|과|도|어|음|하는|할|거|받고|안녕하세요|오세요|와 주세요|~저는|~부탁합니다|~이요|~원해|~근데|~그런데|~하지만",
    "please|i|i'd|would|like|want|need|to|a|an|the|for|me|my|some|have|get|book|order|can|could|you|do|at|on|in|of|and|is"
    "|it|i'm|am|er|um|uh|hello|hi|thank|thanks|just|it's|will|be|with|come|home|round|around|about|send|someone|take|so"
    "|well|we|us|let's|make|that|this|arrange|but",
)
LITTLE: Phrases = said(*_LITTLE)
LITTLE_ALSO: Phrases = also(*_LITTLE)

# Before (Korean: after) what she does not want: "不要洗澡" is no order.
_DENY = (
    "不要|不用|别|甭|不想|不是|不需要|不去|不|没|没有|不做|不能|不必|不打算|没订|没要|不可以|不许|不准|不会|不愿意|不同意|不应该|不该|没想|没打算",
    "말고|~말구|~아니고|안|못|싫어|~빼고|~필요없|~없이|하지 마세요|하지 마|하지 말아요|하지 말고|하지 않|~하지 마라|~안 할래요|~안 할래|~안 할게요|~안 돼요|~안 돼|~하면 안 돼",
    "no|not|don't|do not|doesn't|without|instead of|never|rather than|isn't|won't",
)
DENY: Phrases = said(*_DENY)
DENY_ALSO: Phrases = also(*_DENY)

# What is said near a telephone and asks for nothing: told apart from the phrases that are in it.
DECOYS: Phrases = said(
    "我想想|想想再|想想再说|让我想想|考虑考虑|合计合计|吃饭了吗|吃了吗|吃饭了没|吃了没|您拨打的|正在通话中|请稍后再拨|对不起",
    "밥 먹었",
    "how are you",
)
