"""All tables, imported for their side effect on the metadata."""

from models.amendments import ElderChange, ElderMerge
from models.audio import Audio
from models.base import Base
from models.calls import Call, CallEvent, Utterance
from models.campaigns import (
    CallRule,
    Campaign,
    CampaignEvent,
    CareAnswer,
    CareVisit,
    Escalation,
    EscalationStep,
)
from models.care_runs import CareHold, VisitCall
from models.changes import SettingChange, Upload
from models.contacts import Contact
from models.dialects import AgentDialect, Dialect
from models.dialing import Attempt, Callback, Offer, Trunk
from models.duties import AreaButler, CareProof, Duty, DutyRule, ElderGroup
from models.followups import Reminder, ReturnVisit, ReturnVisitQuestion
from models.hours import OpeningHours, SpecialDay
from models.orders import Order, OrderEvent
from models.outbox import OutboxEntry
from models.people import Area, Elder, Person, PersonNumber, PhoneNumber
from models.preferences import ElderSetting
from models.presence import AgentLine, AgentPresence, AgentSkill, CallAsk, PauseReason, PresenceSpell, TaskCall
from models.processes import ProcessBeat
from models.providers import Provider, ProviderArea, ProviderHours, ProviderItem, ProviderNumber, Worker
from models.queue_rules import QueueRule
from models.ratings import OrderRating
from models.recordings import PromptRecording, StudioCode
from models.results import CallOutcome, CallResult, Note
from models.search import SearchTerm
from models.service_items import ServiceItem
from models.sms import SmsMessage
from models.supervision import QualityItem, QualityMark, QualityMarkVersion, Watch
from models.tasks import Task
from models.users import AuditEvent, PasswordLink, RecoveryCode, User
from models.visits import OrderVisit

metadata = Base.metadata

__all__ = [
    "AgentDialect",
    "AgentLine",
    "AgentPresence",
    "AgentSkill",
    "Area",
    "AreaButler",
    "Attempt",
    "Audio",
    "AuditEvent",
    "Call",
    "CallAsk",
    "CallEvent",
    "CallOutcome",
    "CallResult",
    "CallRule",
    "Callback",
    "Campaign",
    "CampaignEvent",
    "CareAnswer",
    "CareHold",
    "CareProof",
    "CareVisit",
    "Contact",
    "Dialect",
    "Duty",
    "DutyRule",
    "Elder",
    "ElderChange",
    "ElderGroup",
    "ElderMerge",
    "ElderSetting",
    "Escalation",
    "EscalationStep",
    "Note",
    "Offer",
    "OpeningHours",
    "Order",
    "OrderEvent",
    "OrderRating",
    "OrderVisit",
    "OutboxEntry",
    "PasswordLink",
    "PauseReason",
    "Person",
    "PersonNumber",
    "PhoneNumber",
    "PresenceSpell",
    "ProcessBeat",
    "PromptRecording",
    "Provider",
    "ProviderArea",
    "ProviderHours",
    "ProviderItem",
    "ProviderNumber",
    "QualityItem",
    "QualityMark",
    "QualityMarkVersion",
    "QueueRule",
    "RecoveryCode",
    "Reminder",
    "ReturnVisit",
    "ReturnVisitQuestion",
    "SearchTerm",
    "ServiceItem",
    "SettingChange",
    "SmsMessage",
    "SpecialDay",
    "StudioCode",
    "Task",
    "TaskCall",
    "Trunk",
    "Upload",
    "User",
    "Utterance",
    "VisitCall",
    "Watch",
    "Worker",
    "metadata",
]
