-- Registrations: one row from the claim of a place to the end of its life.

CREATE TABLE registrations (
    id            uuid PRIMARY KEY,
    -- What people quote; see references.py. A sequence, so that its index only grows at one end.
    number        bigint GENERATED ALWAYS AS IDENTITY (START WITH 100001) UNIQUE,
    account_id    uuid NOT NULL,
    sitting       text NOT NULL,
    area          text NOT NULL,
    one_of        text,              -- of all with the same word here a person holds one
    state         text NOT NULL DEFAULT 'drafting' CHECK (state IN (
                      'drafting', 'awaiting_payment', 'in_review', 'returned', 'confirmed',
                      'absent', 'lapsed', 'void', 'withdrawn')),
    -- Who it is for, once the form says so: a keyed digest of the ID number.
    person        bytea,
    claimed_at    timestamptz NOT NULL,
    submit_by     timestamptz NOT NULL,
    reminded_days smallint,          -- the last reminder sent: so many days before submit_by
    -- Set when the form is sent, and never changed again.
    submitted_at  timestamptz,
    dialect       text,
    person_name   text,
    latin_name    text,
    birth_date    date,
    fee_twd       integer CHECK (fee_twd >= 0),
    pay_by        timestamptz,
    paid_at       timestamptz,
    waiting_since timestamptz,       -- for a registrar
    fix_by        timestamptz,
    confirmed_at  timestamptz,
    ended_at      timestamptz,
    ended_why     text
);

-- One place for an account in a sitting, and one for a person; a place that was given up counts no
-- more. The sitting comes first: what a midnight writes then lies together, however much is there.
CREATE UNIQUE INDEX registrations_account ON registrations (sitting, account_id)
 WHERE state NOT IN ('lapsed', 'void', 'withdrawn');
CREATE UNIQUE INDEX registrations_person ON registrations (sitting, person)
 WHERE person IS NOT NULL AND state NOT IN ('lapsed', 'void', 'withdrawn');
CREATE UNIQUE INDEX registrations_account_one_of ON registrations (one_of, account_id)
 WHERE one_of IS NOT NULL AND state NOT IN ('lapsed', 'void', 'withdrawn');
CREATE UNIQUE INDEX registrations_person_one_of ON registrations (one_of, person)
 WHERE one_of IS NOT NULL AND person IS NOT NULL
   AND state NOT IN ('lapsed', 'void', 'withdrawn');

-- Ended ones of an account are shown too.
CREATE INDEX registrations_ended ON registrations (account_id)
 WHERE state IN ('lapsed', 'void', 'withdrawn');
CREATE INDEX registrations_absent ON registrations (account_id) WHERE state = 'absent';
CREATE INDEX registrations_absent_person ON registrations (person) WHERE state = 'absent';

-- What the jobs and the registrars look for.
CREATE INDEX registrations_submit_by ON registrations (submit_by) WHERE state = 'drafting';
CREATE INDEX registrations_fix_by ON registrations (fix_by) WHERE state = 'returned';
CREATE INDEX registrations_waiting ON registrations (waiting_since) WHERE state = 'in_review';
