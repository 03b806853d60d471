-- What an erasure ends is found by its person, and what a forgotten session leaves by the session.
create index session_citizen on session (citizen_id) where citizen_id is not null;
create index account_citizen on account (citizen_id);
create index authorization_code_session on authorization_code (session_id) where session_id is not null;
