-- ripen --
-- Parts of one SMSC that had to wait until now.
UPDATE part SET waiting = 0 WHERE id IN (
    SELECT id FROM part WHERE state = 0 AND waiting = 1 AND smsc = $1 AND due_at <= $2
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)

-- next_account --
-- The first account behind another with parts that may go, of one SMSC and priority.
SELECT account FROM part
WHERE state = 0 AND waiting = 0 AND smsc = $1 AND priority = $2 AND account > $3 ORDER BY account LIMIT 1

-- next_accounts --
-- The accounts with parts that may go to one SMSC, by priority: at most so many of each, each once; those behind :after
-- first, then from the beginning around.
WITH RECURSIVE walk (priority, account, around, number) AS (
    SELECT level, :after::text COLLATE "C", :after = '', 0 FROM generate_series(0, 2) AS level
    UNION ALL
    SELECT priority, coalesce(next, ''), around OR next IS NULL, number + (next IS NOT NULL)::int
    FROM (SELECT walk.*, (SELECT part.account FROM part
            WHERE state = 0 AND waiting = 0 AND smsc = :smsc AND part.priority = walk.priority AND part.account > walk.account
            ORDER BY part.account LIMIT 1) AS next
        FROM walk WHERE number < :most) AS step
    WHERE CASE WHEN next IS NULL THEN NOT around ELSE NOT around OR :after = '' OR next <= :after END)
SELECT priority, account FROM walk WHERE number > 0 AND account <> '' ORDER BY priority, number

-- due_parts --
-- The next parts of one SMSC, priority and account, in the order of sending, behind those taken already.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0, part.form
FROM part JOIN mail ON mail.id = part.mail_id
WHERE part.state = 0 AND part.waiting = 0 AND part.smsc = $1 AND part.priority = $2 AND part.account = $3
    AND part.expires_at > $4
ORDER BY part.rank, part.due_at, part.id LIMIT $5 OFFSET $6 FOR UPDATE OF part SKIP LOCKED

-- mark_submitting --
-- A part is about to leave on this bind with this sequence number.
UPDATE part SET state = 1, owner = :owner, bind = marked.bind, sequence = marked.sequence, submitted_at = marked.at
FROM unnest($1::text[], $2::bigint[], $3::float8[], $4::bigint[]) AS marked (bind, sequence, at, id)
WHERE part.id = marked.id

-- begun --
-- Whether any part of a message has left the queue.
SELECT place, EXISTS (SELECT 1 FROM part WHERE id BETWEEN message.first AND message.last AND state <> 0)
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS message (first, last, place)

-- put_off --
-- A part waits for the end of quiet hours, and so does what would send it another way.
UPDATE part SET due_at = off.until, waiting = 1, why = 'quiet hours', escalate_at = escalate_at + off.later
FROM unnest($1::float8[], $2::float8[], $3::bigint[]) AS off (until, later, id) WHERE part.id = off.id

-- ready_since --
-- Since when a part of one SMSC and priority may go.
SELECT due_at FROM part WHERE state = 0 AND waiting = 0 AND smsc = $1 AND priority = $2 LIMIT 1

-- next_waiting --
-- When the next part of one SMSC may go.
SELECT due_at FROM part WHERE state = 0 AND waiting = 1 AND smsc = $1 ORDER BY due_at LIMIT 1

-- place_of --
-- Whose a part is, and its state.
SELECT smsc, state FROM part WHERE id = $1

-- record_accepted --
-- The SMSC took the part; a receipt that was asked for is waited for until its validity and :patience are over.
UPDATE part SET state = 2, smsc_message_id = new.smsc_message_id, smsc_key = new.smsc_key, command_status = 0, why = NULL,
    escalate_at = CASE promise WHEN 2 THEN escalate_at END,
    finished_at = CASE receipt WHEN 0 THEN new.at ELSE greatest(expires_at, new.at) + :patience END
FROM unnest(:id::bigint[], :at::float8[], :smsc_message_id::text[], :smsc_key::text[])
    AS new (id, at, smsc_message_id, smsc_key)
WHERE part.id = new.id AND state = :before

-- record_uncertain --
-- Nobody knows; bind, sequence number and time stay as they are.
UPDATE part SET state = 3, why = new.why, escalate_at = NULL, smsc_key = coalesce(new.smsc_key, part.smsc_key),
    finished_at = greatest(expires_at, new.at) + :patience
