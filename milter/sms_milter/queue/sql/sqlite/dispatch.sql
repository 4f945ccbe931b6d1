-- ripen --
-- Parts of one SMSC that had to wait until now.
UPDATE part SET waiting = 0 WHERE id IN (
    SELECT id FROM part INDEXED BY part_waiting
    WHERE state = 0 AND waiting = 1 AND smsc = ? AND due_at <= ? ORDER BY due_at LIMIT ?)

-- next_account --
-- The first account behind another with parts that may go, of one SMSC and priority.
SELECT account FROM part INDEXED BY part_ready
WHERE state = 0 AND waiting = 0 AND smsc = ? AND priority = ? AND account > ? ORDER BY account LIMIT 1

-- next_accounts --
-- The accounts with parts that may go to one SMSC, by priority: at most so many of each, each once; those behind :after
-- first, then from the beginning around.
WITH RECURSIVE walk (priority, account, around, number) AS (
    SELECT column1, :after, :after = '', 0 FROM (VALUES (0), (1), (2))
    UNION ALL
    SELECT walk.priority, ifnull(next.account, ''), walk.around OR next.id IS NULL, walk.number + (next.id IS NOT NULL)
    FROM walk LEFT JOIN part AS next ON next.id = (SELECT part.id FROM part INDEXED BY part_ready
        WHERE state = 0 AND waiting = 0 AND smsc = :smsc AND part.priority = walk.priority AND part.account > walk.account
        ORDER BY part.account LIMIT 1)
    WHERE walk.number < :most
        AND CASE WHEN next.id IS NULL THEN NOT walk.around
            ELSE NOT walk.around OR :after = '' OR next.account <= :after END)
SELECT priority, account FROM walk WHERE number > 0 AND account <> '' ORDER BY priority, number

-- due_parts --
-- The next parts of one SMSC, priority and account, in the order of sending, behind those taken already.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0,
    part.form
FROM part INDEXED BY part_ready CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.state = 0 AND part.waiting = 0 AND part.smsc = ? AND part.priority = ? AND part.account = ?
    AND part.expires_at > ?
ORDER BY part.rank, part.due_at, part.id LIMIT ? OFFSET ?

-- mark_submitting --
-- A part is about to leave on this bind with this sequence number.
UPDATE part SET state = 1, bind = ?, sequence = ?, submitted_at = ? WHERE id = ?

-- begun --
-- Whether any part of a message has left the queue.
SELECT EXISTS (SELECT 1 FROM part WHERE id BETWEEN ? AND ? AND state <> 0)

-- put_off --
-- A part waits for the end of quiet hours, and so does what would send it another way.
UPDATE part SET due_at = ?, waiting = 1, why = 'quiet hours', escalate_at = escalate_at + ? WHERE id = ?

-- ready_since --
-- Since when a part of one SMSC and priority may go.
SELECT due_at FROM part INDEXED BY part_ready WHERE state = 0 AND waiting = 0 AND smsc = ? AND priority = ? LIMIT 1

-- next_waiting --
-- When the next part of one SMSC may go.
SELECT due_at FROM part INDEXED BY part_waiting WHERE state = 0 AND waiting = 1 AND smsc = ? ORDER BY due_at LIMIT 1

-- place_of --
-- Whose a part is, and its state.
SELECT smsc, state FROM part WHERE id = ?

-- record_accepted --
-- The SMSC took the part; a receipt that was asked for is waited for until its validity and :patience are over.
UPDATE part SET state = 2, smsc_message_id = :smsc_message_id, smsc_key = :smsc_key, command_status = 0, why = NULL,
    escalate_at = CASE promise WHEN 2 THEN escalate_at END,
    finished_at = CASE receipt WHEN 0 THEN :at ELSE max(expires_at, :at) + :patience END
WHERE id = :id AND state = :before

-- record_uncertain --
-- Nobody knows; bind, sequence number and time stay as they are.
UPDATE part SET state = 3, why = :why, escalate_at = NULL, smsc_key = coalesce(:smsc_key, smsc_key),
    finished_at = max(expires_at, :at) + :patience
WHERE id = :id AND state = :before

