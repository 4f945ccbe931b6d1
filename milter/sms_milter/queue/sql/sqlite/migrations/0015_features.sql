-- Version 15: what an SMSC must be able to do for a message.

-- The sum of `model.Feature`; 0: nothing that is not had by all.
ALTER TABLE message ADD COLUMN features INTEGER NOT NULL DEFAULT 0;