FROM unnest(:id::bigint[], :at::float8[], :why::text[], :smsc_key::text[]) AS new (id, at, why, smsc_key)
WHERE part.id = new.id AND state = :before AND (state <> 1 OR owner = :owner)

-- record_queued --
-- To be tried again.
UPDATE part SET state = 0, due_at = new.due_at, waiting = 1, attempts = attempts + new.tries::int,
    doubts = doubts + new.doubt::int, command_status = new.command_status, why = new.why,
    smsc_key = coalesce(new.smsc_key, part.smsc_key), finished_at = NULL,
    escalate_at = CASE WHEN new.elsewhere AND promise > 0 THEN new.at ELSE escalate_at END
FROM unnest(:id::bigint[], :at::float8[], :due_at::float8[], :tries::boolean[], :doubt::boolean[],
    :elsewhere::boolean[], :command_status::bigint[], :why::text[], :smsc_key::text[])
    AS new (id, at, due_at, tries, doubt, elsewhere, command_status, why, smsc_key)
WHERE part.id = new.id AND state = :before AND (state <> 1 OR owner = :owner)

-- record_failed --
-- Refused for good.
UPDATE part SET state = 5, command_status = new.command_status, why = new.why, finished_at = new.at, escalate_at = NULL
FROM unnest(:id::bigint[], :at::float8[], :command_status::bigint[], :why::text[]) AS new (id, at, command_status, why)
WHERE part.id = new.id AND state = :before AND (state <> 1 OR owner = :owner)

-- fail_siblings --
-- A message with a failed part is not sent any further (SMPP practice: do not submit the rest).
UPDATE part SET state = 5, why = 'another part failed: ' || failed.why, finished_at = failed.at, escalate_at = NULL
FROM unnest(:id::bigint[], :at::float8[], :why::text[]) AS failed (id, at, why)
    JOIN part AS one ON one.id = failed.id AND one.state = 5
    CROSS JOIN generate_series(one.id - one.number + 1, one.id - one.number + one.total) AS sibling (id)
WHERE part.state = 0 AND part.id = sibling.id

-- expired_parts --
-- Queued parts whose time is over.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0
FROM part JOIN mail ON mail.id = part.mail_id
WHERE part.state = 0 AND part.expires_at <= $1
ORDER BY part.expires_at, part.id LIMIT $2 FOR UPDATE OF part SKIP LOCKED

-- mark_expired --
-- Its time was over before it could be sent.
UPDATE part SET state = 6, why = 'validity over before it could be sent', finished_at = ended.at, escalate_at = NULL
FROM unnest($1::float8[], $2::bigint[]) AS ended (at, id) WHERE part.id = ended.id

-- submitting_parts --
-- Parts that somebody was about to send to one SMSC are ours now, but for those of another who is alive: who has that bind
-- still, or any at that time (0: there is no other). Of two who ask at the same time the second finds the first alive.
WITH taken AS (
    UPDATE part SET owner = :owner
    WHERE state = 1 AND smsc = $1
        AND NOT EXISTS (SELECT 1 FROM bind_lease AS lease
            WHERE lease.smsc = $1 AND lease.owner <> $2 AND lease.until > $3
                AND part.bind IN ($1 || '/' || lease.number, $1 || '/' || lease.number || '-transmitter'))
        AND ($3 = 0 OR NOT EXISTS (SELECT 1 FROM bind_lease AS lease
            WHERE lease.owner = part.owner AND lease.owner <> :owner AND lease.until > $3))
    RETURNING id, mail_id, destination, number, total, body, attempts, expires_at, doubts, account, promise, sequence)
SELECT taken.id, mail_id, mail.mta_queue_id, destination, number, total, body, attempts, mail.received_at, expires_at, doubts,
    taken.account, promise > 0, sequence
FROM taken JOIN mail ON mail.id = mail_id ORDER BY taken.id

-- submitting_smscs --
-- The SMSCs that somebody was about to send to.
SELECT DISTINCT smsc FROM part WHERE state = 1

-- any_parked --
-- Whether any receipt waits for its part.
SELECT EXISTS (SELECT 1 FROM receipt WHERE part_id IS NULL)

-- parked_receipts --
-- Receipts that wait for one of these parts (a list of ids).
SELECT DISTINCT receipt.id, receipt.smsc, receipt.smsc_message_id, receipt.smsc_key, receipt.source, receipt.stat,
    receipt.error, receipt.state, receipt.done_at, receipt.at
