-- count --
-- Advance the ids and the numbers of parts by state.
INSERT INTO part_count (queued, submitting, accepted, uncertain, delivered, failed, expired)
VALUES (:queued, :submitting, :accepted, :uncertain, :delivered, :failed, :expired)

-- count_new --
-- New mails: so many ids are given out, so many parts are queued more, and have failed already.
INSERT INTO part_count (queued, failed) VALUES (:queued, :failed)

-- insert_mail --
-- Store a mail.
INSERT INTO mail (id, received_at, parts, mta_queue_id, account, dialect, sender, client, message_id, fingerprint)
SELECT * FROM unnest($1::bigint[], $2::float8[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::bytea[])

-- insert_message --
-- Store a message of a mail.
INSERT INTO message (id, mail_id, priority, flash, receipt, not_before, validity_seconds, channel, kind, route,
    recipient, originator, destination, reference, referrer, concatenation, text, notify, original_recipient,
    overdue_at, notice, public_id, room, features)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::boolean[], $5::boolean[], $6::float8[], $7::bigint[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[],
    $17::text[], $18::bigint[], $19::text[], $20::float8[], $21::bigint[], $22::text[], $23::bigint[], $24::bigint[])

-- insert_original --
-- Keep what reports will repeat of a mail.
INSERT INTO original (mail_id, envelope_id, header) VALUES ($1, $2, $3)

-- insert_listener --
-- Who is told what becomes of a mail's messages.
INSERT INTO listener (mail_id, target, told, is_url, gather_seconds) VALUES ($1, $2, $3, $4, $5)

-- insert_comment --
-- Keep what the sender noted on a message.
INSERT INTO comment (message_id, text) VALUES ($1, $2)

-- insert_left_out --
-- Keep a destination that got nothing.
INSERT INTO left_out (mail_id, destination, why) VALUES ($1, $2, $3)

-- insert_counted --
-- Who is told what becomes of a message that is counted in another.
INSERT INTO counted (id, mail_id, into_id, recipient, original_recipient, reference, referrer, public_id, notify, notice)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- next_number --
-- An account's next number, from 1 on and round again after the last of 32 bits.
INSERT INTO number (account, last) VALUES ($1, 1)
ON CONFLICT (account) DO UPDATE SET last = number.last % 2147483647 + 1
RETURNING last

-- last_number --
-- The last number given out for an account.
SELECT last FROM number WHERE account = $1

-- insert_answer --
-- An answer of the mail's dialect, to be mailed at once.
INSERT INTO report (mail_id, created_at, due_at, recipient, subject, body, author, author_name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- insert_part --
-- Store a part, queued.
INSERT INTO part (id, mail_id, number, total, priority, receipt, due_at, expires_at, smsc, destination, body, account, rank,
    waiting, form, promise, escalate_at, state, attempts, doubts)
SELECT *, 0, 0, 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::float8[], $8::float8[], $9::text[], $10::text[], $11::bytea[], $12::text[], $13::bigint[], $14::bigint[], $15::text[],
    $16::bigint[], $17::float8[])

-- insert_failed --
-- Store a part that failed before it could be sent, for the smsc ''; why, in words and as a command_status.
INSERT INTO part (id, mail_id, number, total, state, priority, attempts, doubts, receipt, due_at, expires_at, smsc,
    destination, submitted_at, command_status, why, finished_at, body, account, rank, waiting)
VALUES ($1, $2, 1, 1, 5, $3, 0, 0, 0, $4, $4, '', $5, $4, $6, $7, $4, '', $8, 0, 0)

-- next_reference --
-- Use up a concatenation reference between two addresses; the first one is given.
INSERT INTO reference (source, destination, value, used_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (source, destination) DO UPDATE SET value = (reference.value + 1) % 65536, used_at = excluded.used_at
RETURNING value

-- store_failure --
-- Remember a failed login.
INSERT INTO failed_login (who, at, until) VALUES ($1, $2, $3)

-- count_failures --
-- How often somebody failed since a time.
SELECT count(*) FROM failed_login WHERE who = $1 AND at > $2

-- clear_failures --
-- They have led to a block and count no more.
DELETE FROM failed_login WHERE who = $1

-- store_block --
-- Nobody by that name may log in until a time.
INSERT INTO login_block (who, until) VALUES ($1, $2)
ON CONFLICT (who) DO UPDATE SET until = greatest(login_block.until, excluded.until)

-- find_block --
-- A block that lasts.
SELECT 1 FROM login_block WHERE who = $1 AND until > $2

-- list_blocks --
-- The blocks that last.
SELECT who, until FROM login_block WHERE until > $1 ORDER BY until, who

-- lift_block --
-- It lasts no longer.
DELETE FROM login_block WHERE who = $1 AND until > $2

-- forget_failures --
-- Drop some failures that count no more.
DELETE FROM failed_login WHERE id IN (
    SELECT id FROM failed_login WHERE until <= $1 LIMIT 50 FOR UPDATE SKIP LOCKED)

-- forget_blocks --
-- Drop some blocks that are over.
DELETE FROM login_block WHERE who IN (
    SELECT who FROM login_block WHERE until <= $1 LIMIT 50 FOR UPDATE SKIP LOCKED)

-- lock --
-- Names of a kind are ours until the transaction ends; asked for in one order by all, so that nobody waits in a circle.
INSERT INTO turn (kind, name) SELECT $1, wanted.name FROM unnest($2::text[]) AS wanted (name)
ON CONFLICT (kind, name) DO UPDATE SET name = excluded.name

-- take_ids --
-- So many ids that nobody else is given, one after the other; the last id before them.
SELECT take_ids($1)

-- claim_fingerprints --
-- The fingerprints of new mails, in order, with the ids that these will have: those that are not stored within the retry
-- window are ours. Whoever else stores such a mail now waits for us.
INSERT INTO fingerprint (fingerprint, mail_id, at)
SELECT wanted.fingerprint, wanted.mail_id, $3 FROM unnest($1::bytea[], $2::bigint[]) AS wanted (fingerprint, mail_id)
ON CONFLICT (fingerprint) DO UPDATE SET mail_id = excluded.mail_id, at = excluded.at WHERE fingerprint.at <= $4
RETURNING fingerprint

-- known_fingerprints --
-- The mails that are stored with these.
SELECT fingerprint, mail_id FROM fingerprint WHERE fingerprint = ANY ($1::bytea[])

-- release_fingerprints --
-- Mails that will not be stored.
DELETE FROM fingerprint WHERE fingerprint = ANY ($1::bytea[])

-- set_fingerprint --
-- Another mail than we meant is stored with it.
UPDATE fingerprint SET mail_id = $1 WHERE fingerprint = $2

-- forget_fingerprints --
-- Drop those of mails that came before a time: whoever sends one of these again means a new one.
DELETE FROM fingerprint WHERE fingerprint IN (SELECT fingerprint FROM fingerprint WHERE at < $1 ORDER BY at LIMIT $2)

-- take_references --
-- Use up so many concatenation references between each two addresses, in order; the last of each. The first ones are
-- given.
INSERT INTO reference (source, destination, value, taken, used_at)
SELECT wanted.source, wanted.destination, (wanted.first + wanted.taken - 1) % 65536, wanted.taken, $5
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS wanted (source, destination, first, taken)
ON CONFLICT (source, destination) DO UPDATE SET
    value = (reference.value + excluded.taken) % 65536, taken = excluded.taken, used_at = excluded.used_at
RETURNING source, destination, value

-- alone --
-- Whether nobody else is at a chore; nobody will be until this transaction ends.
SELECT pg_try_advisory_xact_lock(hashtext('sms-milter chore'), hashtext($1))

-- fold_counts --
-- What many transactions have counted becomes one row.
WITH counted AS (DELETE FROM part_count RETURNING queued, submitting, accepted, uncertain, delivered, failed, expired)
INSERT INTO part_count (queued, submitting, accepted, uncertain, delivered, failed, expired)
SELECT sum(queued), sum(submitting), sum(accepted), sum(uncertain), sum(delivered), sum(failed), sum(expired)
FROM counted HAVING count(*) > 0
