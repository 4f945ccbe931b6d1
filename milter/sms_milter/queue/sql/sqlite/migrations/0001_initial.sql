-- Version 1: mails with their messages and parts, receipts, references, usage, links, counters.
--
-- Ids: a mail's id is the id of its first part, and a message's id is the id of its first part. So all of one mail
-- lies side by side (mail.id .. mail.id + mail.parts - 1), is found without any index, and ids never come twice
-- (counter.last_id).
-- Times are seconds since the epoch (UTC).
-- States of a part: 0 queued, 1 submitting, 2 accepted, 3 uncertain, 4 delivered, 5 failed, 6 expired.
-- Partial indexes keep the cost of a state with that state: a finished part costs the lease nothing.

CREATE TABLE mail (
    id            INTEGER PRIMARY KEY,
    received_at   REAL    NOT NULL,
    parts         INTEGER NOT NULL,
    mta_queue_id  TEXT    NOT NULL,
    account       TEXT    NOT NULL,
    dialect       TEXT    NOT NULL,
    sender        TEXT    NOT NULL,     -- envelope sender; '' is the null sender
    client        TEXT    NOT NULL,
    message_id    TEXT    NOT NULL,     -- the header field; '' if there was none
    fingerprint   BLOB                  -- NULL: never taken for a retry
);

-- Has this mail been stored already?
CREATE INDEX mail_fingerprint ON mail (fingerprint) WHERE fingerprint IS NOT NULL;

-- What a part was made from: enough to compose it again for another SMSC.
CREATE TABLE message (
    id                INTEGER PRIMARY KEY,
    mail_id           INTEGER NOT NULL,
    priority          INTEGER NOT NULL, -- 0 high, 1 normal, 2 low
    flash             INTEGER NOT NULL,
    receipt           INTEGER NOT NULL,
    not_before        REAL,
    validity_seconds  INTEGER,
    channel           TEXT    NOT NULL,
    kind              TEXT    NOT NULL,
    route             TEXT    NOT NULL,
    recipient         TEXT    NOT NULL, -- envelope address it came by
    originator        TEXT    NOT NULL,
    destination       TEXT    NOT NULL,
    reference         TEXT,             -- the client's own id
    concatenation     INTEGER,          -- reference stamped into its parts; NULL: none
    text              TEXT    NOT NULL
);

CREATE TABLE part (
    id               INTEGER PRIMARY KEY,
    mail_id          INTEGER NOT NULL,
    number           INTEGER NOT NULL,  -- 1..total; its message is id - number + 1
    total            INTEGER NOT NULL,
    state            INTEGER NOT NULL,
    priority         INTEGER NOT NULL,
    attempts         INTEGER NOT NULL,
    doubts           INTEGER NOT NULL,  -- of these, whose outcome stayed uncertain
    receipt          INTEGER NOT NULL,  -- whether a receipt was asked for
    due_at           REAL    NOT NULL,
    expires_at       REAL    NOT NULL,
    smsc             TEXT    NOT NULL,
    destination      TEXT    NOT NULL,
    bind             TEXT,              -- bind, sequence number and time of the last submit_sm
    sequence         INTEGER,
    submitted_at     REAL,
    smsc_message_id  TEXT,
    smsc_key         TEXT,              -- smsc_message_id in its form for comparing
    command_status   INTEGER,
    stat             TEXT,              -- of the newest receipt
    why              TEXT,
    finished_at      REAL,              -- end of the part, or of waiting for its receipt; NULL: we have work to do
    body             BLOB    NOT NULL   -- the submit_sm after its header
);

-- What is due, in the order of sending; one range per SMSC and priority.
CREATE INDEX part_due ON part (smsc, priority, due_at) WHERE state = 0;

-- Whose time is over.
CREATE INDEX part_expiry ON part (expires_at) WHERE state = 0;

-- The few in a state that asks for attention: submitting, uncertain, failed, expired.
CREATE INDEX part_notable ON part (state, smsc) WHERE state IN (1, 3, 5, 6);

-- The part that a receipt speaks of.
CREATE INDEX part_key ON part (smsc_key) WHERE smsc_key IS NOT NULL;

-- What may be forgotten.
CREATE INDEX part_finished ON part (finished_at) WHERE finished_at IS NOT NULL;

-- Receipts as they came; part_id is NULL while no part is known for it (parked).
CREATE TABLE receipt (
    id               INTEGER PRIMARY KEY,
    part_id          INTEGER,
    at               REAL    NOT NULL,
    done_at          REAL,
    state            INTEGER,           -- final state it tells of; NULL: not final
    smsc             TEXT    NOT NULL,
    smsc_message_id  TEXT    NOT NULL,
    smsc_key         TEXT    NOT NULL,
    source           TEXT    NOT NULL,
    stat             TEXT    NOT NULL,
    error            TEXT    NOT NULL
);

CREATE INDEX receipt_part ON receipt (part_id, at);
CREATE INDEX receipt_parked ON receipt (smsc_key) WHERE part_id IS NULL;

-- The last concatenation reference from one originator to one destination.
CREATE TABLE reference (
    source       TEXT    NOT NULL,
    destination  TEXT    NOT NULL,
    value        INTEGER NOT NULL,
    used_at      REAL    NOT NULL,
    PRIMARY KEY (source, destination)
) WITHOUT ROWID;

-- Parts sent by accounts that have a quota. `total` runs on over the rows of one account and sender, so that the sum
-- of a sliding window is the difference of two rows. Sender '*' stands for the whole account.
CREATE TABLE usage (
    account  TEXT    NOT NULL,
    sender   TEXT    NOT NULL,
    at       REAL    NOT NULL,
    parts    INTEGER NOT NULL,
    total    INTEGER NOT NULL,
    until    REAL    NOT NULL,          -- end of its window
    PRIMARY KEY (account, sender, at)
) WITHOUT ROWID;

-- The SMPP links as the dispatcher last reported them.
CREATE TABLE link (
    smsc         TEXT    NOT NULL,
    bind         TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    since        REAL    NOT NULL,
    window_used  INTEGER NOT NULL,
    "window"     INTEGER NOT NULL,
    submitted    INTEGER NOT NULL,
    accepted     INTEGER NOT NULL,
    refused      INTEGER NOT NULL,
    uncertain    INTEGER NOT NULL,
    note         TEXT    NOT NULL,
    reported_at  REAL    NOT NULL,
    PRIMARY KEY (smsc, bind)
) WITHOUT ROWID;

-- One row: the last id given out, and how many parts are in each state.
CREATE TABLE counter (
    last_id     INTEGER NOT NULL,
    queued      INTEGER NOT NULL,
    submitting  INTEGER NOT NULL,
    accepted    INTEGER NOT NULL,
    uncertain   INTEGER NOT NULL,
    delivered   INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    expired     INTEGER NOT NULL
);

INSERT INTO counter VALUES (0, 0, 0, 0, 0, 0, 0, 0);
