-- Version 7: accounts take turns within a priority; parts that may not go yet stand aside.

-- Whose part it is, and its place among the others of its account: lower goes first.
ALTER TABLE part ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE part ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
-- 1: not before due_at; whoever sets due_at sets this too.
ALTER TABLE part ADD COLUMN waiting INTEGER NOT NULL DEFAULT 1;

UPDATE part SET account = (SELECT account FROM mail WHERE mail.id = part.mail_id) WHERE state = 0;

-- What may go, in the order of sending; one range per SMSC, priority and account.
CREATE INDEX part_ready ON part (smsc, priority, account, rank, due_at) WHERE state = 0 AND waiting = 0;
-- What may not go yet.
CREATE INDEX part_waiting ON part (smsc, due_at) WHERE state = 0 AND waiting = 1;
DROP INDEX part_due;
