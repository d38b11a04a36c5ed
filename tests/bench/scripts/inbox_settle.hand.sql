-- Rows of a table charged by the hand-written function. The first statement puts them in; ./run takes its time off.
SELECT /* input */ fill('hand_inbox', :events, :wallets);
WITH batch AS (
    DELETE FROM hand_inbox RETURNING customer_id, event_name, value, identifier
)
SELECT count(hand_charge(b.customer_id, b.event_name, b.value, b.identifier)) FROM batch b;
