COPY hand_inbox (customer_id, event_name, value, identifier) FROM STDIN
