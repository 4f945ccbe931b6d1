-- last_id --
-- The last id given out.
SELECT last_id FROM counter

-- count --
-- Advance the ids and the numbers of parts by state.
UPDATE counter SET
    last_id = last_id + :ids,
    queued = queued + :queued,
    submitting = submitting + :submitting,
    accepted = accepted + :accepted,
    uncertain = uncertain + :uncertain,
    delivered = delivered + :delivered,
    failed = failed + :failed,
    expired = expired + :expired

-- count_new --
-- New mails: so many ids are given out, so many parts are queued more, and have failed already.
UPDATE counter SET last_id = last_id + :ids, queued = queued + :queued, failed = failed + :failed

-- find_fingerprint --
-- The newest mail with this fingerprint within the retry window.
SELECT id FROM mail WHERE fingerprint = ? AND received_at > ? ORDER BY id DESC LIMIT 1

-- insert_mail --
-- Store a mail.
INSERT INTO mail (id, received_at, parts, mta_queue_id, account, dialect, sender, client, message_id, fingerprint)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_message --
-- Store a message of a mail.
INSERT INTO message (id, mail_id, priority, flash, receipt, not_before, validity_seconds, channel, kind, route,
    recipient, originator, destination, reference, referrer, concatenation, text, notify, original_recipient,
    overdue_at, notice, public_id, room, features)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_original --
-- Keep what reports will repeat of a mail.
INSERT INTO original (mail_id, envelope_id, header) VALUES (?, ?, ?)

-- insert_listener --
-- Who is told what becomes of a mail's messages.
INSERT INTO listener (mail_id, target, told, is_url, gather_seconds) VALUES (?, ?, ?, ?, ?)

-- insert_comment --
-- Keep what the sender noted on a message.
INSERT INTO comment (message_id, text) VALUES (?, ?)

-- insert_left_out --
-- Keep a destination that got nothing.
INSERT INTO left_out (mail_id, destination, why) VALUES (?, ?, ?)

-- insert_counted --
-- Who is told what becomes of a message that is counted in another.
INSERT INTO counted (id, mail_id, into_id, recipient, original_recipient, reference, referrer, public_id, notify, notice)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- next_number --
-- An account's next number, from 1 on and round again after the last of 32 bits.
INSERT INTO number (account, last) VALUES (?, 1)
ON CONFLICT (account) DO UPDATE SET last = last % 2147483647 + 1
RETURNING last

-- last_number --
-- The last number given out for an account.
SELECT last FROM number WHERE account = ?

-- insert_answer --
-- An answer of the mail's dialect, to be mailed at once.
INSERT INTO report (mail_id, created_at, due_at, recipient, subject, body, author, author_name)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- insert_part --
-- Store a part, queued.
INSERT INTO part (id, mail_id, number, total, state, priority, attempts, doubts, receipt, due_at, expires_at, smsc,
    destination, body, account, rank, waiting, form, promise, escalate_at)
VALUES (?, ?, ?, ?, 0, ?, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- insert_failed --
-- Store a part that failed before it could be sent, for the smsc ''; why, in words and as a command_status.
INSERT INTO part (id, mail_id, number, total, state, priority, attempts, doubts, receipt, due_at, expires_at, smsc,
    destination, submitted_at, command_status, why, finished_at, body, account, rank, waiting)
VALUES (?1, ?2, 1, 1, 5, ?3, 0, 0, 0, ?4, ?4, '', ?5, ?4, ?6, ?7, ?4, x'', ?8, 0, 0)

-- next_reference --
-- Use up a concatenation reference between two addresses; the first one is given.
INSERT INTO reference (source, destination, value, used_at) VALUES (?, ?, ?, ?)
ON CONFLICT (source, destination) DO UPDATE SET value = (value + 1) % 65536, used_at = excluded.used_at
RETURNING value

-- store_failure --
-- Remember a failed login.
INSERT INTO failed_login (who, at, until) VALUES (?, ?, ?)

-- count_failures --
-- How often somebody failed since a time.
SELECT count(*) FROM failed_login WHERE who = ? AND at > ?

-- clear_failures --
-- They have led to a block and count no more.
DELETE FROM failed_login WHERE who = ?

-- store_block --
-- Nobody by that name may log in until a time.
INSERT INTO login_block (who, until) VALUES (?, ?)
ON CONFLICT (who) DO UPDATE SET until = max(until, excluded.until)

-- find_block --
-- A block that lasts.
SELECT 1 FROM login_block WHERE who = ? AND until > ?

-- list_blocks --
-- The blocks that last.
SELECT who, until FROM login_block WHERE until > ? ORDER BY until, who

-- lift_block --
-- It lasts no longer.
DELETE FROM login_block WHERE who = ? AND until > ?

-- forget_failures --
-- Drop some failures that count no more.
DELETE FROM failed_login WHERE rowid IN (SELECT rowid FROM failed_login WHERE until <= ? LIMIT 50)

-- forget_blocks --
-- Drop some blocks that are over.
DELETE FROM login_block WHERE who IN (SELECT who FROM login_block WHERE until <= ? LIMIT 50)
