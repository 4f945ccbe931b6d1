-- Version 1: all that the store keeps; what SQLite's file has, and what several hosts need besides.
--
-- Ids: a mail's id is the id of its first part, and a message's id is the id of its first part. So all of one mail
-- lies side by side (mail.id .. mail.id + mail.parts - 1), is found without any index, and ids never come twice.
-- Times are seconds since the epoch (UTC) by the clock of this database.
-- States of a part: 0 queued, 1 submitting, 2 accepted, 3 uncertain, 4 delivered, 5 failed, 6 expired.
-- Partial indexes keep the cost of a state with that state: a finished part costs the lease nothing.
-- What is compared or sorted is so by its octets (COLLATE "C"), whatever the language of the database.

CREATE SEQUENCE part_id;

-- So many ids, one after the other; returns the last one before them. The lock lasts for this call only: nobody waits
-- for another's commit.
CREATE FUNCTION take_ids(wanted bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
BEGIN
    PERFORM pg_advisory_lock(hashtext('sms-milter ids'), 0);
    first := nextval('part_id');
    PERFORM setval('part_id', first + wanted - 1);
    PERFORM pg_advisory_unlock(hashtext('sms-milter ids'), 0);
    RETURN first - 1;
END
$$;

-- Who holds a row of it is alone with what the name stands for until its transaction ends.
CREATE TABLE turn (
    kind  text NOT NULL,
    name  text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, name)
) WITH (fillfactor = 50);

CREATE TABLE mail (
    id            bigint PRIMARY KEY,
    received_at   float8 NOT NULL,
    parts         bigint NOT NULL,
    mta_queue_id  text   NOT NULL,
    account       text   NOT NULL,
    dialect       text   NOT NULL,
    sender        text   NOT NULL,      -- envelope sender; '' is the null sender
    client        text   NOT NULL,
    message_id    text   NOT NULL,      -- the header field; '' if there was none
    fingerprint   bytea                 -- NULL: never taken for a retry
);

CREATE INDEX mail_partless ON mail (received_at) WHERE parts = 0;

-- The mails that would be taken for a retry.
CREATE TABLE fingerprint (
    fingerprint  bytea  PRIMARY KEY,
    mail_id      bigint NOT NULL,
    at           float8 NOT NULL
);

CREATE INDEX fingerprint_at ON fingerprint (at);

-- What a part was made from: enough to compose it again for another SMSC.
CREATE TABLE message (
    id                  bigint   PRIMARY KEY,
    mail_id             bigint   NOT NULL,
    priority            smallint NOT NULL, -- 0 high, 1 normal, 2 low
    flash               boolean  NOT NULL,
    receipt             boolean  NOT NULL,
    not_before          float8,
    validity_seconds    bigint,
    channel             text     NOT NULL,
    kind                text     NOT NULL,
    route               text     NOT NULL,
    recipient           text     NOT NULL, -- envelope address it came by
    originator          text COLLATE "C" NOT NULL,
    destination         text COLLATE "C" NOT NULL,
    reference           text COLLATE "C",  -- the client's own id
    referrer            text COLLATE "C",  -- the mail's account, where there is a reference
    concatenation       integer,        -- reference stamped into its parts; NULL: none
    text                text     NOT NULL,
    notify              integer  NOT NULL, -- what the sender is told of: the sum of `model.Notify`
    original_recipient  text     NOT NULL, -- ESMTP parameter ORCPT as given
    overdue_at          float8,         -- when to look whether its receipt is overdue; NULL: nobody waits for it
    notice              integer  NOT NULL, -- what the listeners of its mail may be told of
    public_id           text COLLATE "C" NOT NULL, -- the id that the client was given
    room                integer  NOT NULL, -- how many parts it may need elsewhere; 0: as many as it has
    features            bigint   NOT NULL  -- the sum of `model.Feature`
);

CREATE INDEX message_overdue ON message (overdue_at) WHERE overdue_at IS NOT NULL;
CREATE INDEX message_reference ON message (referrer, reference) WHERE reference IS NOT NULL;
CREATE INDEX message_public_id ON message (public_id) WHERE public_id <> '';
-- The messages to a phone that it can answer; names cannot be answered, and cost nothing here.
CREATE INDEX message_conversation ON message (destination, id) WHERE originator = '' OR originator ~ '^[0-9+]';

