-- What finance needs: to say whose an orphan is, how a refund was paid by hand, and to search.

DROP TRIGGER captures_are_append_only ON captures;

CREATE TRIGGER captures_are_never_removed
    BEFORE DELETE OR TRUNCATE ON captures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of money nobody knew of, one thing is learnt later: whose it is. Nothing else ever changes.
CREATE FUNCTION refuse_all_but_matching() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind = 'orphan' AND NEW.kind <> 'orphan'
       AND to_jsonb(NEW) - ARRAY['kind', 'order_id'] = to_jsonb(OLD) - ARRAY['kind', 'order_id']
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'captures is append-only' USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER captures_change_by_matching_only
    BEFORE UPDATE ON captures
    FOR EACH ROW EXECUTE FUNCTION refuse_all_but_matching();

CREATE INDEX captures_undecided ON captures (paid_at, id) WHERE kind <> 'order';
CREATE INDEX captures_provider_number ON captures (provider_number);
CREATE INDEX ledger_entries_of_orphans ON ledger_entries (capture_id) WHERE order_id IS NULL;
CREATE INDEX orders_newest ON orders (opened_at DESC, id DESC);
CREATE INDEX order_items_reference ON order_items (reference);

-- How a refund was paid that no provider makes: a postal money order has a number and a day.
ALTER TABLE refunds
    ADD COLUMN money_order_number text UNIQUE,
    ADD COLUMN money_order_on     date,
    ADD CHECK ((money_order_number IS NULL) = (money_order_on IS NULL)),
    ADD CHECK (money_order_number IS NULL OR (route = 'payee' AND state = 'completed'));

-- A proposal that is not followed is removed, and the payee that was noted for it too.
ALTER TABLE refund_payees
    DROP CONSTRAINT refund_payees_refund_id_fkey,
    ADD FOREIGN KEY (refund_id) REFERENCES refunds ON DELETE CASCADE;
