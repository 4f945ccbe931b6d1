"""Content for phones' own applications: Nokia Smart Messaging (ENC §9) and WAP push (ENC §10).

Each function takes what a sender writes and gives a `Binary`, with data_coding 4; a dialect that wants
another one, or other ports, replaces the field. What cannot be made raises ContentFault and says why.
"""

from sms_milter.sms.smart.bitmap import Bitmap, bmp, ota_bitmap
from sms_milter.sms.smart.cards import vcalendar, vcard
from sms_milter.sms.smart.image import LARGE_LOGO, LOGO, PICTURE, image
from sms_milter.sms.smart.logos import (
    group_logo,
    network_code,
    no_operator_logo,
    operator_logo,
    picture,
    ready_picture,
)
from sms_milter.sms.smart.rtttl import ready_ringtone, ringtone
from sms_milter.sms.smart.wap import service_indication, service_load

__all__ = [
    "LARGE_LOGO",
    "LOGO",
    "PICTURE",
    "Bitmap",
    "bmp",
    "group_logo",
    "image",
    "network_code",
    "no_operator_logo",
    "operator_logo",
    "ota_bitmap",
    "picture",
    "ready_picture",
    "ready_ringtone",
    "ringtone",
    "service_indication",
    "service_load",
    "vcalendar",
    "vcard",
]
