-- due_reports --
-- What is due now, the longest due first: mails, or URLs to be requested.
SELECT report.id, report.mail_id, report.listener_id, listener.gather_seconds,
    CASE WHEN report.message_id IS NOT NULL AND report.listener_id = 0 THEN mail.sender END
FROM report INDEXED BY report_due CROSS JOIN mail ON mail.id = report.mail_id
    LEFT JOIN listener ON listener.id = report.listener_id
WHERE report.finished_at IS NULL AND report.is_url = ? AND report.due_at <= ?
ORDER BY report.due_at, report.id LIMIT ?

-- gathered --
-- What becomes one mail: all that a listener is to be told of one mail's messages.
SELECT id FROM report INDEXED BY report_mail
WHERE mail_id = ? AND listener_id = ? AND finished_at IS NULL ORDER BY id LIMIT ?

-- reports --
-- All about these (a JSON list of ids).
SELECT report.id, report.mail_id, mail.mta_queue_id, report.created_at, report.attempts, mail.message_id,
    report.message_id, mail.account, report.recipient, report.subject, report.body, report.author, report.author_name,
    listener.target, mail.dialect,
    mail.sender, coalesce(counted.recipient, message.recipient), message.destination, report.state, report.smsc, report.stat,
    report.error, report.command_status, report.at, mail.received_at,
    coalesce(counted.original_recipient, message.original_recipient), original.envelope_id, original.header,
    message.originator, CASE WHEN counted.id IS NULL THEN message.reference ELSE counted.reference END,
    coalesce(counted.public_id, message.public_id), part.total, report.event,
    (SELECT max(doubts) FROM part AS one WHERE one.id BETWEEN message.id AND message.id + part.total - 1)
FROM json_each(?) AS wanted CROSS JOIN report ON report.id = wanted.value
    CROSS JOIN mail ON mail.id = report.mail_id
    LEFT JOIN counted ON counted.id = report.message_id
    LEFT JOIN message ON message.id = coalesce(counted.into_id, report.message_id)
    LEFT JOIN part ON part.id = message.id
    LEFT JOIN original ON original.mail_id = report.mail_id
    LEFT JOIN listener ON listener.id = report.listener_id

-- next_report --
-- When the next one falls due.
SELECT due_at FROM report INDEXED BY report_due WHERE finished_at IS NULL AND is_url = ? ORDER BY due_at LIMIT 1

-- finish_report --
-- The MTA has taken it, or never will.
UPDATE report SET finished_at = ?, why = ? WHERE id = ?

-- defer_report --
-- To be tried again.
UPDATE report SET due_at = ?, attempts = attempts + 1, why = ? WHERE id = ?

-- report_loss --
-- A message of which a part (:id) ended just now before the SMSC had it: the sender and the listeners that are told of
-- such are told once, and so are those of what is counted in it. One that failed without command_status was cancelled.
INSERT OR IGNORE INTO report (mail_id, message_id, event, listener_id, is_url, created_at, due_at,
    state, smsc, stat, error, command_status, at)
WITH lost AS (
    SELECT id - number + 1 AS about, state, smsc, command_status FROM part
    WHERE id = :id AND state IN (5, 6) AND finished_at = :at
), concerned AS (
    SELECT lost.*, message.id, mail_id, notify, notice FROM lost CROSS JOIN message ON message.id = about
    UNION ALL
    SELECT lost.*, counted.id, mail_id, notify, notice FROM lost CROSS JOIN counted INDEXED BY counted_into ON into_id = about
)
SELECT mail_id, id, 0, 0, 0, :at, :at, state, smsc, '', '', command_status, :at FROM concerned WHERE notify & 3
UNION ALL
SELECT concerned.mail_id, concerned.id, 0, listener.id, is_url, :at, :at + gather_seconds, state, smsc, '', '',
    command_status, :at
FROM concerned CROSS JOIN listener INDEXED BY listener_mail ON listener.mail_id = concerned.mail_id
WHERE notice & listener.told & 3

-- report_news --
-- What became of a message: the sender and the listeners that are :told of such are told once, and so are those of what
-- is counted in it.
INSERT OR IGNORE INTO report (mail_id, message_id, event, listener_id, is_url, created_at, due_at,
    state, smsc, stat, error, command_status, at)
WITH concerned AS (
    SELECT id, mail_id, notify, notice FROM message WHERE id = :message
    UNION ALL SELECT id, mail_id, notify, notice FROM counted INDEXED BY counted_into WHERE into_id = :message
)
SELECT mail_id, id, :event, 0, 0, :now, :now, :state, :smsc, :stat, :error, :command_status, :at
FROM concerned WHERE notify & :told
UNION ALL
SELECT concerned.mail_id, concerned.id, :event, listener.id, is_url, :now, :now + gather_seconds, :state,
    :smsc, :stat, :error, :command_status, :at
FROM concerned CROSS JOIN listener INDEXED BY listener_mail ON listener.mail_id = concerned.mail_id
WHERE notice & listener.told & :told

-- any_followed --
-- Whether anybody is told how a part comes to the SMSC.
SELECT EXISTS (SELECT 1 FROM part INDEXED BY part_followed WHERE receipt = 3 AND state IN (0, 1))

-- followed_parts --
-- Of these parts (a JSON list of ids) those of which somebody is told: id, first and last part of its message, SMSC.
SELECT part.id, part.id - part.number + 1, part.id - part.number + part.total, part.smsc
FROM json_each(?) AS moved CROSS JOIN part ON part.id = moved.value WHERE part.receipt = 3

-- unsent --
-- Whether the SMSC has not taken all of these parts (first and last id).
SELECT EXISTS (SELECT 1 FROM part WHERE id BETWEEN ? AND ? AND state NOT IN (2, 4))

-- is_ended --
-- Whether a message (id of its first and of its last part) has failed, or its end was told.
SELECT EXISTS (SELECT 1 FROM part WHERE id BETWEEN ?1 AND ?2 AND state IN (5, 6))
    OR EXISTS (SELECT 1 FROM report WHERE message_id = ?1 AND event = 0)

-- undelivered --
-- Whether any of these parts (first and last id) is not delivered.
SELECT EXISTS (SELECT 1 FROM part WHERE id BETWEEN ? AND ? AND state <> 4)

-- overdue_messages --
-- Messages whose receipts should have come by now.
SELECT id, validity_seconds FROM message INDEXED BY message_overdue WHERE overdue_at <= ? ORDER BY overdue_at LIMIT ?

-- message_parts --
-- The parts of a message.
SELECT state, smsc, coalesce(submitted_at, 0), finished_at, coalesce(command_status, 0) FROM part
WHERE id BETWEEN ?1 AND ?1 + (SELECT total FROM part WHERE id = ?1) - 1 ORDER BY id

-- look_again --
-- When to look again whether the receipt of a message is overdue; NULL: never.
UPDATE message SET overdue_at = ? WHERE id = ? AND overdue_at IS NOT NULL