-- record_queued --
-- To be tried again.
UPDATE part SET state = 0, due_at = :due_at, waiting = 1, attempts = attempts + :tries, doubts = doubts + :doubt, command_status = :command_status,
    why = :why, smsc_key = coalesce(:smsc_key, smsc_key), finished_at = NULL,
    escalate_at = CASE WHEN :elsewhere AND promise > 0 THEN :at ELSE escalate_at END
WHERE id = :id AND state = :before

-- record_failed --
-- Refused for good.
UPDATE part SET state = 5, command_status = :command_status, why = :why, finished_at = :at, escalate_at = NULL
WHERE id = :id AND state = :before

-- fail_siblings --
-- A message with a failed part is not sent any further (SMPP practice: do not submit the rest).
UPDATE part SET state = 5, why = 'another part failed: ' || :why, finished_at = :at, escalate_at = NULL
WHERE state = 0
    AND id BETWEEN (SELECT id - number + 1 FROM part WHERE id = :id AND state = 5)
        AND (SELECT id - number + total FROM part WHERE id = :id AND state = 5)

-- expired_parts --
-- Queued parts whose time is over.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0
FROM part INDEXED BY part_expiry CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.state = 0 AND part.expires_at <= ?
ORDER BY part.expires_at, part.id LIMIT ?

-- mark_expired --
-- Its time was over before it could be sent.
UPDATE part SET state = 6, why = 'validity over before it could be sent', finished_at = ?, escalate_at = NULL WHERE id = ?

-- submitting_parts --
-- Parts that somebody was about to send to one SMSC, but for those on binds that another owner still has.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0, part.sequence
FROM part INDEXED BY part_notable CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.state = 1 AND part.smsc = ?1
    AND NOT EXISTS (SELECT 1 FROM bind_lease AS lease
        WHERE lease.smsc = ?1 AND lease.owner <> ?2 AND lease.until > ?3
            AND part.bind IN (?1 || '/' || lease.number, ?1 || '/' || lease.number || '-transmitter'))
ORDER BY part.id

-- submitting_smscs --
-- The SMSCs that somebody was about to send to.
SELECT DISTINCT smsc FROM part INDEXED BY part_notable WHERE state = 1

-- any_parked --
-- Whether any receipt waits for its part.
SELECT EXISTS (SELECT 1 FROM receipt INDEXED BY receipt_parked WHERE part_id IS NULL)

-- parked_receipts --
-- Receipts that wait for one of these parts (a JSON list of ids).
SELECT DISTINCT receipt.id, receipt.smsc, receipt.smsc_message_id, receipt.smsc_key, receipt.source, receipt.stat,
    receipt.error, receipt.state, receipt.done_at, receipt.at
FROM json_each(?) AS new CROSS JOIN part ON part.id = new.value
    CROSS JOIN receipt INDEXED BY receipt_parked
        ON receipt.part_id IS NULL AND receipt.smsc_key = part.smsc_key AND receipt.smsc = part.smsc
ORDER BY receipt.id

-- parked_since --
-- Receipts parked since a time whose part is known meanwhile.
SELECT DISTINCT receipt.id, receipt.smsc, receipt.smsc_message_id, receipt.smsc_key, receipt.source, receipt.stat,
    receipt.error, receipt.state, receipt.done_at, receipt.at
FROM receipt INDEXED BY receipt_part
    CROSS JOIN part INDEXED BY part_key ON part.smsc_key = receipt.smsc_key AND part.smsc = receipt.smsc
WHERE receipt.part_id IS NULL AND receipt.at >= ?
ORDER BY receipt.id LIMIT 1000

-- find_by_key --
-- The part that an SMSC knows by this id: of several the one for this destination, and of these the newest.
-- Only the newest hundred are looked at: some SMSCs give all messages the same id.
SELECT * FROM (
    SELECT part.id, part.state, part.stat, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total,
        part.receipt
    FROM part INDEXED BY part_key CROSS JOIN mail ON mail.id = part.mail_id
    WHERE part.smsc_key = ?1 AND part.smsc = ?2 ORDER BY part.id DESC LIMIT 100)
ORDER BY destination = ?3 DESC, id DESC LIMIT 1

-- find_uncertain --
-- Parts for a phone of which the SMSC never told its id, submitted before a time. None while another one for it is on the
-- wire: that one's id is still to come.
SELECT part.id, part.state, part.stat, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total,
    part.receipt, message.text
