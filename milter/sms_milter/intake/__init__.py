"""From the SMTP dialogue to stored SMS: one mail is one `Transaction`.

Knows neither pymilter nor a database. `dialogue` judges recipients as they come, `proof` finds the account of
a mail that names it itself, `desk` is what dialects may ask about their account, `ways` are those that a
wish may go, `storing` is what the queue takes and `lines` what the log says; `transaction` is the path of the
mail, which ends in a `Verdict`, a value.
"""

from __future__ import annotations

from sms_milter.intake.transaction import Transaction
from sms_milter.intake.verdict import Judged, Verdict

__all__ = ["Judged", "Transaction", "Verdict"]