CREATE TABLE part (
    id               bigint   PRIMARY KEY,
    mail_id          bigint   NOT NULL,
    due_at           float8   NOT NULL,
    expires_at       float8   NOT NULL,
    submitted_at     float8,            -- bind, sequence number and time of the last submit_sm
    finished_at      float8,            -- end of the part, or of waiting for its receipt; NULL: we have work to do
    escalate_at      float8,            -- when its promise is over; NULL: kept, or nothing to keep
    number           integer  NOT NULL, -- 1..total; its message is id - number + 1
    total            integer  NOT NULL,
    attempts         integer  NOT NULL,
    doubts           integer  NOT NULL, -- of these, whose outcome stayed uncertain
    rank             integer  NOT NULL, -- its place among the others of its account: lower goes first
    state            smallint NOT NULL,
    priority         smallint NOT NULL,
    receipt          smallint NOT NULL, -- 0 none asked for, 1 asked for, 2 told, 3 also its way to the SMSC
    waiting          smallint NOT NULL, -- 1 not before due_at, 2 to be composed anew for its SMSC
    promise          smallint NOT NULL DEFAULT 0, -- that it is 1 accepted, 2 delivered by escalate_at; 0: none
    sequence         bigint,
    command_status   bigint,
    smsc             text COLLATE "C" NOT NULL,
    account          text COLLATE "C" NOT NULL,
    destination      text     NOT NULL,
    form             text     NOT NULL DEFAULT '', -- what traits of an SMSC its body fits; '': it fits all
    owner            text,              -- the dispatcher that submitted it last
    bind             text,
    smsc_message_id  text,
    smsc_key         text COLLATE "C",  -- smsc_message_id in its form for comparing
    stat             text,              -- of the newest receipt
    why              text,
    body             bytea    NOT NULL  -- the submit_sm after its header
);

-- What may go, in the order of sending; one range per SMSC, priority and account.
CREATE INDEX part_ready ON part (smsc, priority, account, rank, due_at, id) WHERE state = 0 AND waiting = 0;
-- What may not go yet.
CREATE INDEX part_waiting ON part (smsc, due_at) WHERE state = 0 AND waiting = 1;
CREATE INDEX part_unfit ON part (id) WHERE state = 0 AND waiting = 2;
-- Whose time is over.
CREATE INDEX part_expiry ON part (expires_at) WHERE state = 0;
-- The few in a state that asks for attention: submitting, uncertain, failed, expired.
CREATE INDEX part_notable ON part (state, smsc) WHERE state IN (1, 3, 5, 6);
-- The part that a receipt speaks of.
CREATE INDEX part_key ON part (smsc_key) WHERE smsc_key IS NOT NULL;
-- What may be forgotten.
CREATE INDEX part_finished ON part (finished_at, id) WHERE finished_at IS NOT NULL;
-- Parts of which a listener hears as soon as the SMSC takes them, or does not for now.
CREATE INDEX part_followed ON part (id) WHERE receipt = 3 AND state IN (0, 1);
CREATE INDEX part_escalation ON part (smsc, escalate_at) WHERE escalate_at IS NOT NULL;

-- By what ids SMSCs know a part that has gone another way since.
CREATE TABLE former_id (
    smsc_key  text COLLATE "C" NOT NULL,
    smsc      text COLLATE "C" NOT NULL,
    part_id   bigint NOT NULL,
    PRIMARY KEY (smsc_key, smsc, part_id)
);

CREATE INDEX former_id_part ON former_id (part_id);

-- Receipts as they came; part_id is NULL while no part is known for it (parked).
CREATE TABLE receipt (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    part_id          bigint,
    at               float8 NOT NULL,
    done_at          float8,
    state            smallint,          -- final state it tells of; NULL: not final
    smsc             text   NOT NULL,
    smsc_message_id  text   NOT NULL,
    smsc_key         text COLLATE "C" NOT NULL,
    source           text   NOT NULL,
    stat             text   NOT NULL,
    error            text   NOT NULL
);

CREATE INDEX receipt_part ON receipt (part_id, at, id) WHERE part_id IS NOT NULL;
CREATE INDEX receipt_parked ON receipt (smsc_key) WHERE part_id IS NULL;
CREATE INDEX receipt_parked_at ON receipt (at) WHERE part_id IS NULL;

