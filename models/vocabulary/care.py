"""What she answers to "how are you": the words of a care visit."""

from __future__ import annotations

from models.vocabulary.concept import Concept, concept

FEEL: tuple[Concept, ...] = (
    concept("well", "1", ("平安", "좋아요", "well"),
            "好|挺好|挺好的|都好|都挺好|还行|还可以|不错|很好|好着呢|好得很|平安|没啥事|没事|没事儿|都还好|还好|身体挺好",
            "좋아요|네|~괜찮아요|~잘 지내요|예|~잘 있어요",
            "well|i am well|i'm well|fine|i am fine|i'm fine|good|very well|all right|not bad"),
    concept("need", "2", ("有需要", "부탁이 있어요", "needs something"),
            "有事|有点事|有点儿事|有点事儿|需要|我需要|有需要|需要点东西|有件事|有个事|求你个事|想麻烦你们",
            "부탁|필요|~부탁이 있어요|~필요해요",
            "i need something|need something|there is something|something|a favour"),
    concept("help", "3", ("需要帮助", "도움", "needs help"),
            "帮帮我|帮我一把|不好|不太好|不大好|很不好|要帮助|我要帮助|帮助",
            "도움|~안 좋아요|~도움이 필요해요",
            "not well|i am not well|i'm not well|not good|bad|very bad"),
)  # fmt: skip
DOSE: tuple[Concept, ...] = (
    concept("none", "3", ("不用吃药", "약 없음", "no medicine"),
            "不用吃药|没有药|不吃药|没药|不用吃|没开药", "약 없|~약이 없어요|약 안",
            "none|no medicine|i take none|i don't take any|i have none"),
)  # fmt: skip
# "A chat" is the service companionship, and heard as that.
COMPANY: tuple[Concept, ...] = (
    concept("visit", "1", ("来看看", "방문", "a visit"),
            "来看看我|来看看|来看我|上门|来人看看|来家里|来一趟|来人", "방문|~와 주세요|~집에 와", "a visit|visit|come and see me|come round"),
    concept("no", "3", ("不用", "필요 없음", "neither"),
            "不用|不用了|都不用|不要|不需要|不必|没有|没有了", "아니요|아니|~괜찮아요|필요 없", "neither|no|no thanks|no thank you|not now"),
)  # fmt: skip
NEED: tuple[Concept, ...] = (
    concept("service", "1", ("订服务", "서비스", "a service"), "订服务|服务|要服务|订个服务|要订服务", "서비스|주문", "a service|service|order something"),
    concept("later", "3", ("先不用", "나중에", "not now"),
            "先不用|不用|不用了|以后再说|等等再说|先不", "나중에|아니요", "not now|later|no|no thanks"),
)  # fmt: skip
# "Have you eaten?" is answered with the verb as often as with yes.
ATE: tuple[Concept, ...] = (
    concept("yes", "1", ("是", "네", "yes"),
            "吃了|吃过了|吃完了|暖和|挺暖和|热乎|热乎着呢|受得了|还受得了|对|是的|好|是|嗯|行|吃啦|吃过|是啊|嗯呐",
            "네|예|~먹었어요|따뜻|좋아요", "yes|i have|i did|yes i have|it is|warm|yeah"),
    concept("no", "2", ("没有", "아니요", "no"),
            "没吃|还没吃|没吃呢|没有|没|忘了|忘吃了|冷|挺冷|太冷了|不暖和|冻人|受不了|难受得很|不|不是",
            "아니요|아니|~안 먹었어요|추워", "no|not yet|i have not|i haven't|i did not|i forgot|cold|it is cold|it's cold"),
)  # fmt: skip