FROM unnest($1::bigint[]) AS new (value) JOIN part ON part.id = new.value
    JOIN receipt ON receipt.part_id IS NULL AND receipt.smsc_key = part.smsc_key AND receipt.smsc = part.smsc
ORDER BY receipt.id

-- parked_since --
-- Receipts parked since a time whose part is known meanwhile.
SELECT DISTINCT receipt.id, receipt.smsc, receipt.smsc_message_id, receipt.smsc_key, receipt.source, receipt.stat,
    receipt.error, receipt.state, receipt.done_at, receipt.at
FROM receipt JOIN part ON part.smsc_key = receipt.smsc_key AND part.smsc = receipt.smsc
WHERE receipt.part_id IS NULL AND receipt.at >= $1
ORDER BY receipt.id LIMIT 1000

-- find_by_key --
-- The part that an SMSC knows by this id: of several the one for this destination, and of these the newest.
-- Only the newest hundred are looked at: some SMSCs give all messages the same id.
SELECT wanted.place, found.* FROM unnest($1::text[], $2::text[], $3::text[])
    WITH ORDINALITY AS wanted (smsc_key, smsc, phone, place)
CROSS JOIN LATERAL (SELECT * FROM (
    SELECT part.id, part.state, part.stat, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total,
        part.receipt
    FROM part JOIN mail ON mail.id = part.mail_id
    WHERE part.smsc_key = wanted.smsc_key AND part.smsc = wanted.smsc
    ORDER BY part.id DESC LIMIT 100) AS newest
ORDER BY destination = wanted.phone DESC, id DESC LIMIT 1) AS found

-- find_uncertain --
-- Parts for a phone of which the SMSC never told its id, submitted before a time. None while another one for it is on the
-- wire: that one's id is still to come.
SELECT part.id, part.state, part.stat, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total,
    part.receipt, message.text
FROM part JOIN mail ON mail.id = part.mail_id
    JOIN message ON message.id = part.id - part.number + 1
WHERE part.state = 3 AND part.smsc = $1 AND part.destination = $2 AND part.submitted_at <= $3
    AND NOT EXISTS (SELECT 1 FROM part AS other
        WHERE other.state = 1 AND other.smsc = $1 AND other.destination = $2)
LIMIT 2

-- learn_id --
-- The SMSC has told by a receipt how it calls a part.
UPDATE part SET smsc_message_id = $1, smsc_key = $2 WHERE id = $3

-- doubtful --
-- Parts of one SMSC that have been uncertain since before a time, for the first time.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0
FROM part JOIN mail ON mail.id = part.mail_id
WHERE part.state = 3 AND part.smsc = $1 AND part.doubts = 0 AND part.submitted_at <= $2
    AND part.expires_at > $3
LIMIT 1000 FOR UPDATE OF part SKIP LOCKED

-- requeue --
-- It goes once more.
UPDATE part SET state = 0, due_at = again.at, waiting = 1, doubts = doubts + 1, finished_at = NULL
FROM unnest($1::float8[], $2::bigint[]) AS again (at, id) WHERE part.id = again.id

-- find_former --
-- The part that an SMSC knew by this id before it went another way; the newest.
SELECT part.id, part.state, part.stat, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total,
    part.receipt
FROM former_id JOIN part ON part.id = former_id.part_id JOIN mail ON mail.id = part.mail_id
WHERE former_id.smsc_key = $1 AND former_id.smsc = $2 ORDER BY part.id DESC LIMIT 1

-- delete_former --
-- Forget the former ids of a mail's parts.
DELETE FROM former_id USING unnest($1::bigint[], $2::bigint[]) AS mail (first, last) WHERE part_id BETWEEN first AND last

-- settle_final --
-- The receipt told of the end.
UPDATE part SET state = told.state, stat = told.stat, finished_at = told.at, escalate_at = NULL
FROM unnest($1::bigint[], $2::text[], $3::float8[], $4::bigint[]) AS told (state, stat, at, id) WHERE part.id = told.id

-- settle_interim --
-- The receipt told of the way.
UPDATE part SET stat = told.stat FROM unnest($1::text[], $2::bigint[]) AS told (stat, id) WHERE part.id = told.id

