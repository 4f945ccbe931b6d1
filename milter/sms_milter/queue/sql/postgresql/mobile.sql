-- find_mobile --
-- The newest message that a part belongs to: the same two numbers, reference and total, begun after a time.
SELECT id, arrived FROM mobile
WHERE source = $1 AND destination = $2 AND smsc = $3 AND width = $4 AND reference = $5 AND total = $6 AND at > $7
ORDER BY at DESC, id DESC LIMIT 1

-- insert_mobile --
-- A message from a phone, with its first part.
INSERT INTO mobile (smsc, source, destination, alphabet, width, reference, total, at, due_at, arrived)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)
RETURNING id

-- insert_mobile_part --
-- Keep a part of it.
INSERT INTO mobile_part (mobile_id, number, content) VALUES ($1, $2, $3)

-- mobile_content --
-- A part that has come already.
SELECT content FROM mobile_part WHERE mobile_id = $1 AND number = $2

-- mobile_grown --
-- One more part has come; with the last one it is told at once.
UPDATE mobile SET arrived = $1, due_at = CASE WHEN $2 THEN $3 ELSE due_at END WHERE id = $4

-- due_mobile --
-- What is to be told now, the oldest first.
SELECT id, smsc, source, destination, alphabet, total, at FROM mobile
WHERE finished_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2

-- mobile_contents --
-- The parts that have come.
SELECT number, content FROM mobile_part WHERE mobile_id = $1

-- conversations --
-- The newest messages that reached a phone and that it can answer.
SELECT mail.id, mail.mta_queue_id, mail.account, mail.dialect, mail.sender, message.recipient, message.originator,
    message.reference, mail.message_id
FROM message JOIN mail ON mail.id = message.mail_id
    JOIN part ON part.id = message.id
WHERE message.destination = $1 AND (message.originator = '' OR message.originator ~ '^[0-9+]')
    AND part.state IN (2, 3, 4)
ORDER BY message.id DESC LIMIT $2

-- mobile_told --
-- Somebody knows.
UPDATE mobile SET finished_at = $1 WHERE id = $2

-- forget_mobile_parts --
-- Drop the parts of some messages that came before a time.
DELETE FROM mobile_part WHERE mobile_id IN (
    SELECT id FROM mobile WHERE at < $1 ORDER BY at, id LIMIT $2)

-- forget_mobile --
-- Drop these messages.
DELETE FROM mobile WHERE id IN (SELECT id FROM mobile WHERE at < $1 ORDER BY at, id LIMIT $2)

-- list_mobile --
-- The newest messages from phones, without their text.
SELECT id AS mobile_id, at, smsc, source, destination, total AS parts, arrived,
    CASE WHEN finished_at IS NOT NULL THEN 'told' WHEN arrived < total THEN 'incomplete' ELSE 'waiting' END AS state
FROM mobile ORDER BY id DESC LIMIT $1

-- count_mobile --
-- How many are not told yet.
SELECT count(*) FROM mobile WHERE finished_at IS NULL
