"""command_status (SMPP 3.4 §5.1.3): its names, and what each means for the part that got it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

# Those that the session itself sends or looks for.
ROK: Final = 0x00000000
RINVCMDLEN: Final = 0x00000002
RINVCMDID: Final = 0x00000003
RINVBNDSTS: Final = 0x00000004
RALYBND: Final = 0x00000005
RSYSERR: Final = 0x00000008
RBINDFAIL: Final = 0x0000000D
RINVPASWD: Final = 0x0000000E
RINVSYSID: Final = 0x0000000F
RINVSYSTYP: Final = 0x00000053
RUNKNOWNERR: Final = 0x000000FF

LIMITED_TRIES: Final = 3
_RETRY_SECONDS: Final = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0)


class Class(Enum):
    """Whose fault a status is and whether trying again helps (SMPP 3.4 §5.1.3; the letters of our table)."""

    ACCEPTED = "-"
    PERMANENT = "P"  # this message will never be taken
    TEMPORARY = "T"  # the same message later
    THROTTLED = "H"  # we are too fast: slow down, then the same message; not a try
    LINK = "B"  # the bind is at fault: bind again, keep the message
    CONFIGURATION = "C"  # permanent, and our configuration or program is at fault


@dataclass(frozen=True, slots=True)
class Status:
    """One command_status. `name` goes without ESME_; `dsn` is a report's enhanced status code, "" for none.

    `limited`: worth LIMITED_TRIES tries at most, then permanent.
    """

    value: int
    name: str
    meaning: str
    kind: Class
    dsn: str
    limited: bool = False

    @property
    def elsewhere(self) -> bool:
        """Whether another SMSC may take what this one refuses for good: its own troubles, strange senders."""
        return self.limited or self.value in (0x0A, 0x48, 0x49)

    def is_final(self, tries: int) -> bool:
        """Whether the part has failed for good after `tries` tries, the one that got this status included."""
        if self.kind is Class.TEMPORARY:
            return self.limited and tries >= LIMITED_TRIES
        return self.kind in (Class.PERMANENT, Class.CONFIGURATION)

    def __str__(self) -> str:
        return f"{self.name} 0x{self.value:08X} ({self.meaning})"


# value  name  class (an appended 3: at most that many tries)  DSN  meaning
_STANDARD = """
000 ROK               -  -     accepted
001 RINVMSGLEN        P  5.3.4 message length invalid
002 RINVCMDLEN        C  5.5.0 command length invalid
003 RINVCMDID         C  5.5.0 command id invalid
004 RINVBNDSTS        B  -     wrong bind state
005 RALYBND           B  -     already bound
006 RINVPRTFLG        C  5.5.0 priority flag invalid
007 RINVREGDLVFLG     C  5.5.0 registered_delivery invalid
008 RSYSERR           T  4.3.0 system error
00A RINVSRCADR        P  5.1.7 source address invalid
00B RINVDSTADR        P  5.1.1 destination address invalid
00C RINVMSGID         P  5.5.0 message id invalid
00D RBINDFAIL         B  -     bind failed
00E RINVPASWD         B  -     password invalid
00F RINVSYSID         B  -     system id invalid
011 RCANCELFAIL       P  5.5.0 cancel failed
013 RREPLACEFAIL      P  5.5.0 replace failed
014 RMSGQFUL          H  4.3.1 message queue full
015 RINVSERTYP        C  5.5.0 service type invalid
033 RINVNUMDESTS      C  5.5.0 number of destinations invalid
034 RINVDLNAME        C  5.5.0 distribution list name invalid
040 RINVDESTFLAG      C  5.5.0 destination flag invalid
042 RINVSUBREP        C  5.5.0 submit with replace invalid
043 RINVESMCLASS      P  5.6.0 esm_class invalid
044 RCNTSUBDL         C  5.5.0 cannot submit to the distribution list
045 RSUBMITFAIL       T3 5.3.0 submit failed
048 RINVSRCTON        C  5.1.7 source TON invalid
049 RINVSRCNPI        C  5.1.7 source NPI invalid
050 RINVDSTTON        C  5.1.3 destination TON invalid
051 RINVDSTNPI        C  5.1.3 destination NPI invalid
053 RINVSYSTYP        B  -     system type invalid
054 RINVREPFLAG       C  5.5.0 replace flag invalid
055 RINVNUMMSGS       C  5.5.0 number of messages invalid
058 RTHROTTLED        H  4.3.2 throttled
061 RINVSCHED         P  5.6.0 scheduled time invalid
062 RINVEXPIRY        P  5.6.0 validity period invalid
063 RINVDFTMSGID      C  5.5.0 predefined message invalid
064 RX_T_APPN         T  4.3.0 temporary application error
065 RX_P_APPN         P  5.3.0 permanent application error
066 RX_R_APPN         P  5.7.1 message rejected
067 RQUERYFAIL        P  5.5.0 query failed
0C0 RINVOPTPARSTREAM  C  5.5.0 optional parameters malformed
0C1 ROPTPARNOTALLWD   C  5.5.0 optional parameter not allowed
0C2 RINVPARLEN        C  5.5.0 parameter length invalid
0C3 RMISSINGOPTPARAM  C  5.5.0 optional parameter missing
0C4 RINVOPTPARAMVAL   C  5.5.0 optional parameter value invalid
0FE RDELIVERYFAILURE  P  5.3.0 delivery failure
0FF RUNKNOWNERR       T3 5.3.0 unknown error
100 RSERTYPUNAUTH     P  5.7.1 service type not authorised
101 RPROHIBITED       P  5.7.1 prohibited
102 RSERTYPUNAVAIL    T  5.7.1 service type unavailable
103 RSERTYPDENIED     P  5.7.1 service type denied
104 RINVDCS           P  5.6.0 data_coding invalid
"""


def _table() -> Iterator[tuple[int, Status]]:
    for line in _STANDARD.strip().splitlines():
        digits, name, kind, dsn, meaning = line.split(maxsplit=4)
        value = int(digits, 16)
        code = "" if dsn == "-" else dsn
        yield value, Status(value, name, meaning, Class(kind[0]), code, limited=kind.endswith("3"))


_STATUSES = dict(_table())


def classify(value: int) -> Status:
    """What a command_status means. Every 32-bit value has an answer."""
    known = _STATUSES.get(value)
    if known is not None:
        return known
    if 0x105 <= value <= 0x112:
        return Status(value, "SMPP50", "refused with a status of SMPP 5.0", Class.PERMANENT, "5.7.1")
    if 0x400 <= value <= 0x4FF:
        return Status(value, "VENDOR", "a status of the SMSC's own", Class.PERMANENT, "5.3.0")
    return Status(value, "RESERVED", "a reserved status", Class.TEMPORARY, "5.3.0", limited=True)


_WORDS = {
    "permanent": (Class.PERMANENT, False),
    "temporary": (Class.TEMPORARY, False),
    "limited": (Class.TEMPORARY, True),
    "throttled": (Class.THROTTLED, False),
}


def overridden(words: Mapping[int, str]) -> dict[int, Status]:
    """The statuses that mean something else at one SMSC; `words` are those of the setting `statuses`."""
    return {
        value: replace(classify(value), kind=kind, limited=limited)
        for value, (kind, limited) in ((value, _WORDS[word]) for value, word in words.items())
    }


def retry_delay(attempts: int) -> float:
    """Seconds until the next try after a temporary failure; `attempts` counts those before the failed one."""
    return _RETRY_SECONDS[min(max(attempts, 0), len(_RETRY_SECONDS) - 1)]
