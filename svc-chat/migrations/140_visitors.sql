-- Who a visitor is, where the website has said and signed it.
ALTER TABLE session
  ADD COLUMN visitor_name  text,
  ADD COLUMN visitor_email text;
