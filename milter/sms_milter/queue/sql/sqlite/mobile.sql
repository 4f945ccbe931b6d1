-- find_mobile --
-- The newest message that a part belongs to: the same two numbers, reference and total, begun after a time.
SELECT id, arrived FROM mobile INDEXED BY mobile_numbers
WHERE source = ? AND destination = ? AND smsc = ? AND width = ? AND reference = ? AND total = ? AND at > ?
ORDER BY at DESC, id DESC LIMIT 1

-- insert_mobile --
-- A message from a phone, with its first part.
INSERT INTO mobile (smsc, source, destination, alphabet, width, reference, total, at, due_at, arrived)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
RETURNING id

-- insert_mobile_part --
-- Keep a part of it.
INSERT INTO mobile_part (mobile_id, number, content) VALUES (?, ?, ?)

-- mobile_content --
-- A part that has come already.
SELECT content FROM mobile_part WHERE mobile_id = ? AND number = ?

-- mobile_grown --
-- One more part has come; with the last one it is told at once.
UPDATE mobile SET arrived = ?1, due_at = CASE WHEN ?2 THEN ?3 ELSE due_at END WHERE id = ?4

-- due_mobile --
-- What is to be told now, the oldest first.
SELECT id, smsc, source, destination, alphabet, total, at FROM mobile INDEXED BY mobile_due
WHERE finished_at IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?

-- mobile_contents --
-- The parts that have come.
SELECT number, content FROM mobile_part WHERE mobile_id = ?

-- conversations --
-- The newest messages that reached a phone and that it can answer.
SELECT mail.id, mail.mta_queue_id, mail.account, mail.dialect, mail.sender, message.recipient, message.originator,
    message.reference, mail.message_id
FROM message INDEXED BY message_conversation CROSS JOIN mail ON mail.id = message.mail_id
    CROSS JOIN part ON part.id = message.id
WHERE message.destination = ? AND (message.originator = '' OR message.originator GLOB '[0-9+]*')
    AND part.state IN (2, 3, 4)
ORDER BY message.id DESC LIMIT ?

-- mobile_told --
-- Somebody knows.
UPDATE mobile SET finished_at = ? WHERE id = ?

-- forget_mobile_parts --
-- Drop the parts of some messages that came before a time.
DELETE FROM mobile_part WHERE mobile_id IN (
    SELECT id FROM mobile INDEXED BY mobile_at WHERE at < ? ORDER BY at, id LIMIT ?)

-- forget_mobile --
-- Drop these messages.
DELETE FROM mobile WHERE id IN (SELECT id FROM mobile INDEXED BY mobile_at WHERE at < ? ORDER BY at, id LIMIT ?)

-- list_mobile --
-- The newest messages from phones, without their text.
SELECT id AS mobile_id, at, smsc, source, destination, total AS parts, arrived,
    CASE WHEN finished_at IS NOT NULL THEN 'told' WHEN arrived < total THEN 'incomplete' ELSE 'waiting' END AS state
FROM mobile ORDER BY id DESC LIMIT ?

-- count_mobile --
-- How many are not told yet.
SELECT count(*) FROM mobile INDEXED BY mobile_due WHERE finished_at IS NULL
