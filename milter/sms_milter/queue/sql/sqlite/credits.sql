-- find_balance --
-- What is booked for an account.
SELECT booked FROM balance WHERE account = ?

-- book --
-- Add to what is booked.
INSERT INTO balance (account, deposit, booked) VALUES (?, ?, ?)
ON CONFLICT (account) DO UPDATE SET deposit = excluded.deposit, booked = booked + excluded.booked

-- book_more --
-- Add to what is booked, of an account that has a row.
UPDATE balance SET booked = booked + ? WHERE account = ?

-- insert_booking --
-- Write it down.
INSERT INTO booking (account, at, amount, mail_id, note) VALUES (?, ?, ?, ?, ?)

-- insert_charge --
-- What a part has cost.
INSERT INTO charge (part_id, account, price) VALUES (?, ?, ?)

-- any_charge --
-- Whether any account is metered.
SELECT EXISTS (SELECT 1 FROM charge)

-- give_back --
-- The parts of these messages (a JSON list of part ids) that ended before the SMSC had them, or could have had them.
UPDATE charge SET returned = 1
WHERE returned = 0 AND part_id IN (
    SELECT part.id FROM json_each(?) AS ended CROSS JOIN part AS one ON one.id = ended.value
        CROSS JOIN part ON part.id BETWEEN one.id - one.number + 1 AND one.id - one.number + one.total
    WHERE part.state IN (5, 6) AND part.smsc_message_id IS NULL AND part.doubts = 0)
RETURNING account, price, (SELECT mail_id FROM part WHERE part.id = part_id)

-- find_returned --
-- What a part had cost and came back.
SELECT charge.account, price, deposit + booked, part.mail_id
FROM charge JOIN balance ON balance.account = charge.account JOIN part ON part.id = part_id
WHERE part_id = ? AND returned = 1

-- charged_accounts --
-- The accounts that have paid for any of these parts (a JSON list of ids).
SELECT DISTINCT charge.account FROM json_each(?) AS wanted CROSS JOIN charge ON charge.part_id = wanted.value

-- charge_again --
-- A part is paid once more.
UPDATE charge SET returned = 0 WHERE part_id = ?

-- forget_charges --
-- Forget what the parts of a mail (first and last id) have cost.
DELETE FROM charge WHERE part_id BETWEEN ? AND ?

-- forget_bookings --
-- Forget what mails have cost before a time.
DELETE FROM booking WHERE mail_id IS NOT NULL AND at < ?

-- list_balances --
-- What is booked for each account.
SELECT account, booked FROM balance ORDER BY account

-- list_bookings --
-- The newest bookings of an account.
SELECT id AS booking_id, at, amount, mail_id AS queue_id, note FROM booking WHERE account = ? ORDER BY id DESC LIMIT ?
