-- count_flow --
-- So much was done in a minute, besides what was counted already.
INSERT INTO flow (minute, stored, refused, sent, delivered, failed) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (minute) DO UPDATE SET stored = stored + excluded.stored, refused = refused + excluded.refused,
    sent = sent + excluded.sent, delivered = delivered + excluded.delivered, failed = failed + excluded.failed

-- flow --
-- What was done from one minute to before another.
SELECT minute * 60.0 AS minute, stored, refused, sent, delivered, failed
FROM flow WHERE flow.minute >= ? AND flow.minute < ? ORDER BY flow.minute

-- forget_flow --
-- Drop the minutes before one.
DELETE FROM flow WHERE minute < ?

-- count_ready --
-- How many parts of one SMSC, priority and account may go, due after a time and up to another.
SELECT count(*) FROM part INDEXED BY part_ready
WHERE state = 0 AND waiting = 0 AND smsc = ? AND priority = ? AND account = ? AND rank IN (0, 1, 2)
    AND due_at > ? AND due_at <= ?

-- count_waiting --
-- How many parts of one SMSC had to wait, due after a time and up to another.
SELECT count(*) FROM part INDEXED BY part_waiting
WHERE state = 0 AND waiting = 1 AND smsc = ? AND due_at > ? AND due_at <= ?

-- found_numbers --
-- The newest messages to numbers that end in some digits, down to an id.
SELECT id FROM message NOT INDEXED WHERE id > ?1 AND substr(destination, -length(?2)) = ?2 ORDER BY id DESC LIMIT ?3

-- next_referrer --
-- The first account behind another whose messages have ids of its own.
SELECT referrer FROM message INDEXED BY message_reference WHERE reference IS NOT NULL AND referrer > ? ORDER BY referrer LIMIT 1

-- found_reference --
-- The newest messages that an account calls so.
SELECT id FROM message INDEXED BY message_reference
WHERE reference IS NOT NULL AND referrer = ? AND reference = ? ORDER BY id DESC LIMIT ?

-- found_mails --
-- The newest mails by the MTA's queue id or their Message-ID, down to an id: first and last id.
SELECT id, id + parts - 1 FROM mail NOT INDEXED
WHERE id > ?1 AND (mta_queue_id = ?2 OR message_id = ?2 OR message_id = '<' || ?2 || '>') ORDER BY id DESC LIMIT ?3

-- found_mail --
-- A mail by our queue id: first and last id.
SELECT id, id + parts - 1 FROM mail WHERE id = ?

-- messages_between --
-- The first messages from one id to another.
SELECT id FROM message WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?

-- found_public --
-- The newest messages whose client knows them by this id.
SELECT id FROM message INDEXED BY message_public_id WHERE public_id <> '' AND public_id = ? ORDER BY id DESC LIMIT ?

-- found_key --
-- The newest messages of which an SMSC calls a part so; some SMSCs give all of them the same id.
SELECT id - number + 1 FROM part INDEXED BY part_key WHERE smsc_key = ? ORDER BY id DESC LIMIT ?

-- found_former_key --
-- Some messages of which an SMSC once called a part so.
SELECT part.id - part.number + 1 FROM former_id CROSS JOIN part ON part.id = former_id.part_id
WHERE former_id.smsc_key = ? LIMIT ?

-- found --
-- Messages (a JSON list of ids), newest first, each with its mail.
SELECT message.id AS message_id, message.mail_id AS queue_id, mail.mta_queue_id, mail.received_at, mail.account,
    mail.dialect, mail.sender, message.destination, message.originator, message.priority, message.reference,
    nullif(message.public_id, '') AS public_id, part.smsc, part.total AS parts
FROM json_each(?) AS wanted CROSS JOIN message ON message.id = wanted.value
    CROSS JOIN part ON part.id = message.id CROSS JOIN mail ON mail.id = message.mail_id
ORDER BY message.id DESC

-- states_between --
-- How many parts from one id to another are in which state.
SELECT state, count(*) FROM part WHERE id BETWEEN ? AND ? GROUP BY state
