-- The provider's own lists of what it took for us, held against what we know.

-- A file is looked at first, which has no effect on money, and imported when somebody says so.
CREATE TABLE reconciliation_files (
    id          uuid        PRIMARY KEY,
    provider    text        NOT NULL,
    name        text        NOT NULL,
    digest      bytea       NOT NULL UNIQUE,  -- so a file is imported once
    first_day   date,                         -- of the payments in it; none in an empty file
    last_day    date,
    uploaded_by uuid        NOT NULL,
    uploaded_at timestamptz NOT NULL,
    imported_by uuid,
    imported_at timestamptz,
    CHECK ((imported_by IS NULL) = (imported_at IS NULL)),
    CHECK ((first_day IS NULL) = (last_day IS NULL))
);

CREATE INDEX reconciliation_files_newest ON reconciliation_files (uploaded_at DESC, id);

CREATE TABLE reconciliation_lines (
    file_id         uuid        NOT NULL REFERENCES reconciliation_files ON DELETE CASCADE,
    number          integer     NOT NULL,  -- of the line in the file
    trade_number    text        NOT NULL,
    provider_number text        NOT NULL,
    paid_at         timestamptz,
    amount_twd      integer     NOT NULL,
    fee_twd         integer     NOT NULL,  -- the store's and the provider's together
    net_twd         integer     NOT NULL,
    method          text        NOT NULL,
    PRIMARY KEY (file_id, number)
);

CREATE INDEX reconciliation_lines_trade ON reconciliation_lines (trade_number);

-- Lines that could not be read, as they stood in the file.
CREATE TABLE reconciliation_faults (
    file_id uuid    NOT NULL REFERENCES reconciliation_files ON DELETE CASCADE,
    number  integer NOT NULL,
    fault   text    NOT NULL,
    cells   text    NOT NULL,
    PRIMARY KEY (file_id, number)
);

-- What does not agree. Each waits until somebody has looked into it and said what it was.
CREATE TABLE reconciliation_differences (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text        NOT NULL
                    CHECK (kind IN ('not_known', 'not_in_file', 'amount_differs',
                                    'number_differs', 'net_differs', 'not_readable')),
    subject         text        NOT NULL,  -- what it is about, so that it is listed once
    file_id         uuid        NOT NULL REFERENCES reconciliation_files,
    line            integer,
    trade_number    text        NOT NULL,
    provider_number text        NOT NULL,
    file_twd        integer,
    our_twd         integer,
    words           text        NOT NULL DEFAULT '',
    found_at        timestamptz NOT NULL,
    resolved_at     timestamptz,
    resolved_by     uuid,                  -- none: a later file resolved it
    note            text        NOT NULL DEFAULT '',
    UNIQUE (kind, subject),
    CHECK (resolved_by IS NULL OR resolved_at IS NOT NULL)
);

CREATE INDEX reconciliation_differences_open ON reconciliation_differences (id)
 WHERE resolved_at IS NULL;
CREATE INDEX reconciliation_differences_file ON reconciliation_differences (file_id);
