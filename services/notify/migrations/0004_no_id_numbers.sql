-- Letters about results do not tell the ID number; those that are kept already forget it, since they
-- may be sent yet, or again.
UPDATE letters SET context = context - 'reference'
 WHERE template IN ('results_released', 'result_corrected') AND context ? 'reference';
UPDATE unaddressed SET context = context - 'reference'
 WHERE template IN ('results_released', 'result_corrected');