-- The last concatenation reference from one originator to one destination.
CREATE TABLE reference (
    source       text COLLATE "C" NOT NULL,
    destination  text COLLATE "C" NOT NULL,
    value        integer NOT NULL,
    taken        integer NOT NULL DEFAULT 1, -- how many the last one to ask has got
    used_at      float8  NOT NULL,
    PRIMARY KEY (source, destination)
);

CREATE INDEX reference_used_at ON reference (used_at);

-- Parts sent by accounts that have a quota. `total` runs on over the rows of one account and sender, so that the sum
-- of a sliding window is the difference of two rows. Sender '*' stands for the whole account.
CREATE TABLE usage (
    account  text COLLATE "C" NOT NULL,
    sender   text COLLATE "C" NOT NULL,
    at       float8 NOT NULL,
    parts    bigint NOT NULL,
    total    bigint NOT NULL,
    until    float8 NOT NULL,           -- end of its window
    PRIMARY KEY (account, sender, at)
);

CREATE INDEX usage_until ON usage (until);

-- Requests that were taken, by what identical ones have in common.
CREATE TABLE request (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account   text COLLATE "C" NOT NULL,
    identity  bytea  NOT NULL,
    at        float8 NOT NULL,
    until     float8 NOT NULL           -- it does not count any more from then on
);

CREATE INDEX request_identity ON request (account, identity, at);
CREATE INDEX request_until ON request (until);

-- Messages that follow each other without a pause; destination '*' stands for all of an account's.
CREATE TABLE run (
    account      text COLLATE "C" NOT NULL,
    destination  text COLLATE "C" NOT NULL,
    at           float8 NOT NULL,       -- of the last one, also if it was refused
    messages     bigint NOT NULL,
    until        float8 NOT NULL,       -- the run is over from then on
    PRIMARY KEY (account, destination)
);

CREATE INDEX run_until ON run (until);

-- The last message of an account to a phone by what those alike have in common.
CREATE TABLE storm (
    account      text COLLATE "C" NOT NULL,
    destination  text COLLATE "C" NOT NULL,
    likeness     bytea   NOT NULL,
    due_at       float8  NOT NULL,      -- when it goes, or went
    held         bigint,                -- its id if it was held, so that others can be counted in it
    alike        bigint  NOT NULL,      -- how many it stands for
    until        float8  NOT NULL,      -- the storm is over from then on
    PRIMARY KEY (account, destination, likeness)
);

CREATE INDEX storm_until ON storm (until);

-- What an account has: `deposit` as the configuration said the last time it sent, and `booked`, the sum of its
-- bookings. The balance is their sum; amounts are thousandths of a credit.
CREATE TABLE balance (
    account  text COLLATE "C" PRIMARY KEY,
    deposit  bigint NOT NULL,
    booked   bigint NOT NULL
) WITH (fillfactor = 50);

-- Every change of `booked`; what mails cost and what came back of it is forgotten with time, bookings of operators
-- are not.
CREATE TABLE booking (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account  text COLLATE "C" NOT NULL,
    at       float8 NOT NULL,
    amount   bigint NOT NULL,
    mail_id  bigint,                    -- the mail that was paid, or of which something came back
    note     text   NOT NULL
);

CREATE INDEX booking_account ON booking (account, id);
CREATE INDEX booking_mail ON booking (at) WHERE mail_id IS NOT NULL;

-- What parts of metered accounts have cost.
CREATE TABLE charge (
    part_id   bigint   PRIMARY KEY,
    account   text     NOT NULL,
    price     bigint   NOT NULL,
    returned  smallint NOT NULL DEFAULT 0 -- 1: given back, since the SMSC never had it
);

-- Phones that want nothing more from an account.
CREATE TABLE suppressed (
    account  text COLLATE "C" NOT NULL,
    number   text COLLATE "C" NOT NULL, -- digits only, international
    at       float8 NOT NULL,
    why      text   NOT NULL,
    PRIMARY KEY (account, number)
);

-- The last number given out for an account.
CREATE TABLE number (
    account  text COLLATE "C" PRIMARY KEY,
    last     bigint NOT NULL
) WITH (fillfactor = 50);

-- What mails of an account leave behind for later ones.
CREATE TABLE record (
    account  text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    name     text COLLATE "C" NOT NULL,
    value    text   NOT NULL,
    until    float8,                    -- NULL: never forgotten
    mail_id  bigint NOT NULL,           -- the mail that wrote it last
    PRIMARY KEY (account, kind, name)
);

CREATE INDEX record_until ON record (until) WHERE until IS NOT NULL;

