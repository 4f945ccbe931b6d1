-- due_reports --
-- What is due now, the longest due first: mails, or URLs to be requested.
SELECT report.id, report.mail_id, report.listener_id, listener.gather_seconds,
    CASE WHEN report.message_id IS NOT NULL AND report.listener_id = 0 THEN mail.sender END
FROM report JOIN mail ON mail.id = report.mail_id
    LEFT JOIN listener ON listener.id = report.listener_id
WHERE report.finished_at IS NULL AND report.is_url = $1 AND report.due_at <= $2
ORDER BY report.due_at, report.id LIMIT $3

-- gathered --
-- What becomes one mail: all that a listener is to be told of one mail's messages.
SELECT id FROM report
WHERE mail_id = $1 AND listener_id = $2 AND finished_at IS NULL ORDER BY id LIMIT $3

-- reports --
-- All about these (a list of ids).
SELECT report.id, report.mail_id, mail.mta_queue_id, report.created_at, report.attempts, mail.message_id,
    report.message_id, mail.account, report.recipient, report.subject, report.body, report.author, report.author_name,
    listener.target, mail.dialect,
    mail.sender, coalesce(counted.recipient, message.recipient), message.destination, report.state, report.smsc, report.stat,
    report.error, report.command_status, report.at, mail.received_at,
    coalesce(counted.original_recipient, message.original_recipient), original.envelope_id, original.header,
    message.originator, CASE WHEN counted.id IS NULL THEN message.reference ELSE counted.reference END,
    coalesce(counted.public_id, message.public_id), part.total, report.event,
    (SELECT max(doubts) FROM part AS one WHERE one.id BETWEEN message.id AND message.id + part.total - 1)
FROM unnest($1::bigint[]) AS wanted (value) JOIN report ON report.id = wanted.value
    JOIN mail ON mail.id = report.mail_id
    LEFT JOIN counted ON counted.id = report.message_id
    LEFT JOIN message ON message.id = coalesce(counted.into_id, report.message_id)
    LEFT JOIN part ON part.id = message.id
    LEFT JOIN original ON original.mail_id = report.mail_id
    LEFT JOIN listener ON listener.id = report.listener_id

-- next_report --
-- When the next one falls due.
SELECT due_at FROM report WHERE finished_at IS NULL AND is_url = $1 ORDER BY due_at LIMIT 1

-- finish_report --
-- The MTA has taken it, or never will.
UPDATE report SET finished_at = $1, why = $2 WHERE id = $3

-- defer_report --
-- To be tried again.
UPDATE report SET due_at = $1, attempts = attempts + 1, why = $2 WHERE id = $3

-- report_loss --
-- A message of which a part (:id) ended just now before the SMSC had it: the sender and the listeners that are told of
-- such are told once, and so are those of what is counted in it. One that failed without command_status was cancelled.
INSERT INTO report (mail_id, message_id, event, listener_id, is_url, created_at, due_at,
    state, smsc, stat, error, command_status, at)
WITH lost AS (
    SELECT part.id - number + 1 AS about, state, smsc, command_status, ended.at
    FROM unnest(:id::bigint[], :at::float8[]) AS ended (id, at) JOIN part ON part.id = ended.id
    WHERE state IN (5, 6) AND finished_at = ended.at
), concerned AS (
    SELECT lost.*, message.id, mail_id, notify, notice FROM lost JOIN message ON message.id = about
    UNION ALL SELECT lost.*, counted.id, mail_id, notify, notice FROM lost JOIN counted ON into_id = about
)
SELECT mail_id, id, 0, 0, false, at, at, state, smsc, '', '', command_status, at FROM concerned WHERE notify & 3 <> 0
UNION ALL
SELECT concerned.mail_id, concerned.id, 0, listener.id, is_url, at, at + gather_seconds, state, smsc, '', '',
    command_status, at
FROM concerned JOIN listener ON listener.mail_id = concerned.mail_id
WHERE notice & listener.told & 3 <> 0
ON CONFLICT DO NOTHING

-- report_news --
-- What became of a message: the sender and the listeners that are :told of such are told once, and so are those of what
-- is counted in it.
INSERT INTO report (mail_id, message_id, event, listener_id, is_url, created_at, due_at,
    state, smsc, stat, error, command_status, at)
WITH news AS (
    SELECT * FROM unnest(:message::bigint[], :event::bigint[], :told::bigint[], :now::float8[], :state::bigint[],
        :smsc::text[], :stat::text[], :error::text[], :command_status::bigint[], :at::float8[])
        AS one (about, event, told, now, state, smsc, stat, error, command_status, at)
), concerned AS (
    SELECT news.*, message.id, mail_id, notify, notice FROM news JOIN message ON message.id = about
    UNION ALL SELECT news.*, counted.id, mail_id, notify, notice FROM news JOIN counted ON into_id = about
)
SELECT mail_id, id, event, 0, false, now, now, state, smsc, stat, error, command_status, at
FROM concerned WHERE notify & told <> 0
UNION ALL
SELECT concerned.mail_id, concerned.id, event, listener.id, is_url, now, now + gather_seconds, state, smsc, stat, error,
    command_status, at
FROM concerned JOIN listener ON listener.mail_id = concerned.mail_id
WHERE notice & listener.told & concerned.told <> 0
ON CONFLICT DO NOTHING

-- any_followed --
-- Whether anybody is told how a part comes to the SMSC.
SELECT EXISTS (SELECT 1 FROM part WHERE receipt = 3 AND state IN (0, 1))

-- followed_parts --
-- Of these parts (a list of ids) those of which somebody is told: id, first and last part of its message, SMSC.
SELECT part.id, part.id - part.number + 1, part.id - part.number + part.total, part.smsc
FROM unnest($1::bigint[]) AS moved (value) JOIN part ON part.id = moved.value WHERE part.receipt = 3

-- unsent --
-- Whether the SMSC has not taken all of these parts (first and last id).
SELECT EXISTS (SELECT 1 FROM part WHERE id BETWEEN $1 AND $2 AND state NOT IN (2, 4))

-- is_ended --
-- Whether a message (id of its first and of its last part) has failed, or its end was told.
SELECT place, EXISTS (SELECT 1 FROM part WHERE id BETWEEN first AND last AND state IN (5, 6))
    OR EXISTS (SELECT 1 FROM report WHERE message_id = first AND event = 0)
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS message (first, last, place)

-- undelivered --
-- Whether any of these parts (first and last id) is not delivered.
SELECT place, EXISTS (SELECT 1 FROM part WHERE id BETWEEN first AND last AND state <> 4)
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS message (first, last, place)

-- overdue_messages --
-- Messages whose receipts should have come by now.
SELECT id, validity_seconds FROM message WHERE overdue_at <= $1 ORDER BY overdue_at LIMIT $2

-- message_parts --
-- The parts of a message.
SELECT state, smsc, coalesce(submitted_at, 0), finished_at, coalesce(command_status, 0) FROM part
WHERE id BETWEEN $1 AND $1 + (SELECT total FROM part WHERE id = $1) - 1 ORDER BY id

-- look_again --
-- When to look again whether the receipt of a message is overdue; NULL: never.
UPDATE message SET overdue_at = look.at FROM unnest($1::float8[], $2::bigint[]) AS look (at, id)
WHERE message.id = look.id AND overdue_at IS NOT NULL
