-- find_record --
-- What an account's mails have left behind by a name.
SELECT value, until, mail_id FROM record WHERE account = ? AND kind = ? AND name = ?

-- store_record --
-- Leave it behind.
INSERT INTO record (account, kind, name, value, until, mail_id) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, kind, name) DO UPDATE SET
    value = excluded.value, until = excluded.until, mail_id = excluded.mail_id

-- forget_records --
-- Drop some whose time is over.
DELETE FROM record WHERE (account, kind, name) IN (
    SELECT account, kind, name FROM record INDEXED BY record_until WHERE until <= ? LIMIT 50)

-- find_fates --
-- The parts of an account's newest message with a reference, each with its newest receipt.
SELECT part.state, part.submitted_at, receipt.at, receipt.done_at, part.finished_at, receipt.stat, receipt.error,
    part.command_status
FROM part LEFT JOIN receipt ON receipt.id = (
    SELECT id FROM receipt INDEXED BY receipt_part WHERE part_id = part.id ORDER BY at DESC, id DESC LIMIT 1)
WHERE part.id BETWEEN :message AND :message + (SELECT total FROM part WHERE id = :message) - 1
ORDER BY part.id

-- newest_message --
-- An account's newest message with a reference, or the one that it is counted in.
SELECT id AS about, id FROM message INDEXED BY message_reference WHERE referrer = ?1 AND reference = ?2
UNION ALL SELECT into_id, id FROM counted INDEXED BY counted_reference WHERE referrer = ?1 AND reference = ?2
ORDER BY 2 DESC LIMIT 1
