-- The provider's files also list money that went back, which is held against our refunds.

ALTER TABLE reconciliation_lines
    ADD COLUMN refunded_at timestamptz,
    ADD CHECK (paid_at IS NULL OR refunded_at IS NULL),
    ADD CHECK ((amount_twd < 0) = (refunded_at IS NOT NULL));

CREATE INDEX reconciliation_lines_refunded ON reconciliation_lines (trade_number)
 WHERE refunded_at IS NOT NULL;

ALTER TABLE reconciliation_differences
    DROP CONSTRAINT reconciliation_differences_kind_check,
    ADD CONSTRAINT reconciliation_differences_kind_check
        CHECK (kind IN ('not_known', 'not_in_file', 'amount_differs', 'number_differs',
                        'net_differs', 'not_readable', 'refund_not_known', 'refund_not_in_file',
                        'refund_differs'));
