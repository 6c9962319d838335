"""The recording studio on the telephone, for staff."""

from __future__ import annotations

from ivr.prompts.entry import Place, Prompt

PROMPTS = (
    Prompt("studio_code", Place.STUDIO, {
        "zh-CN": "录音室。请输入控制台上的六位号码。",
        "ko": "녹음실입니다. 화면의 여섯 자리 번호를 누르세요.",
        "en": "Recording studio. Enter the six digits of the console.",
    }),
    Prompt("studio_wrong_code", Place.STUDIO, {
        "zh-CN": "号码不对，或者已经过期。",
        "ko": "번호가 틀렸거나 기한이 지났습니다.",
        "en": "This code is wrong or has expired.",
    }),
    Prompt("studio_record", Place.STUDIO, {
        "zh-CN": "请在滴声后朗读，读完按井号。",
        "ko": "삐 소리 후 읽으시고 우물 정자를 누르세요.",
        "en": "Read after the tone, then press the hash key.",
    }),
    Prompt("studio_choice", Place.STUDIO, {
        "zh-CN": "试听按1，保存按2，重录按3，找人按0。",
        "ko": "듣기 1번, 저장 2번, 다시 녹음 3번, 상담원 0번.",
        "en": "Listen 1, keep 2, again 3, a person 0.",
    }),
    Prompt("studio_kept", Place.STUDIO, {
        "zh-CN": "保存好了，现在就用这一条。再见。",
        "ko": "저장했습니다. 지금부터 사용합니다. 안녕히 계세요.",
        "en": "It is kept, and callers hear it from now on. Goodbye.",
    }),
    Prompt("studio_waits", Place.STUDIO, {
        "zh-CN": "保存好了，但这种语言还不完整，暂时不用。",
        "ko": "저장했지만 이 언어가 아직 완전하지 않아 사용하지 않습니다.",
        "en": "It is kept, but waits: the language is not complete.",
    }),
    Prompt("studio_no_sound", Place.STUDIO, {
        "zh-CN": "什么也没录到。",
        "ko": "아무 소리도 녹음되지 않았습니다.",
        "en": "Nothing was recorded.",
    }),
    Prompt("studio_too_short", Place.STUDIO, {
        "zh-CN": "太短了。",
        "ko": "너무 짧습니다.",
        "en": "That was too short.",
    }),
    Prompt("studio_too_long", Place.STUDIO, {
        "zh-CN": "太长了，请只读那一句。",
        "ko": "너무 깁니다. 그 문장만 읽으세요.",
        "en": "That was too long. Read only the sentence.",
    }),
    Prompt("studio_too_quiet", Place.STUDIO, {
        "zh-CN": "声音太小，请靠近话筒。",
        "ko": "소리가 작습니다. 가까이 대고 말씀하세요.",
        "en": "That was too quiet. Speak closer.",
    }),
    Prompt("studio_clipped", Place.STUDIO, {
        "zh-CN": "声音太大，破音了，请离远一点。",
        "ko": "소리가 깨집니다. 조금 떨어져서 말씀하세요.",
        "en": "That was too loud. Speak from further away.",
    }),
)  # fmt: skip
