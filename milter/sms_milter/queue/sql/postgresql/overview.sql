-- count_flow --
-- So much was done in a minute, besides what was counted already. Nobody waits for another who counts in the same minute.
INSERT INTO flow (minute, stored, refused, sent, delivered, failed) VALUES ($1, $2, $3, $4, $5, $6)

-- flow --
-- What was done from one minute to before another.
SELECT minute * 60.0::float8 AS minute, sum(stored)::bigint AS stored, sum(refused)::bigint AS refused,
    sum(sent)::bigint AS sent, sum(delivered)::bigint AS delivered, sum(failed)::bigint AS failed
FROM flow WHERE flow.minute >= $1 AND flow.minute < $2 GROUP BY flow.minute ORDER BY flow.minute

-- forget_flow --
-- Drop the minutes before one.
DELETE FROM flow WHERE minute < $1

-- fold_flow --
-- What many transactions have counted becomes one row for each minute.
WITH counted AS (DELETE FROM flow WHERE NOT folded RETURNING minute, stored, refused, sent, delivered, failed)
INSERT INTO flow (minute, stored, refused, sent, delivered, failed, folded)
SELECT minute, sum(stored), sum(refused), sum(sent), sum(delivered), sum(failed), true FROM counted GROUP BY minute

-- count_ready --
-- How many parts of one SMSC, priority and account may go, due after a time and up to another.
SELECT count(*) FROM part
WHERE state = 0 AND waiting = 0 AND smsc = $1 AND priority = $2 AND account = $3 AND rank IN (0, 1, 2)
    AND due_at > $4 AND due_at <= $5

-- count_waiting --
-- How many parts of one SMSC had to wait, due after a time and up to another.
SELECT count(*) FROM part WHERE state = 0 AND waiting = 1 AND smsc = $1 AND due_at > $2 AND due_at <= $3

-- last_id --
-- The last id given out.
SELECT last_value FROM part_id

-- found_numbers --
-- The newest messages to numbers that end in some digits, down to an id.
SELECT id FROM message WHERE id > $1 AND right(destination, length($2)) = $2 ORDER BY id DESC LIMIT $3

-- next_referrer --
-- The first account behind another whose messages have ids of its own.
SELECT referrer FROM message WHERE reference IS NOT NULL AND referrer > $1 ORDER BY referrer LIMIT 1

-- found_reference --
-- The newest messages that an account calls so.
SELECT id FROM message WHERE reference IS NOT NULL AND referrer = $1 AND reference = $2 ORDER BY id DESC LIMIT $3

-- found_mails --
-- The newest mails by the MTA's queue id or their Message-ID, down to an id: first and last id.
SELECT id, id + parts - 1 FROM mail
WHERE id > $1 AND (mta_queue_id = $2 OR message_id = $2 OR message_id = '<' || $2 || '>') ORDER BY id DESC LIMIT $3

-- found_mail --
-- A mail by our queue id: first and last id.
SELECT id, id + parts - 1 FROM mail WHERE id = $1

-- messages_between --
-- The first messages from one id to another.
SELECT id FROM message WHERE id BETWEEN $1 AND $2 ORDER BY id LIMIT $3

-- found_public --
-- The newest messages whose client knows them by this id.
SELECT id FROM message WHERE public_id <> '' AND public_id = $1 ORDER BY id DESC LIMIT $2

-- found_key --
-- The newest messages of which an SMSC calls a part so; some SMSCs give all of them the same id.
SELECT id - number + 1 FROM part WHERE smsc_key = $1 ORDER BY id DESC LIMIT $2

-- found_former_key --
-- Some messages of which an SMSC once called a part so.
SELECT part.id - part.number + 1 FROM former_id JOIN part ON part.id = former_id.part_id
WHERE former_id.smsc_key = $1 LIMIT $2

-- found --
-- Messages (a list of ids), newest first, each with its mail.
SELECT message.id AS message_id, message.mail_id AS queue_id, mail.mta_queue_id, mail.received_at, mail.account,
    mail.dialect, mail.sender, message.destination, message.originator, message.priority, message.reference,
    nullif(message.public_id, '') AS public_id, part.smsc, part.total AS parts
FROM unnest($1::bigint[]) AS wanted (value) JOIN message ON message.id = wanted.value
    JOIN part ON part.id = message.id JOIN mail ON mail.id = message.mail_id
ORDER BY message.id DESC

-- states_between --
-- How many parts from one id to another are in which state.
SELECT state, count(*) FROM part WHERE id BETWEEN $1 AND $2 GROUP BY state
