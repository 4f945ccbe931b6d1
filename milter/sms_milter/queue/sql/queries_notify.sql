-- due_reports --
-- What is to be handed to the MTA now, the longest due first.
SELECT report.id, report.mail_id, mail.mta_queue_id, report.created_at, report.attempts, report.message_id,
    mail.message_id, report.recipient, report.subject, report.body, report.author, report.author_name,
    mail.sender, message.recipient, message.destination, report.state, report.smsc, report.stat, report.error,
    report.command_status, report.at, mail.received_at, message.original_recipient,
    original.envelope_id, original.header
FROM report INDEXED BY report_due
    CROSS JOIN mail ON mail.id = report.mail_id
    LEFT JOIN message ON message.id = report.message_id
    LEFT JOIN original ON original.mail_id = report.mail_id
WHERE report.finished_at IS NULL AND report.due_at <= ?
ORDER BY report.due_at, report.id LIMIT ?

-- next_report --
-- When the next one falls due.
SELECT due_at FROM report INDEXED BY report_due WHERE finished_at IS NULL ORDER BY due_at LIMIT 1

-- finish_report --
-- The MTA has taken it, or never will.
UPDATE report SET finished_at = ?, why = ? WHERE id = ?

-- defer_report --
-- To be tried again.
UPDATE report SET due_at = ?, attempts = attempts + 1, why = ? WHERE id = ?

-- report_loss --
-- A message of which a part (:id) ended just now before the SMSC had it; its sender is told once, if at all.
INSERT OR IGNORE INTO report (mail_id, message_id, created_at, due_at, state, smsc, stat, error, command_status, at)
SELECT part.mail_id, message.id, :at, :at, part.state, part.smsc, '', '', coalesce(part.command_status, 0), :at
FROM part CROSS JOIN message ON message.id = part.id - part.number + 1
WHERE part.id = :id AND part.state IN (5, 6) AND part.finished_at = :at AND message.notify <> 0

-- report_end --
-- A message whose receipt told of its end, or is overdue, if its sender is :told of such.
INSERT OR IGNORE INTO report (mail_id, message_id, created_at, due_at, state, smsc, stat, error, command_status, at)
SELECT mail_id, id, :now, :now, :state, :smsc, :stat, :error, 0, :at
FROM message WHERE id = :message AND notify & :told

-- undelivered --
-- Whether any of these parts (first and last id) is not delivered.
SELECT EXISTS (SELECT 1 FROM part WHERE id BETWEEN ? AND ? AND state <> 4)

-- overdue_messages --
-- Messages whose receipts should have come by now.
SELECT id, validity_seconds FROM message INDEXED BY message_overdue WHERE overdue_at <= ? ORDER BY overdue_at LIMIT ?

-- message_parts --
-- The parts of a message.
SELECT state, smsc, coalesce(submitted_at, 0), finished_at FROM part
WHERE id BETWEEN ?1 AND ?1 + (SELECT total FROM part WHERE id = ?1) - 1 ORDER BY id

-- look_again --
-- When to look again whether the receipt of a message is overdue; NULL: never.
UPDATE message SET overdue_at = ? WHERE id = ? AND overdue_at IS NOT NULL
