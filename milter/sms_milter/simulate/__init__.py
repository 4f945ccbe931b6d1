"""An SMSC to try and test against: `sms-milter simulate`, and `Simulator` for tests.

It takes binds of every kind, submit_sm and data_sm, joins parts as a phone does, and sends delivery receipts
where registered_delivery asks for them. Destinations that end in certain digits ask for a fault (`faults`);
a script (`script`) makes it misbehave in every way that SMSCs are known for.
"""

from sms_milter.simulate.console import run_simulate
from sms_milter.simulate.faults import TABLE
from sms_milter.simulate.network import Tally
from sms_milter.simulate.phone import ReceivedSms
from sms_milter.simulate.script import BindRefusal, Options
from sms_milter.simulate.server import Simulator

__all__ = ["TABLE", "BindRefusal", "Options", "ReceivedSms", "Simulator", "Tally", "run_simulate"]
