-- Copies of what others tell: sittings, who sits them, and which accounts may look.

CREATE TABLE sittings (
    code        text        PRIMARY KEY,
    programme   text        NOT NULL,
    zone        text        NOT NULL,
    exam        text        NOT NULL,
    exam_titles jsonb       NOT NULL,
    titles      jsonb       NOT NULL,
    exam_date   date        NOT NULL,
    results_at  timestamptz NOT NULL,      -- when results were promised
    recorded_at timestamptz NOT NULL       -- of the newest news of it
);

CREATE TABLE candidates (
    entry_id         uuid        PRIMARY KEY,
    sitting          text        NOT NULL,
    id_number        text        NOT NULL,
    secret_digest    text        NOT NULL,
    person_name      text        NOT NULL,
    latin_name       text,
    birth_date       date        NOT NULL,
    dialect          text,
    candidate_number text        NOT NULL,
    centre_number    text,
    centre_name      text,
    account_id       uuid,
    registration_id  uuid,
    is_cancelled     boolean     NOT NULL,
    recorded_at      timestamptz NOT NULL
);

CREATE INDEX candidates_sitting ON candidates (sitting, candidate_number);
CREATE INDEX candidates_id_number ON candidates (id_number);

-- The accounts of a candidate: the one that registered here and the one of the results service.
CREATE TABLE holders (
    entry_id      uuid        NOT NULL,
    account_id    uuid        NOT NULL,
    registered_at timestamptz NOT NULL,
    PRIMARY KEY (entry_id, account_id)
);

CREATE INDEX holders_account ON holders (account_id);

-- Before approval: scores, breaches, and what they would give. All of it may still change.

CREATE TABLE score_files (
    id          uuid        PRIMARY KEY,
    sitting     text        NOT NULL REFERENCES sittings,
    name        text        NOT NULL,
    content     jsonb       NOT NULL,      -- the table as it was read
    looked_by   uuid        NOT NULL,
    looked_at   timestamptz NOT NULL,
    imported_by uuid,
    imported_at timestamptz,
    imported    integer,                   -- rows that changed something
    CHECK (num_nonnulls(imported_by, imported_at, imported) IN (0, 3))
);

CREATE INDEX score_files_sitting ON score_files (sitting, looked_at DESC);

CREATE TABLE scores (
    entry_id   uuid        PRIMARY KEY,
    sitting    text        NOT NULL REFERENCES sittings,
    given      jsonb,                      -- points by section and part, or a result as given
    is_absent  boolean     NOT NULL,
    file_id    uuid        REFERENCES score_files,  -- NULL: by hand
    entered_by uuid        NOT NULL,
    entered_at timestamptz NOT NULL,
    CHECK (is_absent = (given IS NULL))
);

CREATE INDEX scores_sitting ON scores (sitting);

CREATE TABLE conduct_records (
    id          uuid        PRIMARY KEY,
    entry_id    uuid        NOT NULL,
    sitting     text        NOT NULL REFERENCES sittings,
    rule        text        NOT NULL,      -- its number among the exam room's rules
    section     text        NOT NULL DEFAULT '',  -- empty: the whole exam
    part        text        NOT NULL DEFAULT '',
    recorded_by uuid        NOT NULL,
    recorded_at timestamptz NOT NULL,
    removed_by  uuid,
    removed_at  timestamptz,
    CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);

CREATE UNIQUE INDEX conduct_records_once ON conduct_records (entry_id, rule, section, part)
 WHERE removed_at IS NULL;
CREATE INDEX conduct_records_sitting ON conduct_records (sitting) WHERE removed_at IS NULL;

-- Whoever put anything into the scores of a sitting. They do not approve it, then or later.
CREATE TABLE contributors (
    sitting    text NOT NULL REFERENCES sittings,
    account_id uuid NOT NULL,
    PRIMARY KEY (sitting, account_id)
);

CREATE TABLE computations (
    sitting     text        PRIMARY KEY REFERENCES sittings,
    number      integer     NOT NULL,
    computed_by uuid        NOT NULL,
    computed_at timestamptz NOT NULL
);

-- What the newest computation gave, beside what the one before it did. No candidate's page reads it.
CREATE TABLE drafts (
    entry_id uuid PRIMARY KEY,
    sitting  text NOT NULL REFERENCES sittings,
    outcome  jsonb,                        -- NULL: there is none any more
    before   jsonb,
    CHECK (num_nonnulls(outcome, before) > 0)
);

CREATE INDEX drafts_sitting ON drafts (sitting);

-- Approval and after it: nothing here is ever changed, but for what is said.

