-- The conversations of a user: the entries hold the primary key too.
CREATE INDEX participations_by_participant ON participations (participant);