-- insert_receipt --
-- Keep a receipt; without part_id it is parked.
INSERT INTO receipt (part_id, at, done_at, state, smsc, smsc_message_id, smsc_key, source, stat, error)
SELECT * FROM unnest($1::bigint[], $2::float8[], $3::float8[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[])

-- attach_receipt --
-- A parked receipt has found its part.
UPDATE receipt SET part_id = $1 WHERE id = $2

-- forget_parked --
-- Drop some parked receipts that nobody missed.
DELETE FROM receipt WHERE id IN (
    SELECT id FROM receipt WHERE part_id IS NULL AND at < $1 ORDER BY at LIMIT nullif($2, -1) FOR UPDATE SKIP LOCKED)

-- hold_bind --
-- One bind to an SMSC is an owner's until a time, unless another's still.
INSERT INTO bind_lease (smsc, number, owner, until) VALUES (:smsc, :number, :owner, :until)
ON CONFLICT (smsc, number) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE bind_lease.owner = excluded.owner OR bind_lease.until <= :now

-- wish_binds --
-- An owner wants binds to an SMSC until a time.
INSERT INTO bind_wish (smsc, owner, until) VALUES ($1, $2, $3)
ON CONFLICT (smsc, owner) DO UPDATE SET until = excluded.until

-- forget_wishes --
-- Drop the wishes of those that are gone.
DELETE FROM bind_wish WHERE smsc = $1 AND until <= $2

-- count_wishes --
-- How many want binds to an SMSC.
SELECT count(*) FROM bind_wish WHERE smsc = $1

-- binds_of --
-- The binds to an SMSC that an owner has had.
SELECT number FROM bind_lease WHERE smsc = $1 AND owner = $2 ORDER BY number

-- release_wishes --
-- An owner wants no binds any more.
DELETE FROM bind_wish WHERE owner = $1

-- release_binds --
-- All binds of an owner are free.
DELETE FROM bind_lease WHERE owner = $1

-- rate_shares --
-- Who has how much of an SMSC's rate, or had it until a moment ago.
SELECT owner, parts, until, lowered_at FROM rate_share WHERE smsc = $1 AND until > $2

-- forget_rate_shares --
-- Drop the shares of an SMSC's rate that ended long enough ago.
DELETE FROM rate_share WHERE smsc = $1 AND until <= $2

-- hold_rate --
-- A dispatcher has so much of an SMSC's rate until a time.
INSERT INTO rate_share (smsc, owner, parts, until, lowered_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (smsc, owner) DO UPDATE SET
    parts = excluded.parts, until = excluded.until, lowered_at = excluded.lowered_at

-- delete_links --
-- Forget the links reported before.
DELETE FROM link WHERE owner = :owner

-- insert_link --
-- One link as it is now.
INSERT INTO link (smsc, bind, state, since, window_used, "window", submitted, accepted, refused, uncertain, note,
    reported_at, owner)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, :owner)
ON CONFLICT (owner, smsc, bind) DO UPDATE SET state = excluded.state, since = excluded.since

-- delete_loads --
-- Forget the loads reported before.
DELETE FROM smsc_load WHERE owner = :owner

-- insert_load --
-- What limits one SMSC now.
INSERT INTO smsc_load (smsc, limited_by, advice, sent_per_second, rate, contract_rate, "window", window_used,
    response_p95_ms, throttled_at, reported_at, owner)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, :owner)

-- finished_mails --
-- Mails of parts that were finished before a time, beginning after (time, id); a mail may come more than once.
SELECT part.finished_at, part.id, part.mail_id, mail.parts
FROM part JOIN mail ON mail.id = part.mail_id
WHERE part.finished_at < $1 AND (part.finished_at, part.id) > ($2, $3)
ORDER BY part.finished_at, part.id LIMIT $4

-- unfinished --
-- Whether a mail (first and last id of its parts) still has a part that was not finished before a time.
SELECT place, EXISTS (
    SELECT 1 FROM part WHERE id BETWEEN first AND last AND (finished_at IS NULL OR finished_at >= before))
FROM unnest($1::bigint[], $2::bigint[], $3::float8[]) WITH ORDINALITY AS mail (first, last, before, place)

-- count_states --
-- How many parts of a mail are in which state.
SELECT place, counted.* FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS mail (first, last, place)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 1), count(*) FILTER (WHERE state = 2),
        count(*) FILTER (WHERE state = 3), count(*) FILTER (WHERE state = 4), count(*) FILTER (WHERE state = 5),
        count(*) FILTER (WHERE state = 6)
    FROM part WHERE id BETWEEN first AND last) AS counted

