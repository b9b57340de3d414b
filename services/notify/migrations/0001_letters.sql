-- How to reach the people who have an account.
CREATE TABLE contacts (
    account_id uuid        PRIMARY KEY,
    email      text,
    person     text,
    language   text,
    changed_at timestamptz,
    closed_at  timestamptz,  -- nothing else is kept of a closed account
    CHECK (closed_at IS NULL OR num_nonnulls(email, person, language) = 0)
);

-- A letter somebody is owed. A queue at one end, a register for staff at the other.
CREATE TABLE letters (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    cause         text        NOT NULL,  -- what it is owed for: an event delivered twice is one cause
    template      text        NOT NULL,
    recipient     text        NOT NULL,
    recipient_key text        NOT NULL,  -- as it is compared: case folded
    person        text        NOT NULL,
    language      text        NOT NULL,
    context       jsonb,                 -- what the template tells; gone after a while
    state         text        NOT NULL DEFAULT 'queued'
                  CHECK (state IN ('queued', 'sending', 'sent', 'retrying', 'failed', 'given_up')),
    round         integer     NOT NULL DEFAULT 1,  -- counts up when staff send it again
    attempts      integer     NOT NULL DEFAULT 0,  -- in this round
    claim         integer     NOT NULL DEFAULT 0,  -- counts up whenever a sender takes it, never down
    written_at    timestamptz NOT NULL DEFAULT now(),
    due_at        timestamptz NOT NULL DEFAULT now(),  -- while it is being sent: the end of the lease
    useless_after timestamptz,           -- its link has run out by then
    give_up_by    timestamptz NOT NULL,
    settled_at    timestamptz,
    last_reply    text,
    UNIQUE (cause, recipient, template)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX letters_due ON letters (due_at) WHERE state IN ('queued', 'sending', 'retrying');
CREATE INDEX letters_newest ON letters (written_at DESC, id DESC);
CREATE INDEX letters_failed ON letters (written_at DESC, id DESC) WHERE state IN ('failed', 'given_up');
CREATE INDEX letters_settled ON letters USING brin (settled_at) WITH (autosummarize = on);

-- What became of each try. It goes with its letter, but without a foreign key: checking one costs
-- more than writing the row, thousands of times a second.
CREATE TABLE letter_attempts (
    letter_id uuid        NOT NULL,
    claim     integer     NOT NULL,
    round     integer     NOT NULL,
    fate      text        NOT NULL,
    reply     text        NOT NULL,
    ended_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (letter_id, claim)
);

-- What mail servers reported back later; each report counts once.
CREATE TABLE bounces (
    address_key text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('permanent', 'temporary', 'complaint')),
    message_id  text        NOT NULL,
    reported_at timestamptz NOT NULL,
    letter_id   uuid,
    PRIMARY KEY (address_key, kind, message_id, reported_at)
);

CREATE INDEX bounces_letter ON bounces (letter_id);
CREATE INDEX bounces_reported_at ON bounces (reported_at);

-- Addresses that take no letters. A mark that staff cleared stays, so that an older report that
-- comes late does not set it again.
CREATE TABLE undeliverable (
    address_key text        PRIMARY KEY,
    kind        text        NOT NULL,
    marked_at   timestamptz NOT NULL,
    cleared_at  timestamptz
);

CREATE INDEX undeliverable_marked ON undeliverable (marked_at DESC) WHERE cleared_at IS NULL;

-- One machine only: the letters that would have left it.
CREATE TABLE mailbox (
    message_id    text        PRIMARY KEY,
    number        bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    recipient     text        NOT NULL,
    recipient_key text        NOT NULL,
    subject       text        NOT NULL,
    text          text        NOT NULL,
    html          text        NOT NULL,
    arrived_at    timestamptz NOT NULL DEFAULT now()
);
