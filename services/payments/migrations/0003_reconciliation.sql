-- The provider's own lists of what it took for us, held against what we know.

CREATE TABLE reconciliation_files (
    id          uuid        PRIMARY KEY,
    provider    text        NOT NULL,
    name        text        NOT NULL,
    digest      bytea       NOT NULL UNIQUE,  -- so a file is imported once
    lines       integer     NOT NULL,
    first_day   date,
    last_day    date,
    imported_by uuid        NOT NULL,
    imported_at timestamptz NOT NULL
);

CREATE TABLE reconciliation_lines (
    file_id         uuid        NOT NULL REFERENCES reconciliation_files,
    number          integer     NOT NULL,  -- of the line in the file
    trade_number    text        NOT NULL,
    provider_number text        NOT NULL,
    traded_at       timestamptz NOT NULL,
    paid_at         timestamptz,
    is_paid         boolean     NOT NULL,
    amount_twd      integer     NOT NULL,
    fee_twd         integer     NOT NULL,
    net_twd         integer     NOT NULL,
    method          text        NOT NULL,  -- in the provider's words
    PRIMARY KEY (file_id, number)
);

CREATE INDEX reconciliation_lines_trade ON reconciliation_lines (trade_number);
