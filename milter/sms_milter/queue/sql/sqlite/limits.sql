-- first_usage --
-- The oldest entry inside the window that began after a time.
SELECT at, parts, total FROM usage WHERE account = ? AND sender = ? AND at > ? ORDER BY at LIMIT 1

-- last_usage --
-- The newest entry.
SELECT at, total FROM usage WHERE account = ? AND sender = ? ORDER BY at DESC LIMIT 1

-- usage_reaching --
-- The first entry inside the window at which the running total has reached a value.
SELECT at FROM usage WHERE account = ? AND sender = ? AND at > ? AND total >= ? ORDER BY at LIMIT 1

-- store_usage --
-- Charge parts; what is charged at the same time is one entry.
INSERT INTO usage (account, sender, at, parts, total, until) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, sender, at) DO UPDATE SET
    parts = parts + excluded.parts, total = excluded.total, until = excluded.until

-- forget_usage --
-- Drop some entries that have left the window.
DELETE FROM usage WHERE account = ?1 AND sender = ?2 AND at <= (
    SELECT max(at) FROM (
        SELECT at FROM usage WHERE account = ?1 AND sender = ?2 AND at <= ?3 ORDER BY at LIMIT 50))

-- find_suppressed --
-- Whether a phone wants nothing more from an account.
SELECT 1 FROM suppressed WHERE account = ? AND number = ?

-- store_suppressed --
-- A phone wants nothing more from an account; the first time counts.
INSERT INTO suppressed (account, number, at, why) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING

-- delete_suppressed --
-- It may be written to again.
DELETE FROM suppressed WHERE account = ? AND number = ?

-- list_suppressed --
-- The phones that want nothing more from an account.
SELECT number, at, why FROM suppressed WHERE account = ? ORDER BY at, number

-- find_requests --
-- When the newest identical requests inside the window were taken.
SELECT at FROM request WHERE account = ? AND identity = ? AND at > ? ORDER BY at DESC LIMIT ?

-- store_request --
-- A request is taken.
INSERT INTO request (account, identity, at, until) VALUES (?, ?, ?, ?)

-- forget_requests --
-- Drop some requests that have left their window.
DELETE FROM request WHERE rowid IN (SELECT rowid FROM request WHERE until <= ? ORDER BY until LIMIT 50)

-- find_run --
-- The last message of a run, and how many there are.
SELECT at, messages FROM run WHERE account = ? AND destination = ?

-- store_run --
-- A message more, or one that was refused.
INSERT INTO run (account, destination, at, messages, until) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (account, destination) DO UPDATE SET
    at = excluded.at, messages = excluded.messages, until = excluded.until

-- forget_runs --
-- Drop some runs that are over.
DELETE FROM run WHERE (account, destination) IN (
    SELECT account, destination FROM run WHERE until <= ? ORDER BY until LIMIT 50)

-- find_storm --
-- The last message alike: when it goes, its id if it was held, and how many it stands for.
SELECT due_at, held, alike FROM storm WHERE account = ? AND destination = ? AND likeness = ?

-- find_unsent --
-- The mail and the number of parts of a message of which nothing was ever submitted.
SELECT mail_id, total FROM part AS first WHERE id = ? AND NOT EXISTS (
    SELECT 1 FROM part WHERE part.id BETWEEN first.id AND first.id + first.total - 1
        AND (part.state <> 0 OR part.submitted_at IS NOT NULL))

-- find_form --
-- What a part was composed for.
SELECT form FROM part WHERE id = ?

-- store_storm --
-- A message goes, is held, or is counted.
INSERT INTO storm (account, destination, likeness, due_at, held, alike, until) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (account, destination, likeness) DO UPDATE SET
    due_at = excluded.due_at, held = excluded.held, alike = excluded.alike, until = excluded.until

-- say_instead --
-- A held message says what the last one says that is counted in it.
UPDATE message SET text = ? WHERE id = ?

-- make_stale --
-- Its parts must be composed anew before they go, which they may until a time.
UPDATE part SET form = ?, expires_at = max(expires_at, ?) WHERE id BETWEEN ? AND ?

-- forget_storms --
-- Drop some storms that are over.
DELETE FROM storm WHERE (account, destination, likeness) IN (
    SELECT account, destination, likeness FROM storm WHERE until <= ? ORDER BY until LIMIT 50)
