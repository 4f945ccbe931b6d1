"""SMPP 3.4 from the ESME's side.

`codec` makes octets of PDUs and back. A `session` is bound and submits, without I/O: its states and what
leads from one to another are the table in `states` (`drawing` draws it), what it tells are `events`, what it
has under way is its `window`, how it behaves its `options`. A `link` carries it: `dialling` finds the way to
the SMSC, `reconnect` says when to try again, `sparing` what the log need not repeat. What an SMSC means is
read by `status` (command_status), `receipt` and `mobile` (deliver_sm), and `trace` shows every PDU to a
person.
"""
