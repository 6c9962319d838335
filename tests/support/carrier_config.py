"""The configuration of the Asterisk that plays the public telephone network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# Only what a telephone needs: it starts in a fraction of the time and memory of a full Asterisk.
_MODULES = (
    "app_audiosocket", "app_exec", "app_playback", "app_senddtmf", "app_stack", "app_verbose",
    "bridge_simple", "chan_pjsip", "codec_alaw", "codec_ulaw", "format_pcm", "format_wav", "func_callerid",
    "func_channel", "func_env", "func_logic", "func_strings", "pbx_config", "res_agi", "res_audiosocket",
    "res_pjproject", "res_pjsip", "res_pjsip_authenticator_digest", "res_pjsip_caller_id",
    "res_pjsip_dtmf_info", "res_pjsip_endpoint_identifier_ip", "res_pjsip_header_funcs", "res_pjsip_logger",
    "res_pjsip_nat", "res_pjsip_pubsub", "res_pjsip_rfc3326", "res_pjsip_sdp_rtp", "res_pjsip_session",
    "res_rtp_asterisk", "res_sorcery_astdb", "res_sorcery_config", "res_sorcery_memory", "res_speech",
    "res_timing_timerfd",
)  # fmt: skip

_INDICATIONS = """
[general]
country = cn
[cn]
description = China
ringcadence = 1000,4000
dial = 450
busy = 450/350,0/350
ring = 450/1000,0/4000
congestion = 450/700,0/700
"""


@dataclass(frozen=True)
class Account:
    """A carrier that asks who rings, as Twilio's Elastic SIP Trunking does: name, password, and a number it knows.

    It challenges each INVITE, takes nothing but E.164 with its +, and refuses (403) any other number that is shown.
    """

    user: str
    password: str
    caller_id: str


@dataclass(frozen=True)
class Places:
    """Where everything listens, and how calls are made."""

    sip: int
    ami: int
    agi: int
    audio: int
    rtp: tuple[int, int]
    secret: str
    folder: Path
    codecs: tuple[str, ...] = ("alaw",)
    dtmf: str = "rfc4733"
    account: Account | None = None


def configuration(places: Places) -> dict[str, str]:
    """All files but asterisk.conf."""
    return {
        "modules.conf": "[modules]\nautoload = no\n" + "".join(f"load = {name}.so\n" for name in _MODULES),
        "logger.conf": "[general]\ndateformat = %T.%3q\n[logfiles]\nmessages => notice,warning,error,verbose\n",
        "manager.conf": _manager(places),
        "rtp.conf": "[general]\nstrictrtp = no\nicesupport = no\n"
        f"rtpstart = {places.rtp[0]}\nrtpend = {places.rtp[1]}\n",
        "pjsip.conf": _pjsip(places),
        "extensions.conf": _dialplan(places),
        "stasis.conf": "[taskpool]\nminimum_size = 1\ninitial_size = 1\n",
        # Empty files, so that nothing complains about their absence.
        **dict.fromkeys(("features.conf", "cdr.conf", "cel.conf", "acl.conf", "udptl.conf", "ccss.conf"), ""),
        "pjproject.conf": "",
        "sorcery.conf": "",
        "indications.conf": _INDICATIONS,
    }


def _manager(places: Places) -> str:
    events = ("Hangup", "Newstate", "FullyBooted")
    filters = "".join(f"eventfilter(action(include),name({name})) =\n" for name in events)
    return (
        f"[general]\nenabled = yes\nwebenabled = no\nbindaddr = 127.0.0.1\nport = {places.ami}\n"
        f"[carrier]\nsecret = {places.secret}\nread = system,call\n"
        f"write = system,call,originate,command\n{filters}"
    )


def _pjsip(places: Places) -> str:
    return f"""
[global]
type = global
endpoint_identifier_order = ip
user_agent = public-network
[system]
type = system
; A long name must not turn the call from UDP to TCP.
disable_tcp_switch = yes
[udp]
type = transport
protocol = udp
bind = 127.0.0.1:{places.sip}
[hotline]
type = endpoint
transport = udp
context = called
disallow = all
allow = {",".join(places.codecs)}
dtmf_mode = {places.dtmf}
media_address = 127.0.0.1
bind_rtp_to_media_address = yes
direct_media = no
rtp_symmetric = yes
trust_id_inbound = yes
trust_id_outbound = yes
; The dialplan writes P-Asserted-Identity itself: stories need it to differ from From.
send_pai = no
send_rpid = no
{_account(places.account)}
[hotline]
type = identify
endpoint = hotline
match = 127.0.0.1
"""


def _account(account: Account | None) -> str:
    if account is None:
        return ""
    return f"""auth = account
[account]
type = auth
auth_type = digest
username = {account.user}
password = {account.password}
"""


def _takes(account: Account | None) -> str:
    """Which numbers may be rung, and what has to be shown with it."""
    if account is None:
        return "exten => _[+0-9*#]!,1,NoOp()"
    wrong = f'$["${{CALLERID(num)}}" != "{account.caller_id}"]'
    return f"exten => _+X!,1,ExecIf({wrong}?Hangup(21))"


def _dialplan(places: Places) -> str:
    return f"""
[general]
static = yes
writeprotect = yes

; The hotline rings a number: Python says what this telephone does.
[called]
{_takes(places.account)}
 same => n,AGI(agi://127.0.0.1:{places.agi}/called)
 same => n,Hangup()
exten => _[a-zA-Z][a-zA-Z0-9]!,1,Goto(+${{EXTEN}},1)

; A telephone rings the hotline: how it shows itself, before the INVITE leaves.
; Channel variables are not set yet, so all values lie in files named by the extension.
[showing]
exten => _call-.,1,Set(CONNECTEDLINE(num,i)=${{FILE({places.folder}/${{EXTEN}}/number)}})
 same => n,Set(CONNECTEDLINE(name,i)=${{FILE({places.folder}/${{EXTEN}}/name)}})
 same => n,Set(CONNECTEDLINE(pres)=${{FILE({places.folder}/${{EXTEN}}/presentation)}})
 same => n,Set(LOCAL(identity)=${{FILE({places.folder}/${{EXTEN}}/identity)}})
 same => n,Set(LOCAL(privacy)=${{FILE({places.folder}/${{EXTEN}}/privacy)}})
 same => n,ExecIf($[${{LEN(${{identity}})}}]?Set(PJSIP_HEADER(add,P-Asserted-Identity)=${{identity}}))
 same => n,ExecIf($[${{LEN(${{privacy}})}}]?Set(PJSIP_HEADER(add,Privacy)=${{privacy}}))
 same => n,Return()

; The hotline has answered: the sound goes to Python and comes from there.
[answered]
exten => s,1,AudioSocket(${{AUDIO_ID}},127.0.0.1:{places.audio})
 same => n,Hangup()
"""
