"""What the use cases need from the world, as Protocols, by who asks. Implementations meet them in `roles`."""

from __future__ import annotations

from sms_milter.ports.dispatch import DispatchQueue, Link, Ways, Work
from sms_milter.ports.everyone import Doorbell, Journal, Meter
from sms_milter.ports.intake import Intake, IntakeQueue
from sms_milter.ports.mobile import MobileQueue
from sms_milter.ports.operator import OperatorQueue
from sms_milter.ports.outlets import Outlet, Web
from sms_milter.ports.proofs import PasswordCheck, SenderProofs
from sms_milter.ports.reports import Outbox, ReportQueue

__all__ = [
    "DispatchQueue",
    "Doorbell",
    "Intake",
    "IntakeQueue",
    "Journal",
    "Link",
    "Meter",
    "MobileQueue",
    "OperatorQueue",
    "Outbox",
    "Outlet",
    "PasswordCheck",
    "ReportQueue",
    "SenderProofs",
    "Ways",
    "Web",
    "Work",
]
