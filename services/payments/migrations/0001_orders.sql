-- What is owed, how somebody tried to pay it, and what the providers told us.

CREATE TABLE orders (
    id           uuid        PRIMARY KEY,
    account_id   uuid        NOT NULL,
    reference    text        NOT NULL,
    titles       jsonb       NOT NULL,  -- what it is for, by language
    methods      text[]      NOT NULL,
    amount_twd   integer     NOT NULL CHECK (amount_twd > 0),
    state        text        NOT NULL DEFAULT 'open'
                 CHECK (state IN ('open', 'paid', 'partly_refunded', 'refunded', 'lapsed')),
    opened_at    timestamptz NOT NULL,
    pay_by       timestamptz NOT NULL,
    paid_at      timestamptz,           -- when the candidate paid, not when we heard
    paid_method  text,
    lapsed_at    timestamptz,
    refunded_twd integer     NOT NULL DEFAULT 0 CHECK (refunded_twd BETWEEN 0 AND amount_twd),
    CHECK ((paid_at IS NOT NULL) = (state IN ('paid', 'partly_refunded', 'refunded'))),
    CHECK ((lapsed_at IS NOT NULL) = (state = 'lapsed')),
    CHECK ((refunded_twd > 0) = (state IN ('partly_refunded', 'refunded')))
);

CREATE INDEX orders_account ON orders (account_id, opened_at DESC);
CREATE INDEX orders_reference ON orders (reference);
CREATE INDEX orders_open ON orders (pay_by) WHERE state = 'open';

CREATE TABLE order_items (
    registration_id uuid    PRIMARY KEY,  -- so nothing is owed twice for one registration
    order_id        uuid    NOT NULL REFERENCES orders,
    reference       text    NOT NULL,
    titles          jsonb   NOT NULL,
    programme       text    NOT NULL,
    exam_date       date    NOT NULL,
    amount_twd      integer NOT NULL CHECK (amount_twd >= 0),
    ended_at        timestamptz           -- it was voided or lapsed: nothing more is to be paid
);

CREATE INDEX order_items_order ON order_items (order_id);

CREATE TABLE attempts (
    id              uuid        PRIMARY KEY,
    order_id        uuid        NOT NULL REFERENCES orders,
    method          text        NOT NULL,
    variant         text        NOT NULL,  -- code or slip at the store; empty for the others
    provider        text        NOT NULL,
    trade_number    text        NOT NULL UNIQUE CHECK (trade_number ~ '^[A-Za-z0-9]{1,20}$'),
    amount_twd      integer     NOT NULL CHECK (amount_twd > 0),
    state           text        NOT NULL DEFAULT 'created'
                    CHECK (state IN ('created', 'issued', 'paid', 'failed', 'lapsed', 'unknown')),
    provider_number text,
    instructions    jsonb       NOT NULL DEFAULT '{}',  -- what to type, or where to go
    created_at      timestamptz NOT NULL,
    issued_at       timestamptz,
    expires_at      timestamptz,           -- until when the provider takes money
    in_time_until   timestamptz NOT NULL,  -- money paid before this counts
    last_ask_at     timestamptz NOT NULL,  -- from here on "not paid" is the last word
    ask_at          timestamptz NOT NULL,
    asks            integer     NOT NULL DEFAULT 0,
    closed_at       timestamptz            -- the provider has said its last word
);

CREATE INDEX attempts_order ON attempts (order_id);
CREATE INDEX attempts_to_ask ON attempts (ask_at) WHERE closed_at IS NULL;

-- A provider that was asked too often is left alone for a while.
CREATE TABLE provider_pauses (
    provider text        PRIMARY KEY,
    until_at timestamptz NOT NULL
);

CREATE TABLE notices (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    provider        text        NOT NULL,
    -- paid, not_paid, issued: what it says; simulated, forged, foreign, unreadable: why it says
    -- nothing to us.
    reading         text        NOT NULL,
    trade_number    text        NOT NULL,  -- as it claims
    provider_number text        NOT NULL,
    fields          jsonb       NOT NULL,  -- all that came, secrets masked
    received_at     timestamptz NOT NULL
);

CREATE INDEX notices_trade_number ON notices (trade_number);
CREATE INDEX notices_received ON notices USING brin (received_at) WITH (autosummarize = on);
CREATE INDEX notices_forged ON notices (received_at) WHERE reading = 'forged';

CREATE TRIGGER notices_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON notices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Stored, but not yet acted upon: a defect of ours stood in the way. A job tries again.
CREATE TABLE notices_unsettled (
    notice_id bigint      PRIMARY KEY REFERENCES notices,
    tries     integer     NOT NULL DEFAULT 1,
    due_at    timestamptz NOT NULL,
    reason    text        NOT NULL
);
