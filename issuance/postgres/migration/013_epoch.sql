-- Epochs grow by one. Who may append, and has no log key, could leave the log and the queue with the
-- greatest number that there is: nobody could have taken them over any more.

CREATE OR REPLACE TRIGGER forward BEFORE UPDATE ON log FOR EACH ROW
	WHEN (NEW.size < OLD.size OR NEW.size = OLD.size AND NEW.checkpoint <> OLD.checkpoint OR NEW.id <> OLD.id OR NEW.origin <> OLD.origin
		OR NEW.epoch < OLD.epoch OR NEW.epoch - 1 > OLD.epoch)
	EXECUTE FUNCTION refuse('the log goes forward');
CREATE TRIGGER forward BEFORE UPDATE ON queue FOR EACH ROW
	WHEN (NEW.epoch < OLD.epoch OR NEW.epoch - 1 > OLD.epoch)
	EXECUTE FUNCTION refuse('the queue goes forward');
