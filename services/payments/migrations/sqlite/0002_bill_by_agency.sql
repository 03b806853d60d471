-- An officer's list is one agency's bills, newest first.
create index bill_agency_code on bill (agency_code, id);
