-- list_parts --
-- The newest parts.
SELECT part.id AS part_id, part.mail_id AS queue_id, mail.mta_queue_id, mail.account, part.state, mail.received_at,
    part.due_at, part.expires_at, part.destination, part.number, part.total, part.priority, part.smsc, part.bind,
    part.sequence, part.submitted_at, part.attempts, part.smsc_message_id, part.command_status, part.stat, part.why,
    (SELECT nullif(public_id, '') FROM message WHERE message.id = part.id - part.number + 1) AS public_id
FROM part CROSS JOIN mail ON mail.id = part.mail_id
ORDER BY part.id DESC LIMIT ?

-- list_queued --
-- The newest queued parts.
SELECT id FROM part INDEXED BY part_expiry WHERE state = 0 ORDER BY id DESC LIMIT ?

-- list_notable --
-- The newest parts in a state that asks for attention.
SELECT id FROM part INDEXED BY part_notable
WHERE (state = 1 OR state = 3 OR state = 5 OR state = 6) AND state = ? ORDER BY id DESC LIMIT ?

-- list_common --
-- The newest parts in one of the states that most parts are in.
SELECT id FROM part NOT INDEXED WHERE state = ? ORDER BY id DESC LIMIT ?

-- show_parts --
-- These parts (a JSON list of ids), newest first.
SELECT part.id AS part_id, part.mail_id AS queue_id, mail.mta_queue_id, mail.account, part.state, mail.received_at,
    part.due_at, part.expires_at, part.destination, part.number, part.total, part.priority, part.smsc, part.bind,
    part.sequence, part.submitted_at, part.attempts, part.smsc_message_id, part.command_status, part.stat, part.why,
    (SELECT nullif(public_id, '') FROM message WHERE message.id = part.id - part.number + 1) AS public_id
FROM json_each(?) AS wanted CROSS JOIN part ON part.id = wanted.value CROSS JOIN mail ON mail.id = part.mail_id
ORDER BY part.id DESC

-- find_mail --
-- A mail by our queue id.
SELECT id AS queue_id, mta_queue_id, received_at, account, dialect, sender, client, message_id, parts
FROM mail WHERE id = ?

-- find_mta_mail --
-- The newest mail with the MTA's queue id.
SELECT id AS queue_id, mta_queue_id, received_at, account, dialect, sender, client, message_id, parts
FROM mail WHERE mta_queue_id = ? ORDER BY id DESC LIMIT 1

-- find_public --
-- The newest message whose client knows it by this id, and its mail.
SELECT mail.id AS queue_id, mail.mta_queue_id, mail.received_at, mail.account, mail.dialect, mail.sender, mail.client,
    mail.message_id, part.total AS parts, part.id AS first
FROM message INDEXED BY message_public_id CROSS JOIN part ON part.id = message.id
    CROSS JOIN mail ON mail.id = message.mail_id
WHERE message.public_id <> '' AND message.public_id = ? ORDER BY message.id DESC LIMIT 1

-- message_mail --
-- The mail of a message, and the first id and number of the message's parts.
SELECT mail.id AS queue_id, mail.mta_queue_id, mail.received_at, mail.account, mail.dialect, mail.sender, mail.client,
    mail.message_id, part.total AS parts, part.id AS first,
    (SELECT count(*) FROM message AS one WHERE one.id BETWEEN mail.id AND mail.id + mail.parts - 1) AS message_count
FROM message CROSS JOIN part ON part.id = message.id CROSS JOIN mail ON mail.id = message.mail_id
WHERE message.id = ?

-- mail_messages --
-- Messages (first and last id), without their text.
SELECT message.id AS message_id, message.recipient, destination, originator, channel, kind, flash, priority, not_before,
    validity_seconds, receipt, route, reference, nullif(public_id, '') AS public_id, comment.text AS comment,
    CASE WHEN report.id IS NULL THEN NULL WHEN finished_at IS NULL THEN 'waiting' ELSE coalesce(why, 'sent') END AS report
FROM message LEFT JOIN report ON report.message_id = message.id LEFT JOIN comment ON comment.message_id = message.id
WHERE message.id BETWEEN ? AND ? ORDER BY message.id

-- mail_left_out --
-- The destinations that got nothing from a mail.
SELECT destination, why FROM left_out WHERE mail_id = ? ORDER BY rowid

-- mail_parts --
-- The parts of a mail (first and last id).
SELECT id AS part_id, number, total, state, smsc, due_at, expires_at, attempts, bind, sequence, submitted_at,
    smsc_message_id, command_status, stat, why
FROM part WHERE id BETWEEN ? AND ? ORDER BY id

-- mail_receipts --
-- The receipts of a mail (first and last id).
SELECT part_id, at, done_at, state, smsc_message_id, source, stat, error
FROM receipt WHERE part_id BETWEEN ? AND ? ORDER BY part_id, at, id

-- count_all --
-- How many parts are in which state.
SELECT queued, submitting, accepted, uncertain, delivered, failed, expired FROM counter

-- backlog --
-- Queued parts by SMSC and priority: all, those due already, and since when the first has been due.
SELECT smsc, priority, sum(parts) AS queued, sum(ripe) AS due, min(first) AS first_due_at FROM (
    SELECT smsc, priority, count(*) AS parts, count(*) AS ripe, min(due_at) AS first
    FROM part INDEXED BY part_ready WHERE state = 0 AND waiting = 0 GROUP BY smsc, priority
    UNION ALL
    SELECT smsc, priority, count(*), sum(due_at <= ?), min(due_at)
    FROM part INDEXED BY part_waiting WHERE state = 0 AND waiting = 1 GROUP BY smsc, priority)