-- Wrong passwords in mails, and who is blocked after too many of them.
CREATE TABLE failed_login (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who    text COLLATE "C" NOT NULL,   -- a client, an account, or the digest of a name that no account has
    at     float8 NOT NULL,
    until  float8 NOT NULL              -- it does not count any more from then on
);

CREATE INDEX failed_login_who ON failed_login (who, at);
CREATE INDEX failed_login_until ON failed_login (until);

CREATE TABLE login_block (
    who    text COLLATE "C" PRIMARY KEY,
    until  float8 NOT NULL
);

CREATE INDEX login_block_until ON login_block (until);

-- What reports repeat of a mail whose sender asks for them.
CREATE TABLE original (
    mail_id      bigint PRIMARY KEY,
    envelope_id  text  NOT NULL,        -- ESMTP parameter ENVID as given
    header       bytea NOT NULL
);

-- Who is told what becomes of a mail's messages, in the words of its dialect.
CREATE TABLE listener (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id         bigint  NOT NULL,
    target          text    NOT NULL,   -- a mail address, or a URL
    told            integer NOT NULL,   -- bits as in message.notify
    is_url          boolean NOT NULL,
    gather_seconds  float8  NOT NULL    -- what comes within this time is one mail
);

CREATE INDEX listener_mail ON listener (mail_id);

-- What the sender noted on a message; the phone is not sent it.
CREATE TABLE comment (
    message_id  bigint PRIMARY KEY,
    text        text   NOT NULL
);

-- Destinations that a mail names and that got nothing, while others did.
CREATE TABLE left_out (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id      bigint NOT NULL,
    destination  text   NOT NULL,       -- as the mail writes it
    why          text   NOT NULL        -- the reply that it would have got alone
);

CREATE INDEX left_out_mail ON left_out (mail_id);

-- Mails for the report role. Its row stays until its mail is forgotten, so that a message is reported once.
CREATE TABLE report (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail_id         bigint  NOT NULL,
    message_id      bigint,             -- the message it tells of; NULL: an answer
    event           integer NOT NULL DEFAULT 0, -- what is told: 0 the end, else as in message.notice
    listener_id     bigint  NOT NULL DEFAULT 0, -- who is told; 0: the envelope sender
    is_url          boolean NOT NULL DEFAULT false,
    created_at      float8  NOT NULL,
    due_at          float8  NOT NULL,
    attempts        integer NOT NULL DEFAULT 0,
    finished_at     float8,             -- taken by the MTA, or given up
    why             text,               -- why the MTA did not take it the last time

    state           smallint,           -- of a message: the part that decided, as it was then
    smsc            text,
    stat            text,
    error           text,
    command_status  bigint,
    at              float8,

    recipient       text,               -- of an answer: the mail
    subject         text,
    body            text,
    author          text,               -- the From address and the name beside it; '' or NULL: those of all our reports
    author_name     text
);

CREATE UNIQUE INDEX report_message ON report (message_id, event, listener_id) WHERE message_id IS NOT NULL;
CREATE INDEX report_mail ON report (mail_id);
CREATE INDEX report_due ON report (is_url, due_at, id) WHERE finished_at IS NULL;

-- Messages from phones (mobile-originated).
CREATE TABLE mobile (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    smsc         text COLLATE "C" NOT NULL,
    source       text COLLATE "C" NOT NULL, -- the phone
    destination  text COLLATE "C" NOT NULL, -- the number that it wrote to
    alphabet     text    NOT NULL,
    width        integer NOT NULL,      -- of the concatenation reference in octets; 0: none
    reference    bigint  NOT NULL,
    total        integer NOT NULL,
    arrived      integer NOT NULL,
    at           float8  NOT NULL,      -- its first part
    due_at       float8  NOT NULL,      -- told from then on, complete or not
    finished_at  float8
);

CREATE INDEX mobile_numbers ON mobile (source, destination, at);
CREATE INDEX mobile_due ON mobile (due_at, id) WHERE finished_at IS NULL;
CREATE INDEX mobile_at ON mobile (at, id);

CREATE TABLE mobile_part (
    mobile_id  bigint  NOT NULL,
    number     integer NOT NULL,
    content    bytea   NOT NULL,
    PRIMARY KEY (mobile_id, number)
);

-- Parts that their SMSCs are to be asked to cancel.
CREATE TABLE cancellation (
    part_id  bigint PRIMARY KEY,
    at       float8 NOT NULL
);

