"""What our mails say to people, in several languages; an operator may replace any of it (`reports.texts`).

`{destination}` stands for the number as `mobile` writes it, or for where a message by another channel went;
`{why}` for what the message centre said, `{count}` for how many, `{phone}` for who sent an SMS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "de", "fr", "ru"]
Texts: TypeAlias = Mapping[str, str]

_PLACE = re.compile(r"\{([^{}]*)\}")

ENGLISH: Texts = {
    "author": "Mail Delivery System",
    "subject_delivered": "Delivery Status Notification (Delivered)",
    "subject_failed": "Delivery Status Notification (Failure)",
    "subject_delayed": "Delivery Status Notification (Delay)",
    "subject_digest": "Delivery Status Notification ({count} messages)",
    "subject_mobile": "SMS from {phone}",
    "mobile_octets": "A message that is no text, in hexadecimal:",
    "mobile": "mobile +{number}",
    "delivered": "Your message to {destination} has been delivered.",
    "delivered_twice": "Your message to {destination} has been delivered, possibly twice: the message"
    " centre left it open whether it had taken it, so it was sent again.",
    "unreachable": "Your message to {destination} has not been delivered: the phone could not be"
    " reached in time.",
    "deleted": "Your message to {destination} has not been delivered: it was deleted at the message centre.",
    "undelivered": "Your message to {destination} has not been delivered: the mobile network could"
    " not deliver it.",
    "lost_track": "Your message to {destination} may not have been delivered: the mobile network has"
    " lost track of it.",
    "rejected": "Your message to {destination} has not been delivered: the mobile network rejected it.",
    "channel_expired": "Your message to {destination} has not been delivered: there was not enough time.",
    "channel_undelivered": "Your message to {destination} has not been delivered: the service for such"
    " messages could not deliver it.",
    "channel_refused": "Your message to {destination} has not been delivered: the service for such messages"
    " refused it.",
    "refused": "Your message to {destination} has not been delivered: the message centre refused it ({why}).",
    "not_sent": "Your message to {destination} has not been delivered: it could not be sent in time.",
    "too_dear": "Your message to {destination} has not been sent: it costs more than its sender allows.",
    "cancelled": "Your message to {destination} has not been delivered: it was cancelled before it was sent.",
    "silent": "Your message to {destination} may not have been delivered: nothing has been heard of"
    " it since it was sent.",
    "uncertain": "The outcome of your message to {destination} is unknown: the message centre never"
    " said whether it had taken it. It was not sent again.",
    "perhaps_before": "An earlier try may have been delivered all the same.",
    "pending": "Your message to {destination} has not been delivered yet: the mobile network keeps"
    " it and goes on trying.",
    "waiting": "Your message to {destination} has not been sent yet: it still waits for the message"
    " centre to take it.",
}

GERMAN: Texts = {
    "author": "Mail Delivery System",
    "subject_delivered": "Zustellbericht (zugestellt)",
    "subject_failed": "Zustellbericht (nicht zugestellt)",
    "subject_delayed": "Zustellbericht (verzögert)",
    "subject_digest": "Zustellbericht ({count} Nachrichten)",
    "subject_mobile": "SMS von {phone}",
    "mobile_octets": "Eine Nachricht, die kein Text ist, hexadezimal:",
    "mobile": "+{number}",
    "delivered": "Ihre Nachricht an {destination} ist zugestellt.",
    "delivered_twice": "Ihre Nachricht an {destination} ist zugestellt, vielleicht zweimal: Die"
    " Nachrichtenzentrale hatte offen gelassen, ob sie angekommen war, darum ging sie noch einmal ab.",
    "unreachable": "Ihre Nachricht an {destination} ist nicht zugestellt: Das Telefon war nicht rechtzeitig"
    " zu erreichen.",
    "deleted": "Ihre Nachricht an {destination} ist nicht zugestellt: Die Nachrichtenzentrale hat sie"
    " gelöscht.",
    "undelivered": "Ihre Nachricht an {destination} ist nicht zugestellt: Das Mobilfunknetz konnte sie nicht"
    " zustellen.",
    "lost_track": "Ihre Nachricht an {destination} ist vielleicht nicht zugestellt: Das Mobilfunknetz weiß"
    " nichts mehr von ihr.",
    "rejected": "Ihre Nachricht an {destination} ist nicht zugestellt: Das Mobilfunknetz hat sie abgewiesen.",
    "channel_expired": "Ihre Nachricht an {destination} ist nicht zugestellt: Die Zeit hat nicht gereicht.",
    "channel_undelivered": "Ihre Nachricht an {destination} ist nicht zugestellt: Der Dienst für solche"
    " Nachrichten konnte sie nicht zustellen.",
    "channel_refused": "Ihre Nachricht an {destination} ist nicht zugestellt: Der Dienst für solche"
    " Nachrichten hat"
    " sie abgelehnt.",
    "refused": "Ihre Nachricht an {destination} ist nicht zugestellt: Die Nachrichtenzentrale hat sie"
    " abgelehnt ({why}).",
    "not_sent": "Ihre Nachricht an {destination} ist nicht zugestellt: Sie konnte nicht rechtzeitig gesendet"
    " werden.",
    "too_dear": "Ihre Nachricht an {destination} ist nicht gesendet: Sie kostet mehr, als der Absender"
    " erlaubt.",
    "cancelled": "Ihre Nachricht an {destination} ist nicht zugestellt: Sie wurde vor dem Senden"
    " zurückgezogen.",
    "silent": "Ihre Nachricht an {destination} ist vielleicht nicht zugestellt: Seit dem Senden war nichts"
    " mehr von ihr zu hören.",
    "uncertain": "Was aus Ihrer Nachricht an {destination} wurde, ist unbekannt: Die Nachrichtenzentrale hat"
    " nie gesagt, ob sie angekommen ist. Sie wurde nicht noch einmal gesendet.",
    "perhaps_before": "Ein früherer Versuch kann trotzdem angekommen sein.",
    "pending": "Ihre Nachricht an {destination} ist noch nicht zugestellt: Das Mobilfunknetz hat sie und"
    " versucht es weiter.",
    "waiting": "Ihre Nachricht an {destination} ist noch nicht gesendet: Sie wartet noch darauf, dass die"
    " Nachrichtenzentrale sie annimmt.",
}

FRENCH: Texts = {
    "author": "Mail Delivery System",
    "subject_delivered": "Rapport de remise (remis)",
    "subject_failed": "Rapport de remise (échec)",
    "subject_delayed": "Rapport de remise (retard)",
    "subject_digest": "Rapport de remise ({count} messages)",
    "subject_mobile": "SMS de {phone}",
    "mobile_octets": "Un message qui n'est pas un texte, en hexadécimal :",
    "mobile": "+{number}",
    "delivered": "Votre message à {destination} a été remis.",
    "delivered_twice": "Votre message à {destination} a été remis, peut-être deux fois : le centre de"
    " messagerie n'ayant pas dit s'il l'avait reçu, il a été envoyé de nouveau.",
    "unreachable": "Votre message à {destination} n'a pas été remis : le téléphone n'a pas pu être joint à"
    " temps.",
    "deleted": "Votre message à {destination} n'a pas été remis : le centre de messagerie l'a supprimé.",
    "undelivered": "Votre message à {destination} n'a pas été remis : le réseau mobile n'a pas pu le"
    " remettre.",
    "lost_track": "Votre message à {destination} n'a peut-être pas été remis : le réseau mobile a perdu sa"
    " trace.",
    "rejected": "Votre message à {destination} n'a pas été remis : le réseau mobile l'a rejeté.",
    "channel_expired": "Votre message à {destination} n'a pas été remis : le temps n'a pas suffi.",
    "channel_undelivered": "Votre message à {destination} n'a pas été remis : le service de ces messages"
    " n'a pas pu"
    " le remettre.",
    "channel_refused": "Votre message à {destination} n'a pas été remis : le service de ces messages l'a"
    " refusé.",
    "refused": "Votre message à {destination} n'a pas été remis : le centre de messagerie l'a refusé"
    " ({why}).",
    "not_sent": "Votre message à {destination} n'a pas été remis : il n'a pas pu être envoyé à temps.",
    "too_dear": "Votre message à {destination} n'a pas été envoyé : il coûte plus que son expéditeur ne"
    " le permet.",
    "cancelled": "Votre message à {destination} n'a pas été remis : il a été annulé avant l'envoi.",
    "silent": "Votre message à {destination} n'a peut-être pas été remis : plus aucune nouvelle depuis"
    " l'envoi.",
    "uncertain": "Le sort de votre message à {destination} est inconnu : le centre de messagerie n'a jamais"
    " dit s'il l'avait reçu. Il n'a pas été renvoyé.",
    "perhaps_before": "Un essai précédent a pu aboutir malgré tout.",
    "pending": "Votre message à {destination} n'est pas encore remis : le réseau mobile le garde et"
    " continue d'essayer.",
    "waiting": "Votre message à {destination} n'est pas encore envoyé : il attend encore que le centre"
    " de messagerie l'accepte.",
}

RUSSIAN: Texts = {
    "author": "Mail Delivery System",
    "subject_delivered": "Отчёт о доставке (доставлено)",
    "subject_failed": "Отчёт о доставке (не доставлено)",
    "subject_delayed": "Отчёт о доставке (задержка)",
    "subject_digest": "Отчёт о доставке (сообщений: {count})",
    "subject_mobile": "SMS от {phone}",
    "mobile_octets": "Сообщение, не являющееся текстом, в шестнадцатеричном виде:",
    "mobile": "+{number}",
    "delivered": "Ваше сообщение для {destination} доставлено.",
    "delivered_twice": "Ваше сообщение для {destination} доставлено, возможно, дважды: центр сообщений"
    " не подтвердил приём, и оно было отправлено ещё раз.",
    "unreachable": "Ваше сообщение для {destination} не доставлено: телефон не был доступен вовремя.",
    "deleted": "Ваше сообщение для {destination} не доставлено: оно удалено центром сообщений.",
    "undelivered": "Ваше сообщение для {destination} не доставлено: мобильная сеть не смогла его доставить.",
    "lost_track": "Ваше сообщение для {destination}, возможно, не доставлено: мобильная сеть потеряла"
    " его след.",
    "rejected": "Ваше сообщение для {destination} не доставлено: мобильная сеть его отклонила.",
    "channel_expired": "Ваше сообщение для {destination} не доставлено: не хватило времени.",
    "channel_undelivered": "Ваше сообщение для {destination} не доставлено: служба таких сообщений не смогла"
    " его доставить.",
    "channel_refused": "Ваше сообщение для {destination} не доставлено: служба таких сообщений отказала.",
    "refused": "Ваше сообщение для {destination} не доставлено: центр сообщений отказал ({why}).",
    "not_sent": "Ваше сообщение для {destination} не доставлено: его не удалось отправить вовремя.",
    "too_dear": "Ваше сообщение на {destination} не отправлено: оно стоит больше, чем разрешает отправитель.",
    "cancelled": "Ваше сообщение для {destination} не доставлено: оно отменено до отправки.",
    "silent": "Ваше сообщение для {destination}, возможно, не доставлено: после отправки о нём нет известий.",
    "uncertain": "Судьба вашего сообщения для {destination} неизвестна: центр сообщений не сказал,"
    " принял ли он его. Повторно оно не отправлялось.",
    "perhaps_before": "Предыдущая попытка всё же могла быть успешной.",
    "pending": "Ваше сообщение для {destination} ещё не доставлено: мобильная сеть хранит его и"
    " продолжает попытки.",
    "waiting": "Ваше сообщение для {destination} ещё не отправлено: оно ждёт, когда центр сообщений его"
    " примет.",
}

LANGUAGES: Mapping[Language, Texts] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "ru": RUSSIAN}


def filled(template: str, values: Mapping[str, object]) -> str:
    """`template` with the values in their places; nothing else in it is special."""
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), template)


def places(template: str) -> set[str]:
    """The names in braces."""
    return set(_PLACE.findall(template))
