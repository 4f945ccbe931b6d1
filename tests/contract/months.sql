-- A queue as it stands after some months, made inside the server: :finished parts, and behind them those that wait
-- (:parts in all, a mail each), until the time :now.

CREATE VIEW made AS
SELECT id, '4479' || id % 10000000 AS phone, 'account' || id % 50 AS account, 'smsc' || id % 4 AS smsc,
    CASE WHEN id > :finished THEN 0 ELSE (ARRAY[4, 4, 4, 4, 4, 4, 2, 2, 5, 6])[id % 10 + 1] END AS state,
    :now - (:parts - id) * 0.05 AS moment,
    CASE WHEN id <= :finished THEN :now - (:parts - id) * 0.05 + 10 END AS finished
FROM generate_series(1, :parts::bigint) AS id;

INSERT INTO mail
SELECT id, moment, 1, to_hex(id), account, 'hsl', 'bob@customer.example', '192.0.2.10',
    '<' || id || '@customer.example>', decode(md5(id::text), 'hex')
FROM made;

INSERT INTO fingerprint SELECT decode(md5(id::text), 'hex'), id, moment FROM made;

INSERT INTO message (id, mail_id, priority, flash, receipt, channel, kind, route, recipient, originator, destination,
    reference, referrer, text, notify, original_recipient, overdue_at, notice, public_id, room, features)
SELECT id, id, 1, false, false, 'sms', 'text', 'default', phone || '@sms.example.com',
    CASE id % 10 WHEN 0 THEN '44700900' ELSE 'ACME' END, phone, CASE id % 20 WHEN 0 THEN 'r' || id END,
    CASE id % 20 WHEN 0 THEN account END, 'disk full', 0, '',
    CASE WHEN finished IS NULL AND id % 10 = 0 THEN moment + 90000 END, 0,
    CASE id % 20 WHEN 1 THEN md5(id::text) ELSE '' END, 0, 0
FROM made;

INSERT INTO part (id, mail_id, due_at, expires_at, submitted_at, finished_at, number, total, attempts, doubts, rank, state,
    priority, receipt, waiting, sequence, command_status, smsc, account, destination, owner, bind, smsc_message_id,
    smsc_key, stat, body)
SELECT id, id, moment, moment + 86400, finished, finished, 1, 1, 0, 0, 0, state, id % 3, id % 2,
    CASE WHEN state = 0 AND id % 5 = 0 THEN 1 ELSE 0 END, id % 2147483647, 0, smsc, account, phone, 'host1', 'smsc/1',
    CASE WHEN state > 0 THEN to_hex(id) END, CASE WHEN state > 0 THEN to_hex(id) END,
    CASE state WHEN 4 THEN 'DELIVRD' END, ''
FROM made;

INSERT INTO receipt (part_id, at, state, smsc, smsc_message_id, smsc_key, source, stat, error)
SELECT CASE WHEN id % 1000 > 0 THEN id END, finished, 4, smsc, to_hex(id), to_hex(id), phone, 'DELIVRD', '000'
FROM made WHERE state = 4 AND id % 4 = 0;

INSERT INTO report (mail_id, message_id, created_at, due_at, finished_at, state, smsc)
SELECT id, id, finished, finished, CASE WHEN id % 1000 > 0 THEN finished END, 4, smsc
FROM made WHERE state = 4 AND id % 10 = 0;

INSERT INTO original SELECT id, '', '' FROM made WHERE id % 10 = 0;
INSERT INTO listener (mail_id, target, told, is_url, gather_seconds)
SELECT id, 'bob@customer.example', 7, false, 60 FROM made WHERE id % 20 = 0;
INSERT INTO comment SELECT id, 'note' FROM made WHERE id % 20 = 0;
INSERT INTO left_out (mail_id, destination, why) SELECT id, phone, '550' FROM made WHERE id % 20 = 0;
INSERT INTO counted SELECT id, id, id - 1, 0, 0, '', '', CASE id % 100 WHEN 0 THEN 'c' || id END, account, ''
FROM made WHERE id % 50 = 0;
INSERT INTO charge SELECT id, account, 1000, 0 FROM made WHERE id % 5 = 0;
INSERT INTO booking (account, at, amount, mail_id, note) SELECT account, moment, -1000, id, '' FROM made WHERE id % 5 = 0;
INSERT INTO former_id SELECT to_hex(id), 'smsc9', id FROM made WHERE id % 50 = 0;
INSERT INTO reference (source, destination, value, used_at) SELECT 'ACME', '4' || id, 7, moment FROM made WHERE id % 10 = 0;
INSERT INTO usage SELECT account, '*', id, 1, id, moment FROM made WHERE id % 10 = 0;
INSERT INTO request (account, identity, at, until)
SELECT account, decode(md5(id::text), 'hex'), moment, moment + 60 FROM made WHERE id % 10 = 0;
INSERT INTO run SELECT account, id::text, moment, 1, moment + 60 FROM made WHERE id % 20 = 0;
INSERT INTO storm SELECT account, id::text, 'likeness', moment, NULL, 1, moment + 60 FROM made WHERE id % 50 = 0;
INSERT INTO flow SELECT id, 1, 1, 1, 1, 1, id < :parts / 20 - 100 FROM generate_series(1, :parts / 20) AS id;
INSERT INTO suppressed SELECT account, id::text, moment, 'STOP' FROM made WHERE id % 50 = 0;
INSERT INTO record SELECT account, 'kind', id::text, '', moment, id FROM made WHERE id % 50 = 0;
INSERT INTO failed_login (who, at, until) SELECT 'who' || id, moment, moment + 60 FROM made WHERE id % 50 = 0;
INSERT INTO mobile (smsc, source, destination, alphabet, width, reference, total, arrived, at, due_at, finished_at)
SELECT smsc, phone, '44700900', 'gsm', 0, 0, 1, 1, moment, moment, CASE WHEN id % 5000 > 0 THEN moment END
FROM made WHERE id % 50 = 0;
INSERT INTO mobile_part SELECT id, 1, '' FROM mobile;

DROP VIEW made;