GROUP BY smsc, priority

-- parked --
-- Receipts that belong to no part we know, newest first.
SELECT id, at, done_at, smsc, smsc_message_id, source, stat, error
FROM receipt INDEXED BY receipt_part WHERE part_id IS NULL ORDER BY at DESC LIMIT ?

-- count_parked --
-- How many receipts wait for their part.
SELECT count(*) FROM receipt INDEXED BY receipt_parked WHERE part_id IS NULL

-- count_reports --
-- How many mails of ours wait for the MTA.
SELECT count(*) FROM report INDEXED BY report_due WHERE finished_at IS NULL

-- loads --
-- What limits each SMSC, as last reported, and until when at least whoever reports lives.
SELECT smsc, limited_by, advice, sent_per_second, rate, contract_rate, "window", window_used, response_p95_ms,
    throttled_at, reported_at, (SELECT max(until) FROM bind_wish) AS alive_until
FROM smsc_load ORDER BY smsc

-- dispatchers --
-- Who has binds, and until when at least.
SELECT owner AS name, max(until) AS alive_until FROM bind_lease GROUP BY owner ORDER BY owner

-- links --
-- The links as last reported, and until when at least whoever reports lives.
SELECT smsc, bind, state, since, window_used, "window", submitted, accepted, refused, uncertain, note, reported_at,
    (SELECT max(until) FROM bind_wish) AS alive_until
FROM link ORDER BY smsc, bind

-- ask_to_cancel --
-- Accepted parts of which nothing final is known.
INSERT OR IGNORE INTO cancellation (part_id, at)
SELECT id, :now FROM part WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 2 AND smsc_message_id <> ''
    AND receipt <> 0
RETURNING part_id

-- trace --
-- Log all PDUs of an SMSC until a time.
INSERT INTO trace (smsc, until) VALUES (?, ?) ON CONFLICT (smsc) DO UPDATE SET until = excluded.until

-- traced --
-- The SMSCs whose PDUs are to be logged now.
SELECT smsc FROM trace WHERE until > ?

-- last_part --
-- Where the part ids end.
SELECT max(id) FROM part

-- selected --
-- The next parts that an operator means (:states is a JSON list), from one id to another.
SELECT part.id FROM part NOT INDEXED CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.id BETWEEN :first AND :last AND part.state IN (SELECT value FROM json_each(:states))
    AND (:account = '' OR mail.account = :account)
    AND (:smsc = '' OR part.smsc = :smsc)
    AND (:destination = '' OR substr(part.destination, 1, length(:destination)) = :destination)
ORDER BY part.id LIMIT :limit

-- hold --
-- Not sent until released.
UPDATE part SET due_at = :never, waiting = 1, why = 'held by the operator'
WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 0 AND due_at < :never
RETURNING id

-- release --
-- Sent as if it had not been held.
UPDATE part SET due_at = max(:now, coalesce((SELECT not_before FROM message WHERE message.id = part.id - number + 1), 0)),
    why = NULL
WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 0 AND due_at = :never
RETURNING id

-- hurry --
-- One that waits for its next try goes now.
UPDATE part SET due_at = :now
WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 0 AND due_at > :now AND due_at < :never
    AND command_status IS NOT NULL
RETURNING id

-- ended --
-- Which of these parts have failed, expired or are in doubt; not those that no SMSC can be asked for.
SELECT id, state FROM part WHERE id IN (SELECT value FROM json_each(?)) AND state IN (3, 5, 6) AND smsc <> ''

-- revive --
-- To be sent again, with the whole validity anew; what the SMSC said of the last time is forgotten.
UPDATE part SET state = 0, due_at = :now, waiting = 1, attempts = 0, doubts = 0, command_status = NULL, why = 'sent again by the operator',
    smsc_message_id = NULL, smsc_key = NULL, stat = NULL, finished_at = NULL,
    expires_at = :now + expires_at - (SELECT coalesce(not_before, received_at)
        FROM message JOIN mail ON mail.id = message.mail_id WHERE message.id = part.id - number + 1)
WHERE id IN (SELECT value FROM json_each(:ids))

-- report_anew --
-- The end of these messages will be told once more.
DELETE FROM report WHERE message_id IN (SELECT id - number + 1 FROM part WHERE id IN (SELECT value FROM json_each(:ids)))

-- wait_anew --
-- Their receipts are not overdue yet; the next look will tell when they are.
UPDATE message SET overdue_at = :now
WHERE (notify | notice) & 66 AND id IN (SELECT id - number + 1 FROM part WHERE id IN (SELECT value FROM json_each(:ids)))

-- touched --
-- Parts (a JSON list of ids) as the log names them.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, x'', part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0
FROM json_each(?) AS changed CROSS JOIN part ON part.id = changed.value CROSS JOIN mail ON mail.id = part.mail_id
ORDER BY part.id

-- cancel --
-- Never sent.
UPDATE part SET state = 5, command_status = NULL, why = 'cancelled by the operator', finished_at = :now
WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 0
RETURNING id