-- SMSCs whose PDUs are logged for a while.
CREATE TABLE trace (
    smsc   text COLLATE "C" PRIMARY KEY,
    until  float8 NOT NULL
);

-- Which dispatcher has which bind to an SMSC.
CREATE TABLE bind_lease (
    smsc    text COLLATE "C" NOT NULL,
    number  integer NOT NULL,           -- 1 to the SMSC's limit of binds
    owner   text   NOT NULL,
    until   float8 NOT NULL,            -- then it is anybody's, unless renewed
    PRIMARY KEY (smsc, number)
) WITH (fillfactor = 50);

-- Who wants binds to an SMSC; its dispatchers have as many as each other.

CREATE TABLE bind_wish (
    smsc   text COLLATE "C" NOT NULL,
    owner  text   NOT NULL,
    until  float8 NOT NULL,             -- unless renewed
    PRIMARY KEY (smsc, owner)
);

-- How much of an SMSC's rate each dispatcher has.
CREATE TABLE rate_share (
    smsc        text COLLATE "C" NOT NULL,
    owner       text COLLATE "C" NOT NULL,
    parts       bigint NOT NULL,        -- per second
    until       float8 NOT NULL,        -- then it is the others'
    lowered_at  float8 NOT NULL,        -- when it last was more; 0: never
    PRIMARY KEY (smsc, owner)
) WITH (fillfactor = 50);

-- The SMPP links as each dispatcher last reported them.
CREATE TABLE link (
    owner        text COLLATE "C" NOT NULL,
    smsc         text COLLATE "C" NOT NULL,
    bind         text COLLATE "C" NOT NULL,
    state        text   NOT NULL,
    since        float8 NOT NULL,
    window_used  bigint NOT NULL,
    "window"     bigint NOT NULL,
    submitted    bigint NOT NULL,
    accepted     bigint NOT NULL,
    refused      bigint NOT NULL,
    uncertain    bigint NOT NULL,
    note         text   NOT NULL,
    reported_at  float8 NOT NULL,
    PRIMARY KEY (owner, smsc, bind)
);

-- What limits each SMSC, as each dispatcher last reported it.
CREATE TABLE smsc_load (
    owner            text COLLATE "C" NOT NULL,
    smsc             text COLLATE "C" NOT NULL,
    limited_by       text   NOT NULL,
    advice           text   NOT NULL,
    sent_per_second  float8 NOT NULL,
    rate             float8 NOT NULL,   -- kept to now; 0 is unlimited
    contract_rate    float8 NOT NULL,
    "window"         bigint NOT NULL,
    window_used      bigint NOT NULL,
    response_p95_ms  float8,
    throttled_at     float8,
    reported_at      float8 NOT NULL,
    PRIMARY KEY (owner, smsc)
);

-- How many parts are in each state: the sum of all rows. Each transaction adds one, so that none waits for another.
CREATE TABLE part_count (
    queued      bigint NOT NULL DEFAULT 0,
    submitting  bigint NOT NULL DEFAULT 0,
    accepted    bigint NOT NULL DEFAULT 0,
    uncertain   bigint NOT NULL DEFAULT 0,
    delivered   bigint NOT NULL DEFAULT 0,
    failed      bigint NOT NULL DEFAULT 0,
    expired     bigint NOT NULL DEFAULT 0
);

-- How much was done in each minute: the sum of its rows. Each transaction adds one here too; now and then those of a minute
-- become one.
CREATE TABLE flow (
    minute     bigint  NOT NULL,        -- since the epoch
    stored     bigint  NOT NULL,        -- parts of mails that were taken
    refused    bigint  NOT NULL,        -- recipients and mails that were not
    sent       bigint  NOT NULL,        -- parts that an SMSC took
    delivered  bigint  NOT NULL,
    failed     bigint  NOT NULL,        -- failed, expired or cancelled
    folded     boolean NOT NULL DEFAULT false
);

CREATE INDEX flow_minute ON flow (minute);
CREATE INDEX flow_fresh ON flow (minute) WHERE NOT folded;

-- Every part is written anew two or three times within minutes, and at last deleted: vacuum must come by often, in small
-- steps, and not only when a fifth of ten million rows has changed.
ALTER TABLE part SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 1000000,
    autovacuum_vacuum_cost_delay = 1);
ALTER TABLE part_count SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE flow SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE turn SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE balance SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
