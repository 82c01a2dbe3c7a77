-- Whether a website's pages have the script is looked at every day.
INSERT INTO job (kind, owner_id, key, payload, run_at)
  SELECT 'website', owner_id, id, jsonb_build_object('integration', id), now() + interval '1 hour' FROM integration
  WHERE type = 'website' AND status <> 'inactive' AND chatbot_id IS NOT NULL;