CREATE TABLE digests (
    id           uuid        PRIMARY KEY,
    sitting      text        NOT NULL REFERENCES sittings,
    kind         text        NOT NULL CHECK (kind IN ('approval', 'correction')),
    root         bytea       NOT NULL CHECK (length(root) = 32),
    count        integer     NOT NULL CHECK (count > 0),
    published_at timestamptz NOT NULL
);

CREATE INDEX digests_newest ON digests (published_at DESC, id);
CREATE UNIQUE INDEX digests_one_approval ON digests (sitting) WHERE kind = 'approval';

CREATE TRIGGER digests_are_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON digests
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE results (
    id          uuid        PRIMARY KEY,
    entry_id    uuid        NOT NULL,
    sitting     text        NOT NULL REFERENCES sittings,
    version     integer     NOT NULL CHECK (version > 0),
    content     text        NOT NULL,      -- JSON, exactly the bytes that the digest is of
    salt        bytea       NOT NULL CHECK (length(salt) = 32),
    digest_id   uuid        NOT NULL REFERENCES digests,
    position    integer     NOT NULL,      -- among the leaves of its digest
    path        bytea       NOT NULL,      -- the hashes beside the way up to the root
    approved_at timestamptz NOT NULL,
    replaced_at timestamptz,               -- by a newer version
    UNIQUE (entry_id, version),
    UNIQUE (digest_id, position)
);

CREATE UNIQUE INDEX results_one_counts ON results (entry_id) WHERE replaced_at IS NULL;
CREATE INDEX results_sitting ON results (sitting, entry_id) WHERE replaced_at IS NULL;

CREATE TRIGGER results_are_never_removed
    BEFORE DELETE OR TRUNCATE ON results
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of a result one thing is learnt later: that another replaced it.
CREATE FUNCTION refuse_all_but_replacing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL
       AND to_jsonb(NEW) - 'replaced_at' = to_jsonb(OLD) - 'replaced_at'
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'results is append-only' USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER results_change_by_being_replaced_only
    BEFORE UPDATE ON results
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_replacing();

-- A sitting whose results are approved, and from when on they can be seen: by this alone it is
-- decided, and by the clock of this database.
CREATE TABLE releases (
    sitting      text        PRIMARY KEY REFERENCES sittings,
    digest_id    uuid        NOT NULL REFERENCES digests,
    approved_by  uuid        NOT NULL,
    approved_at  timestamptz NOT NULL,
    released_at  timestamptz,              -- NULL: not set, or stopped
    ordered_by   uuid,
    told_through uuid,                     -- whoever tells has come as far as this entry
    told_at      timestamptz,              -- everybody who was to be told has been
    CHECK ((released_at IS NULL) = (ordered_by IS NULL))
);

CREATE INDEX releases_to_tell ON releases (released_at) WHERE told_at IS NULL;

-- Four eyes, also for whoever would forget to ask.
CREATE FUNCTION refuse_contributors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM contributors
                WHERE sitting = NEW.sitting AND account_id IN (NEW.approved_by, NEW.ordered_by))
    THEN
        RAISE EXCEPTION 'who gave the scores does not release them'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER releases_are_by_others
    BEFORE INSERT OR UPDATE OF approved_by, ordered_by ON releases
    FOR EACH ROW EXECUTE FUNCTION refuse_contributors();

-- To whom a result was told. Whoever is in here is not told again.
CREATE TABLE told (
    result_id  uuid        NOT NULL REFERENCES results,
    account_id uuid        NOT NULL,
    told_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (result_id, account_id)
);

CREATE TABLE corrections (
    id          uuid        PRIMARY KEY,
    entry_id    uuid        NOT NULL,
    sitting     text        NOT NULL REFERENCES sittings,
    reason      text        NOT NULL,      -- the candidate reads it
    given       jsonb,
    is_absent   boolean     NOT NULL,
    conduct     jsonb       NOT NULL,      -- all records that count from then on
    outcome     jsonb       NOT NULL,      -- what it makes of the result
    of_version  integer     NOT NULL,      -- of the result that it corrects; 0: there is none
    proposed_by uuid        NOT NULL,
    proposed_at timestamptz NOT NULL,
    decided_by  uuid,
    decided_at  timestamptz,
    is_approved boolean,
    result_id   uuid        REFERENCES results,
    CHECK (is_absent = (given IS NULL)),
    CHECK (proposed_by <> decided_by),     -- four eyes
    CHECK (num_nonnulls(decided_by, decided_at, is_approved) IN (0, 3)),
    CHECK ((result_id IS NOT NULL) = COALESCE(is_approved, false))
);

CREATE UNIQUE INDEX corrections_one_at_a_time ON corrections (entry_id) WHERE decided_at IS NULL;
CREATE INDEX corrections_sitting ON corrections (sitting, proposed_at DESC);
