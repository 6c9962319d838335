"""The list of text messages, and the carrier's reports of what became of them."""

from __future__ import annotations

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import select
from twilio.request_validator import RequestValidator
from werkzeug.wrappers import Response as BaseResponse

from agents.accounts import record
from agents.texts import SHOWN, sms_lines
from dispatch import send_sms, sms
from dispatch.outbox import transaction
from dispatch.sms_gateways import CarrierSms
from dispatch.twilio_sms import report_url, status_of
from models import clock
from models.session import read
from models.settings import settings
from models.sms import SmsMessage, SmsStatus
from models.users import Role
from web.access import allow, open_to_everybody, user_row
from web.desk_deeds import order_page

routes = Blueprint("texts", __name__)

# What the list can be narrowed to.
GROUPS = {
    "waiting": (SmsStatus.QUEUED, SmsStatus.SENDING),
    "trouble": (SmsStatus.UNKNOWN, SmsStatus.UNDELIVERED, SmsStatus.FAILED),
}
SIGNATURE = "X-Twilio-Signature"


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Register both. A carrier has no form of ours: its signature takes the token's place."""
    csrf.exempt(twilio)  # type: ignore[no-untyped-call]
    app.register_blueprint(routes)


@routes.get("/texts")
@allow(Role.AGENT)
def texts() -> str:
    """Show the newest text messages, or those that wait, or that did not arrive."""
    group = request.args.get("group", "")
    with read() as db:
        lines = sms_lines(db, *([SmsMessage.status.in_(GROUPS[group])] if group in GROUPS else []))
    return render_template("texts.html", lines=lines, group=group, groups=list(GROUPS), shown=SHOWN, now=clock.now())


@routes.post("/texts/<public_id>/again")
@allow(Role.AGENT)
def again(public_id: str) -> BaseResponse | tuple[str, int]:
    """Send a message that did not arrive once more; pressed twice, it goes once."""
    try:
        with transaction() as db:
            new = sms.send_again(db, public_id, clock.now())
            order = new.order.public_id
            record(db, user_row(db), "sms_again", ("order", new.order_id), clock.now())
    except KeyError:
        abort(404)
    except sms.NotAgain as error:
        with read() as db:
            message = db.scalars(select(SmsMessage).where(SmsMessage.public_id == public_id)).one()
            order = message.order.public_id
        return order_page(order, f"sms_{error.code}"), 409
    return redirect(url_for("records.order", public_id=order), 303)


@routes.post("/twilio/sms/<public_id>")
@open_to_everybody
def twilio(public_id: str) -> tuple[str, int]:
    """Take Twilio's report of a message; safe to repeat, in any order."""
    if not _is_from_twilio(public_id):
        abort(403)
    sid, word = request.form.get("MessageSid", ""), request.form.get("MessageStatus", "")
    if not sid or not word or len(sid) > 64:
        abort(400)
    told = CarrierSms(sid, "", "", status_of(word), request.form.get("ErrorCode", "")[:32] or None)
    with transaction() as db:
        message_id = db.scalar(select(SmsMessage.id).where(SmsMessage.public_id == public_id))
        if message_id is None:
            abort(404)
        send_sms.heard(db, message_id, told, clock.now())
    return "", 204


def _is_from_twilio(public_id: str) -> bool:
    """Whether the signature is right for the address that we have told Twilio, and the account is ours.

    The address comes from the settings: what a proxy, or somebody else, says of it in headers is not asked.
    """
    chosen = settings()
    if not (chosen.twilio_token and chosen.public_url):
        abort(404)
    url = report_url(public_id) + (f"?{request.query_string.decode()}" if request.query_string else "")
    given = request.headers.get(SIGNATURE, "")
    validator = RequestValidator(chosen.twilio_token)  # type: ignore[no-untyped-call]
    signed: bool = validator.validate(url, request.form, given)  # type: ignore[no-untyped-call]
    return signed and request.form.get("AccountSid") == chosen.twilio_account