-- delete_receipts --
-- Forget the receipts of a mail.
DELETE FROM receipt USING unnest($1::bigint[], $2::bigint[]) AS mail (first, last) WHERE part_id BETWEEN first AND last

-- delete_parts --
-- Forget the parts of a mail.
DELETE FROM part USING unnest($1::bigint[], $2::bigint[]) AS mail (first, last) WHERE id BETWEEN first AND last

-- delete_messages --
-- Forget the messages of a mail.
DELETE FROM message USING unnest($1::bigint[], $2::bigint[]) AS mail (first, last) WHERE id BETWEEN first AND last

-- delete_mail --
-- Forget a mail.
DELETE FROM mail USING unnest($1::bigint[]) AS gone (id) WHERE mail.id = gone.id

-- forget_references --
-- Drop references not used since a time.
DELETE FROM reference WHERE used_at < $1

-- forget_all_usage --
-- Drop usage whose window ended before a time.
DELETE FROM usage WHERE until < $1

-- finished_partless --
-- Mails without parts that came before a time, of which all is told and nothing will be: what they are counted in was
-- finished before that time.
SELECT id FROM mail WHERE parts = 0 AND received_at < $1
    AND NOT EXISTS (SELECT 1 FROM report WHERE report.mail_id = mail.id AND report.finished_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM counted JOIN part ON part.id = counted.into_id
        WHERE counted.mail_id = mail.id AND coalesce(part.finished_at, $1) >= $1)
ORDER BY received_at LIMIT $2

-- unreported --
-- Whether a mail has a report that the MTA has not taken yet.
SELECT place, EXISTS (SELECT 1 FROM report WHERE mail_id = mail.id AND finished_at IS NULL)
FROM unnest($1::bigint[]) WITH ORDINALITY AS mail (id, place)

-- delete_reports --
-- Forget the reports of a mail.
DELETE FROM report USING unnest($1::bigint[]) AS gone (id) WHERE report.mail_id = gone.id

-- delete_listeners --
-- Forget who is told of a mail's messages.
DELETE FROM listener USING unnest($1::bigint[]) AS gone (id) WHERE listener.mail_id = gone.id

-- delete_comments --
-- Forget what the sender noted on these messages.
DELETE FROM comment USING unnest($1::bigint[], $2::bigint[]) AS mail (first, last) WHERE message_id BETWEEN first AND last

-- delete_counted --
-- Forget which messages of a mail are counted in others.
DELETE FROM counted USING unnest($1::bigint[]) AS gone (id) WHERE counted.mail_id = gone.id

-- delete_left_out --
-- Forget the destinations that got nothing from a mail.
DELETE FROM left_out USING unnest($1::bigint[]) AS gone (id) WHERE left_out.mail_id = gone.id

-- delete_original --
-- Forget what reports would repeat of a mail.
DELETE FROM original USING unnest($1::bigint[]) AS gone (id) WHERE original.mail_id = gone.id

-- cancellations --
-- What an SMSC is to be asked to cancel, if it still has it.
SELECT part.id, part.mail_id, mail.mta_queue_id, part.destination, part.number, part.total, part.body, part.attempts,
    mail.received_at, part.expires_at, part.doubts, part.account, part.promise > 0, part.smsc_message_id
FROM cancellation JOIN part ON part.id = cancellation.part_id JOIN mail ON mail.id = part.mail_id
WHERE part.state = 2 AND part.smsc = $1 ORDER BY cancellation.part_id LIMIT 100

-- forget_cancellation --
-- The SMSC has answered.
DELETE FROM cancellation WHERE part_id = $1

-- forget_cancellations --
-- Drop what was asked for before a time.
DELETE FROM cancellation WHERE at < $1

-- record_cancelled --
-- The SMSC has cancelled it.
UPDATE part SET state = 5, why = 'cancelled by the operator', finished_at = $1 WHERE id = $2 AND state = 2

-- forget_links --
-- Drop the links reported by dispatchers that are gone.
DELETE FROM link WHERE owner <> :owner AND NOT EXISTS (SELECT 1 FROM bind_wish WHERE bind_wish.owner = link.owner)

-- forget_loads --
-- Drop what limited the SMSCs of dispatchers that are gone.
DELETE FROM smsc_load WHERE owner <> :owner AND NOT EXISTS (SELECT 1 FROM bind_wish WHERE bind_wish.owner = smsc_load.owner)
