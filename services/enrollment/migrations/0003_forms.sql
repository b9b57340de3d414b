-- What candidates write and upload, and how they are reached. No foreign keys to registrations: they
-- would make every claim that is one too many, at midnight, look into these tables.

-- One row per registration, as far as its form is filled in. The ID number is encrypted; the keyed
-- digest by which a person is found again stands in registrations.person.
CREATE TABLE answers (
    registration_id uuid        PRIMARY KEY,
    answers         jsonb       NOT NULL,  -- by field; only what was accepted when it was saved
    identity_number bytea,
    saved_at        timestamptz NOT NULL
);

-- What was agreed to: which text, in which version and language, and when.
CREATE TABLE consents (
    registration_id uuid        NOT NULL,
    code            text        NOT NULL,
    version         text        NOT NULL,
    language        text        NOT NULL,
    agreed_at       timestamptz NOT NULL,
    PRIMARY KEY (registration_id, code, version)
);

-- One row per uploaded file; its name in the store is made of its id. The row is there before the
-- file, so that no file is without one.
CREATE TABLE documents (
    id              uuid        PRIMARY KEY,
    registration_id uuid        NOT NULL,
    document        text        NOT NULL,  -- its code in the catalogue: photo, id_front, …
    state           text        NOT NULL DEFAULT 'arriving'
                    CHECK (state IN ('arriving', 'kept', 'dropped')),
    bytes           integer     NOT NULL CHECK (bytes > 0),
    width           integer     NOT NULL CHECK (width > 0),
    height          integer     NOT NULL CHECK (height > 0),
    arrived_at      timestamptz NOT NULL,
    returned_why    text,                  -- what a registrar says is wrong with it
    is_replacement  boolean     NOT NULL DEFAULT false  -- of one that was returned
);

CREATE UNIQUE INDEX documents_kept ON documents (registration_id, document) WHERE state = 'kept';
CREATE INDEX documents_registration ON documents (registration_id);
CREATE INDEX documents_of_no_use ON documents (arrived_at) WHERE state <> 'kept';

-- The e-mail address of an account, for the form to begin with.
CREATE TABLE contacts (
    account_id uuid        PRIMARY KEY,
    email      text,
    changed_at timestamptz,
    closed_at  timestamptz
);
