-- What the sandbox keeps. Instants are seconds since 1970; money is whole NT$.

CREATE TABLE IF NOT EXISTS clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ahead_seconds REAL NOT NULL
) STRICT;

-- Orders at ECPay. A merchant's number is never used again.
CREATE TABLE IF NOT EXISTS trades (
    trade_no TEXT PRIMARY KEY,
    merchant TEXT NOT NULL,
    number TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('Credit', 'ATM', 'CVS', 'BARCODE')),
    amount_twd INTEGER NOT NULL CHECK (amount_twd > 0),
    form TEXT NOT NULL,
    opened_at REAL NOT NULL,
    declined_at REAL,
    -- what one pays with: a store code, an account, or the slip's second segment
    code TEXT UNIQUE,
    bank TEXT NOT NULL DEFAULT '',
    barcode1 TEXT NOT NULL DEFAULT '',
    barcode3 TEXT NOT NULL DEFAULT '',
    issued_at REAL,
    expires_at REAL,
    paid_at REAL,
    paid_twd INTEGER,
    paid_from TEXT NOT NULL DEFAULT '',
    -- from when on the merchant is told: slips are reported late
    known_at REAL,
    -- cards: when it became due for capture, or NULL while it is only authorised
    to_capture_at REAL,
    abandoned_at REAL,
    UNIQUE (merchant, number)
) STRICT;
CREATE INDEX IF NOT EXISTS trades_by_number ON trades (number);
CREATE INDEX IF NOT EXISTS trades_waiting ON trades (issued_at) WHERE paid_at IS NULL;

-- Payments at LINE Pay. An orderId is never used again.
CREATE TABLE IF NOT EXISTS line_payments (
    transaction_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    page TEXT NOT NULL UNIQUE,
    amount_twd INTEGER NOT NULL,
    request TEXT NOT NULL,
    requested_at REAL NOT NULL,
    approved_at REAL,
    cancelled_at REAL,
    failed_at REAL,
    completed_at REAL
) STRICT;

-- Every dollar that was taken or given back, by either of them.
CREATE TABLE IF NOT EXISTS money (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL CHECK (provider IN ('ecpay', 'line_pay')),
    method TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('captured', 'refunded')),
    number TEXT NOT NULL,           -- the merchant's
    provider_number TEXT NOT NULL,  -- the provider's
    refund_number TEXT NOT NULL,    -- LINE Pay numbers refunds
    amount_twd INTEGER NOT NULL CHECK (amount_twd > 0),
    at REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS money_by_provider_number ON money (provider_number);
CREATE TRIGGER IF NOT EXISTS money_is_never_changed BEFORE UPDATE ON money
BEGIN SELECT RAISE(ABORT, 'money is written once'); END;
CREATE TRIGGER IF NOT EXISTS money_is_never_deleted BEFORE DELETE ON money
BEGIN SELECT RAISE(ABORT, 'money is written once'); END;

-- What merchants are told, until they answer 1|OK. A held one waits for another of its trade.
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY,
    trade_no TEXT NOT NULL,
    about TEXT NOT NULL CHECK (about IN ('issued', 'paid', 'declined')),
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    due_at REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    last_answer TEXT NOT NULL DEFAULT '',
    acknowledged_at REAL,
    given_up_at REAL
) STRICT;
CREATE INDEX IF NOT EXISTS notices_due ON notices (due_at)
    WHERE acknowledged_at IS NULL AND given_up_at IS NULL;
CREATE INDEX IF NOT EXISTS notices_by_trade ON notices (trade_no);

-- What is to go wrong, and how often still. An empty number means whichever order comes next.
CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    moment TEXT NOT NULL,
    number TEXT NOT NULL,
    details TEXT NOT NULL,
    times INTEGER NOT NULL CHECK (times >= 0)
) STRICT;
