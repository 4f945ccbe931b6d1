-- Version 14: messages that may go by another SMSC.

-- How many parts it may need elsewhere; its ids and those of the mail reach so far. 0: as many as it has.
ALTER TABLE message ADD COLUMN room INTEGER NOT NULL DEFAULT 0;

-- What traits of an SMSC its body fits, in a word; '': it fits all.
ALTER TABLE part ADD COLUMN form TEXT NOT NULL DEFAULT '';
-- What must be true of it when its promise is over, lest it goes another way: 1 accepted, 2 delivered, 0 nothing.
ALTER TABLE part ADD COLUMN promise INTEGER NOT NULL DEFAULT 0;
-- When that is; NULL: kept, or nothing to keep.
ALTER TABLE part ADD COLUMN escalate_at REAL;
-- part.waiting is 2 from now on where the body must be composed anew for the SMSC.

CREATE INDEX part_escalation ON part (smsc, escalate_at) WHERE escalate_at IS NOT NULL;
CREATE INDEX part_unfit ON part (id) WHERE state = 0 AND waiting = 2;

-- By what ids SMSCs know a part that has gone another way since.
CREATE TABLE former_id (
    smsc_key  TEXT    NOT NULL,
    smsc      TEXT    NOT NULL,
    part_id   INTEGER NOT NULL,
    PRIMARY KEY (smsc_key, smsc, part_id)
) WITHOUT ROWID;

CREATE INDEX former_id_part ON former_id (part_id);
