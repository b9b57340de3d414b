-- Money that came, money that goes back, and the ledger of both.

CREATE TABLE captures (
    id              uuid        PRIMARY KEY,
    provider        text        NOT NULL,
    trade_number    text        NOT NULL,
    provider_number text        NOT NULL,
    method          text        NOT NULL,
    -- Both were read and locked by whoever writes this, so they are not looked up once more.
    attempt_id      uuid,
    order_id        uuid,
    -- order: paid what was owed. All else is money nobody owed.
    kind            text        NOT NULL
                    CHECK (kind IN ('order', 'overpaid', 'wrong_amount', 'late', 'orphan')),
    amount_twd      integer     NOT NULL CHECK (amount_twd > 0),
    paid_at         timestamptz NOT NULL,
    settled_at      timestamptz NOT NULL,
    UNIQUE (trade_number, provider_number, provider),
    CHECK ((kind = 'orphan') = (order_id IS NULL))
);

CREATE UNIQUE INDEX captures_pay_an_order_once ON captures (order_id) WHERE kind = 'order';
CREATE INDEX captures_order ON captures (order_id) WHERE kind <> 'order';
CREATE INDEX captures_paid ON captures USING brin (paid_at) WITH (autosummarize = on);

CREATE TRIGGER captures_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON captures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An entry moves an amount from one account to another, so it cannot be out of balance.
CREATE TABLE ledger_entries (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text        NOT NULL,
    debit       text        NOT NULL,
    credit      text        NOT NULL,
    amount_twd  integer     NOT NULL CHECK (amount_twd > 0),
    order_id    uuid,
    capture_id  uuid,
    refund_id   uuid,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CHECK (debit <> credit)
);

CREATE INDEX ledger_entries_order ON ledger_entries (order_id);

CREATE VIEW ledger_postings AS
    SELECT id AS entry_id, kind, debit AS account, amount_twd, recorded_at FROM ledger_entries
     UNION ALL
    SELECT id, kind, credit, -amount_twd, recorded_at FROM ledger_entries;

CREATE TRIGGER ledger_entries_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What enrollment asked to have paid back. It may know before us that somebody paid.
CREATE TABLE refund_requests (
    refund_id       uuid        PRIMARY KEY,
    registration_id uuid        NOT NULL,
    reason          text        NOT NULL,
    less_twd        integer     NOT NULL CHECK (less_twd >= 0),
    due_at          timestamptz NOT NULL,
    outcome         text        NOT NULL DEFAULT 'waiting'
                    CHECK (outcome IN ('waiting', 'due', 'nothing_left'))
);

CREATE INDEX refund_requests_waiting ON refund_requests (registration_id)
 WHERE outcome = 'waiting';

CREATE TABLE refunds (
    id              uuid        PRIMARY KEY,
    capture_id      uuid        NOT NULL REFERENCES captures,
    order_id        uuid        REFERENCES orders,
    registration_id uuid,
    reason          text        NOT NULL
                    CHECK (reason IN ('overpaid', 'review_failed', 'place_gone', 'postponed', 'disaster',
                                      'personal', 'late', 'wrong_amount', 'orphan')),
    amount_twd      integer     NOT NULL CHECK (amount_twd >= 0),
    -- provider: through the API of whoever took the money. payee: by hand, from the list.
    -- kept: written off, nothing goes back.
    route           text        CHECK (route IN ('provider', 'payee', 'kept')),
    state           text        NOT NULL DEFAULT 'due'
                    CHECK (state IN ('due', 'proposed', 'approved', 'completed')),
    due_at          timestamptz NOT NULL,
    is_told         boolean     NOT NULL DEFAULT false,  -- whoever paid knows that it goes back
    proposed_by     uuid,
    proposed_at     timestamptz,
    approved_by     uuid,
    approved_at     timestamptz,
    send_from       timestamptz,           -- from when on the provider takes it
    completed_at    timestamptz,
    reply           text        NOT NULL DEFAULT '',  -- why it is due again
    CHECK (proposed_by <> approved_by),    -- four eyes
    CHECK ((state = 'due') = (proposed_by IS NULL)),
    CHECK ((state = 'due') = (route IS NULL)),
    CHECK ((state IN ('due', 'proposed')) = (approved_by IS NULL)),
    CHECK ((state = 'completed') = (completed_at IS NOT NULL)),
    CHECK ((amount_twd = 0) = (COALESCE(route, '') = 'kept'))
);

CREATE INDEX refunds_capture ON refunds (capture_id);
CREATE INDEX refunds_order ON refunds (order_id);
CREATE INDEX refunds_to_do ON refunds (state, due_at) WHERE state <> 'completed';

-- Refunds that a provider was told of and whose end is not on record yet.
CREATE TABLE refund_sends (
    refund_id uuid        PRIMARY KEY REFERENCES refunds,
    -- sending: a call is under way. unknown: it is to be asked for. stuck: only a person can find
    -- out.
    state     text        NOT NULL CHECK (state IN ('sending', 'unknown', 'stuck')),
    sends     integer     NOT NULL,
    due_at    timestamptz NOT NULL,
    reply     text        NOT NULL DEFAULT ''
);

-- To whom a postal money order is made out. Sealed: names and addresses are nobody else's business.
CREATE TABLE refund_payees (
    refund_id uuid        PRIMARY KEY REFERENCES refunds,
    sealed    bytea       NOT NULL,
    given_at  timestamptz NOT NULL
);

CREATE TABLE refund_applications (
    id              uuid        PRIMARY KEY,
    order_id        uuid        NOT NULL REFERENCES orders,
    registration_id uuid        NOT NULL,
    account_id      uuid        NOT NULL,
    reason          text        NOT NULL
                    CHECK (reason IN ('postponed', 'disaster', 'transport', 'military', 'health',
                                      'family', 'other')),
    sealed          bytea       NOT NULL,  -- what the candidate wrote, and the payee
    state           text        NOT NULL DEFAULT 'sent'
                    CHECK (state IN ('sent', 'recommended', 'granted', 'refused')),
    applied_at      timestamptz NOT NULL,
    verdict         text        CHECK (verdict IN ('grant', 'refuse')),
    words           text        NOT NULL DEFAULT '',  -- to the candidate
    recommended_by  uuid,
    recommended_at  timestamptz,
    decided_by      uuid,
    decided_at      timestamptz,
    refund_id       uuid        REFERENCES refunds,
    CHECK (recommended_by <> decided_by),  -- four eyes
    CHECK ((state = 'sent') = (recommended_by IS NULL)),
    CHECK ((state IN ('granted', 'refused')) = (decided_by IS NOT NULL))
);

CREATE UNIQUE INDEX refund_applications_one_at_a_time ON refund_applications (registration_id)
 WHERE state <> 'refused';
CREATE INDEX refund_applications_order ON refund_applications (order_id);
CREATE INDEX refund_applications_to_do ON refund_applications (applied_at)
 WHERE state IN ('sent', 'recommended');

CREATE TABLE refund_proofs (
    id             uuid        PRIMARY KEY,
    application_id uuid        NOT NULL REFERENCES refund_applications,
    name           text        NOT NULL,
    media_type     text        NOT NULL,
    sealed         bytea       NOT NULL,
    sent_at        timestamptz NOT NULL
);

CREATE INDEX refund_proofs_application ON refund_proofs (application_id);