FROM part INDEXED BY part_notable CROSS JOIN mail ON mail.id = part.mail_id
    CROSS JOIN message ON message.id = part.id - part.number + 1
WHERE part.state = 3 AND part.smsc = ?1 AND part.destination = ?2 AND part.submitted_at <= ?3
    AND NOT EXISTS (SELECT 1 FROM part AS other INDEXED BY part_notable
        WHERE other.state = 1 AND other.smsc = ?1 AND other.destination = ?2)
LIMIT 2

-- learn_id --
-- The SMSC has told by a receipt how it calls a part.
UPDATE part SET smsc_message_id = ?, smsc_key = ? WHERE id = ?

-- doubtful --
-- Parts of one SMSC that have been uncertain since before a time, for the first time.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0
FROM part INDEXED BY part_notable CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.state = 3 AND part.smsc = ? AND part.doubts = 0 AND part.submitted_at <= ?
    AND part.expires_at > ?
LIMIT 1000

-- requeue --
-- It goes once more.
UPDATE part SET state = 0, due_at = ?, waiting = 1, doubts = doubts + 1, finished_at = NULL WHERE id = ?

-- find_former --
-- The part that an SMSC knew by this id before it went another way; the newest.
SELECT part.id, part.state, part.stat, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total,
    part.receipt
FROM former_id CROSS JOIN part ON part.id = former_id.part_id CROSS JOIN mail ON mail.id = part.mail_id
WHERE former_id.smsc_key = ? AND former_id.smsc = ? ORDER BY part.id DESC LIMIT 1

-- delete_former --
-- Forget the former ids of a mail's parts.
DELETE FROM former_id WHERE part_id BETWEEN ? AND ?

-- settle_final --
-- The receipt told of the end.
UPDATE part SET state = ?, stat = ?, finished_at = ?, escalate_at = NULL WHERE id = ?

-- settle_interim --
-- The receipt told of the way.
UPDATE part SET stat = ? WHERE id = ?

-- insert_receipt --
-- Keep a receipt; without part_id it is parked.
INSERT INTO receipt (part_id, at, done_at, state, smsc, smsc_message_id, smsc_key, source, stat, error)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- attach_receipt --
-- A parked receipt has found its part.
UPDATE receipt SET part_id = ? WHERE id = ?

-- forget_parked --
-- Drop some parked receipts that nobody missed.
DELETE FROM receipt WHERE id IN (
    SELECT id FROM receipt INDEXED BY receipt_part WHERE part_id IS NULL AND at < ? ORDER BY at LIMIT ?)

-- hold_bind --
-- One bind to an SMSC is an owner's until a time, unless another's still.
INSERT INTO bind_lease (smsc, number, owner, until) VALUES (:smsc, :number, :owner, :until)
ON CONFLICT (smsc, number) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE owner = excluded.owner OR until <= :now

-- wish_binds --
-- An owner wants binds to an SMSC until a time.
INSERT OR REPLACE INTO bind_wish (smsc, owner, until) VALUES (?, ?, ?)

-- forget_wishes --
-- Drop the wishes of those that are gone.
DELETE FROM bind_wish WHERE smsc = ? AND until <= ?

-- count_wishes --
-- How many want binds to an SMSC.
SELECT count(*) FROM bind_wish WHERE smsc = ?

-- binds_of --
-- The binds to an SMSC that an owner has had.
SELECT number FROM bind_lease WHERE smsc = ? AND owner = ? ORDER BY number

-- release_wishes --
-- An owner wants no binds any more.
DELETE FROM bind_wish WHERE owner = ?

-- release_binds --
-- All binds of an owner are free.
DELETE FROM bind_lease WHERE owner = ?

-- rate_shares --
-- Who has how much of an SMSC's rate, or had it until a moment ago.
SELECT owner, parts, until, lowered_at FROM rate_share WHERE smsc = ? AND until > ?

-- forget_rate_shares --
-- Drop the shares of an SMSC's rate that ended long enough ago.
DELETE FROM rate_share WHERE smsc = ? AND until <= ?

-- hold_rate --
-- A dispatcher has so much of an SMSC's rate until a time.
INSERT OR REPLACE INTO rate_share (smsc, owner, parts, until, lowered_at) VALUES (?, ?, ?, ?, ?)

-- delete_links --
-- Forget the links reported before.
DELETE FROM link

