-- promised --
-- Messages of an SMSC whose promise is over by a time, the oldest first; one may come more than once.
SELECT id - number + 1 FROM part WHERE smsc = $1 AND escalate_at <= $2
ORDER BY escalate_at LIMIT $3 FOR UPDATE SKIP LOCKED

-- ready_for --
-- Messages that may go to an SMSC now; one may come more than once.
SELECT id - number + 1 FROM part
WHERE state = 0 AND waiting = 0 AND smsc = $1 AND priority = $2
ORDER BY account, rank, due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED

-- waiting_for --
-- Messages that may go to an SMSC later; one may come more than once.
SELECT id - number + 1 FROM part WHERE state = 0 AND waiting = 1 AND smsc = $1 LIMIT $2 FOR UPDATE SKIP LOCKED

-- unfit --
-- Messages with parts that must be composed anew; one may come more than once.
SELECT id - number + 1 FROM part WHERE state = 0 AND waiting = 2 ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED

-- next_ready_smsc --
-- The first SMSC behind another that parts may go to now.
SELECT smsc FROM part WHERE state = 0 AND waiting = 0 AND smsc > $1 ORDER BY smsc LIMIT 1

-- next_waiting_smsc --
-- The first SMSC behind another that parts may go to later.
SELECT smsc FROM part WHERE state = 0 AND waiting = 1 AND smsc > $1 ORDER BY smsc LIMIT 1

-- message --
-- A message, and what all its parts have in common.
SELECT part.mail_id, mail.mta_queue_id, message.destination, message.originator, message.route, message.text, message.kind,
    message.flash, message.concatenation, greatest(message.room, part.total), part.total,
    message.features
FROM part JOIN message ON message.id = part.id JOIN mail ON mail.id = part.mail_id
WHERE part.id = $1 FOR UPDATE OF part, message

-- parts --
-- The parts of a message (first and last id).
SELECT id, state, body, smsc, form, escalate_at, why FROM part WHERE id BETWEEN $1 AND $2 ORDER BY id FOR UPDATE

-- keep_former --
-- A receipt for what the SMSC has already may still come.
INSERT INTO former_id (smsc_key, smsc, part_id)
SELECT smsc_key, smsc, id FROM part WHERE id BETWEEN :first AND :last AND state = 2 AND smsc_key IS NOT NULL
ON CONFLICT DO NOTHING

-- move --
-- Parts that no SMSC has go to this one; one that waited for its next try goes as soon as it can.
UPDATE part SET smsc = :smsc, due_at = CASE WHEN submitted_at IS NOT NULL AND due_at < :never THEN least(due_at, :now) ELSE due_at END,
    attempts = 0, escalate_at = :escalate_at, why = :why
WHERE id BETWEEN :first AND :last AND state = 0

-- move_accepted --
-- The SMSC that has them has not kept the promise: they go to this one too.
UPDATE part SET smsc = :smsc, state = 0, waiting = 1, due_at = :now, attempts = 0, escalate_at = :escalate_at, why = :why,
    smsc_message_id = NULL, smsc_key = NULL, finished_at = NULL
WHERE id BETWEEN :first AND :last AND state = 2

-- postpone --
-- When to look again whether the message should go another way; NULL: never.
UPDATE part SET escalate_at = :escalate_at WHERE id BETWEEN :first AND :last AND escalate_at IS NOT NULL

-- set_aside --
-- The waiting parts of messages (a JSON list of part ids) must be composed anew.
UPDATE part SET waiting = 2 WHERE state = 0 AND waiting = 0 AND id IN (
    SELECT sibling.id FROM unnest($1::bigint[]) AS unfit (value) JOIN part AS one ON one.id = unfit.value
        JOIN part AS sibling ON sibling.id BETWEEN one.id - one.number + 1 AND one.id - one.number + one.total)

-- accept_form --
-- Parts go as they are.
UPDATE part SET form = :form, waiting = 1 WHERE id BETWEEN :first AND :last AND state = 0 AND waiting <> 1

-- refit --
-- A part composed anew.
UPDATE part SET body = :body, total = :total, form = :form, waiting = 1 WHERE id = :id

-- add_part --
-- One part more, beside the first of its message.
INSERT INTO part (id, mail_id, number, total, state, priority, attempts, doubts, receipt, due_at, expires_at, smsc,
    destination, body, account, rank, waiting, form, promise, escalate_at)
SELECT :id, mail_id, :id - id + 1, :total, state, priority, attempts, doubts, receipt, due_at, expires_at, smsc,
    destination, :body, account, rank, 1, :form, promise, escalate_at
FROM part WHERE id = :first

-- drop_parts --
-- Parts that the message does not need any more.
DELETE FROM part WHERE id BETWEEN $1 AND $2

-- set_concatenation --
-- The reference that its parts carry now.
UPDATE message SET concatenation = $1 WHERE id = $2
