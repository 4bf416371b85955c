-- Whoever takes a lease and does not end its transaction keeps the others waiting for 2 s, not for
-- as long as it likes.

ALTER FUNCTION take_lease(text, text, interval) SET lock_timeout = '2s';
ALTER FUNCTION renew_lease(text, text, bigint, interval) SET lock_timeout = '2s';
ALTER FUNCTION release_lease(text, text, bigint) SET lock_timeout = '2s';