-- insert_link --
-- One link as it is now.
INSERT OR REPLACE INTO link (smsc, bind, state, since, window_used, "window", submitted, accepted, refused, uncertain,
    note, reported_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- delete_loads --
-- Forget the loads reported before.
DELETE FROM smsc_load

-- insert_load --
-- What limits one SMSC now.
INSERT INTO smsc_load (smsc, limited_by, advice, sent_per_second, rate, contract_rate, "window", window_used,
    response_p95_ms, throttled_at, reported_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- finished_mails --
-- Mails of parts that were finished before a time, beginning after (time, id); a mail may come more than once.
SELECT part.finished_at, part.id, part.mail_id, mail.parts
FROM part INDEXED BY part_finished CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.finished_at < ?1 AND part.finished_at >= ?2 AND (part.finished_at > ?2 OR part.id > ?3)
ORDER BY part.finished_at, part.id LIMIT ?4

-- unfinished --
-- Whether a mail (first and last id of its parts) still has a part that was not finished before a time.
SELECT EXISTS (
    SELECT 1 FROM part WHERE id BETWEEN ? AND ? AND (finished_at IS NULL OR finished_at >= ?))

-- count_states --
-- How many parts of a mail are in which state.
SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
    count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5),
    count(*) FILTER (WHERE state = 6)
FROM part WHERE id BETWEEN ? AND ?

-- delete_receipts --
-- Forget the receipts of a mail.
DELETE FROM receipt WHERE part_id BETWEEN ? AND ?

-- delete_parts --
-- Forget the parts of a mail.
DELETE FROM part WHERE id BETWEEN ? AND ?

-- delete_messages --
-- Forget the messages of a mail.
DELETE FROM message WHERE id BETWEEN ? AND ?

-- delete_mail --
-- Forget a mail.
DELETE FROM mail WHERE id = ?

-- forget_references --
-- Drop references not used since a time.
DELETE FROM reference WHERE used_at < ?

-- forget_all_usage --
-- Drop usage whose window ended before a time.
DELETE FROM usage WHERE until < ?

-- finished_partless --
-- Mails without parts that came before a time, of which all is told and nothing will be: what they are counted in was
-- finished before that time.
SELECT id FROM mail INDEXED BY mail_partless WHERE parts = 0 AND received_at < ?1
    AND NOT EXISTS (SELECT 1 FROM report WHERE report.mail_id = mail.id AND report.finished_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM counted INDEXED BY counted_mail CROSS JOIN part ON part.id = counted.into_id
        WHERE counted.mail_id = mail.id AND coalesce(part.finished_at, ?1) >= ?1)
ORDER BY received_at LIMIT ?2

-- unreported --
-- Whether a mail has a report that the MTA has not taken yet.
SELECT EXISTS (SELECT 1 FROM report WHERE mail_id = ? AND finished_at IS NULL)

-- delete_reports --
-- Forget the reports of a mail.
DELETE FROM report WHERE mail_id = ?

-- delete_listeners --
-- Forget who is told of a mail's messages.
DELETE FROM listener WHERE mail_id = ?

-- delete_comments --
-- Forget what the sender noted on these messages.
DELETE FROM comment WHERE message_id BETWEEN ? AND ?

-- delete_counted --
-- Forget which messages of a mail are counted in others.
DELETE FROM counted WHERE mail_id = ?

-- delete_left_out --
-- Forget the destinations that got nothing from a mail.
DELETE FROM left_out WHERE mail_id = ?

-- delete_original --
-- Forget what reports would repeat of a mail.
DELETE FROM original WHERE mail_id = ?

-- cancellations --
-- What an SMSC is to be asked to cancel, if it still has it.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise, part.smsc_message_id
FROM cancellation CROSS JOIN part ON part.id = cancellation.part_id CROSS JOIN mail ON mail.id = part.mail_id
WHERE part.state = 2 AND part.smsc = ? ORDER BY cancellation.part_id LIMIT 100

-- forget_cancellation --
-- The SMSC has answered.
DELETE FROM cancellation WHERE part_id = ?

-- forget_cancellations --
-- Drop what was asked for before a time.
DELETE FROM cancellation WHERE at < ?

-- record_cancelled --
-- The SMSC has cancelled it.
UPDATE part SET state = 5, why = 'cancelled by the operator', finished_at = ? WHERE id = ? AND state = 2
